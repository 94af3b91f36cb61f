import { failuresOf } from '../../base/index.ts';

export type OperationFailures = {
  'resource/unknown-type': { asked: string; suggestion?: string };
  /** Several types have this alias. */
  'resource/ambiguous-type': { asked: string; types: readonly string[] };
};

export const operationFailure = failuresOf<OperationFailures>();
