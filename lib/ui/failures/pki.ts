import type { PkiFailures } from '../../pki/index.ts';
import type { Printers } from './printer.ts';

export const pkiPrinters: Printers<PkiFailures> = {
  'pki/malformed': ({ what, reason }) => ({ title: `the ${what} cannot be read`, because: reason }),
  'pki/unsupported-key': ({ kind }) => ({
    title: `a private key of kind \`${kind}\` is not one that Talos uses`,
    help: 'Talos uses Ed25519, ECDSA P-256 and RSA keys',
  }),
  'pki/key-mismatch': ({ what }) => ({
    title: `certificate and private key of the ${what} do not belong together`,
    help: 'take both from the same secrets bundle',
  }),
};
