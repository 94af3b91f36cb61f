export {
  adminValidityMs,
  authorityValidityMs,
  type AuthorityOptions,
  createCertificateAuthority,
  type ExtendedKeyUsage,
  hours,
  issue,
  type KeyUsage,
  type LeafOptions,
  type PemPair,
  type SigningOptions,
} from './authority.ts';
export { calendarMs, type CalendarTime, calendarTime } from './calendar.ts';
export { type CertificateFacts, isIssuedBy, parseCertificate, spkiSha256 } from './certificate.ts';
export { sha256Hex } from './digest.ts';
export { pkiFailure, type PkiFailures } from './failures.ts';
export { fingerprintOf, kindOf, loadPrivateKey, relabelKey, spkiOf, talosKeyPem } from './keys.ts';
export { parsePem, renderPem } from './pem.ts';
