export {
  adminValidityMs,
  authorityValidityMs,
  type AuthorityOptions,
  createCertificateAuthority,
  createSigningRequest,
  type ExtendedKeyUsage,
  hours,
  issue,
  type KeyUsage,
  type LeafOptions,
  type PemPair,
  type RequestOptions,
  type SigningOptions,
  signRequest,
} from './authority.ts';
export { calendarMs, type CalendarTime, calendarTime } from './calendar.ts';
export { type CertificateFacts, isIssuedBy, parseCertificate, spkiSha256 } from './certificate.ts';
export { sha256Hex } from './digest.ts';
export { pkiFailure, type PkiFailures } from './failures.ts';
export { fingerprintOf, kindOf, loadPrivateKey, relabelKey, relabelKeyForTalos, spkiOf, talosKeyPem } from './keys.ts';
export { parsePem, parsePemBlocks, type PemBlock, renderPem } from './pem.ts';
