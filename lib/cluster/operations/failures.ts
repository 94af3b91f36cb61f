import { failuresOf } from '../../base/index.ts';

export type OperationFailures = {
  'resource/unknown-type': { asked: string; suggestion?: string };
  /** Several types have this alias. */
  'resource/ambiguous-type': { asked: string; types: readonly string[] };
  'etcd/unknown-member': { asked: string; known: readonly string[]; suggestion?: string };
  /** A member that answers leaves by itself, with its machine: nobody removes it behind its back. */
  'etcd/member-works': { member: string };
};

export const operationFailure = failuresOf<OperationFailures>();
