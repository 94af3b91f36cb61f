import { failuresOf } from '../base/index.ts';

export type PkiFailures = {
  /** A text that should be PEM is not, or its content is not what its label says. `what`: "certificate", "private key", "signing request". */
  'pki/malformed': { what: string; reason: string };
  /** A key of a kind that Talos does not use. */
  'pki/unsupported-key': { kind: string };
  /** A certificate and a private key that do not belong together. */
  'pki/key-mismatch': { what: string };
};

export const pkiFailure = failuresOf<PkiFailures>();
