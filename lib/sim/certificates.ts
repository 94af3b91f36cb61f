import type { ClientCertificate, PeerIdentity } from '../base/index.ts';
import { type CertificateFacts, isIssuedBy, parseCertificate } from '../pki/index.ts';

const memoryLimit = 4000;
const facts = new Map<string, CertificateFacts>();
const issued = new Map<string, boolean>();

/** Parsed once per text: ring A meets the same few certificates in every call. */
function factsOf(pem: string): CertificateFacts {
  let found = facts.get(pem);
  if (!found) {
    if (facts.size > memoryLimit) facts.clear();
    found = parseCertificate(pem);
    facts.set(pem, found);
  }
  return found;
}

/** Whether one of the certificates in `caPem` signed `pem`. Dates are not looked at. */
export function isTrusted(pem: string, caPem: string): boolean {
  const key = `${pem}\0${caPem}`;
  let answer = issued.get(key);
  if (answer === undefined) {
    if (issued.size > memoryLimit) issued.clear();
    answer = splitPem(caPem).some((ca) => isIssuedBy(pem, ca));
    issued.set(key, answer);
  }
  return answer;
}

function splitPem(text: string): readonly string[] {
  return text.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----\n?/g) ?? [];
}

export const fingerprint = (pem: string): string => factsOf(pem).spkiSha256;

export const peerIdentity = (pem: string): PeerIdentity => ({ spkiSha256: fingerprint(pem), certificatePem: pem });

export const clientCertificate = (pem: string): ClientCertificate => {
  const { organizations, commonName } = factsOf(pem);
  return { organizations, commonName, pem };
};
