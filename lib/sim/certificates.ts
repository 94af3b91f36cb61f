import { type ClientCertificate, type PeerIdentity, remembered } from '../base/index.ts';
import { isIssuedBy, parseCertificate } from '../pki/index.ts';

/** Whether one of the certificates in `caPem` signed `pem`. Dates are not looked at. */
export const isTrusted = (pem: string, caPem: string): boolean => trustOf(caPem)(pem);

/** One memory for each authority: a key of two certificates would be written anew for each look. */
const trustOf = remembered(
  (caPem: string) =>
    remembered((pem: string): boolean => splitPem(caPem).some((ca) => isIssuedBy(pem, ca)), { keyOf: (pem) => pem, limit: 200 }),
  { keyOf: (caPem) => caPem, limit: 200 },
);

function splitPem(text: string): readonly string[] {
  return text.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----\n?/g) ?? [];
}

export const fingerprint = (pem: string): string => parseCertificate(pem).spkiSha256;

export const peerIdentity = (pem: string): PeerIdentity => ({ spkiSha256: fingerprint(pem), certificatePem: pem });

export const clientCertificate = (pem: string): ClientCertificate => {
  const { organizations, commonName } = parseCertificate(pem);
  return { organizations, commonName, pem };
};
