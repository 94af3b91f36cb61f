import { stripControl, TkError } from '../base/index.ts';
import { type DialReason, hostFailure } from './failures.ts';

/** OpenSSL, errno and Node codes, with what they mean to somebody who dials. */
const reasonByCode: Readonly<Record<string, DialReason>> = {
  ECONNREFUSED: 'refused',
  ECONNRESET: 'reset',
  EPIPE: 'reset',
  ECONNABORTED: 'reset',
  ERR_STREAM_PREMATURE_CLOSE: 'reset',
  ETIMEDOUT: 'timeout',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  EHOSTDOWN: 'unreachable',
  EADDRNOTAVAIL: 'unreachable',
  ENOTFOUND: 'name-not-found',
  EAI_AGAIN: 'name-not-found',
  ENODATA: 'name-not-found',
  // Alert 116: the other side wants a client certificate. A machine that is configured says so to an insecure caller.
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: 'certificate-required',
  // The same in TLS 1.2, where there is no alert of its own.
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: 'certificate-required',
  ERR_SSL_SSL_ALERT_HANDSHAKE_FAILURE: 'certificate-required',
  // The other side does not take our client certificate: another authority, an expired one, a wrong clock.
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: 'certificate-rejected',
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: 'certificate-rejected',
  ERR_SSL_SSL_ALERT_BAD_CERTIFICATE: 'certificate-rejected',
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: 'certificate-rejected',
  ERR_SSL_SSL_ALERT_CERTIFICATE_EXPIRED: 'certificate-rejected',
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: 'certificate-rejected',
  ERR_SSL_SSL_ALERT_CERTIFICATE_UNKNOWN: 'certificate-rejected',
  ERR_SSL_TLSV1_ALERT_DECRYPT_ERROR: 'certificate-rejected',
  ERR_SSL_TLSV1_ALERT_ACCESS_DENIED: 'certificate-rejected',
  // We do not take theirs.
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'unknown-authority',
  SELF_SIGNED_CERT_IN_CHAIN: 'unknown-authority',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'unknown-authority',
  UNABLE_TO_GET_ISSUER_CERT: 'unknown-authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'unknown-authority',
  CERT_SIGNATURE_FAILURE: 'unknown-authority',
  INVALID_CA: 'unknown-authority',
  INVALID_PURPOSE: 'unknown-authority',
  AUTHORITY_KEY_IDENTIFIER_MISMATCH: 'unknown-authority',
  CERT_HAS_EXPIRED: 'certificate-expired',
  CERT_NOT_YET_VALID: 'certificate-not-yet-valid',
  ERR_TLS_CERT_ALTNAME_INVALID: 'name-mismatch',
  ERR_SSL_WRONG_VERSION_NUMBER: 'not-talos',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'not-talos',
  ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL: 'not-talos',
};

export interface Address {
  readonly host: string;
  readonly port: number;
}

export function dialError(target: Address, reason: DialReason, facts: { detail?: string; expected?: string; seen?: string } = {}): TkError {
  return new TkError(hostFailure('host/dial', { host: target.host, port: target.port, reason, ...facts }));
}

/** What a socket or TLS error means. Codes are looked for in the text too: grpc-js hands some errors on as text only. */
export function dialErrorFrom(target: Address, error: unknown): TkError {
  if (error instanceof TkError) return error;
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  const text = stripControl(error instanceof Error ? error.message : String(error));
  // Happy eyeballs wraps one error per address.
  const inner = error instanceof AggregateError ? (error.errors as unknown[])[0] : undefined;
  if (inner !== undefined && (code === undefined || reasonByCode[code] === undefined)) return dialErrorFrom(target, inner);
  const known = [code, ...(text.match(/\b[A-Z][A-Z0-9_]{4,}\b/g) ?? [])].find(
    (word) => word !== undefined && reasonByCode[word] !== undefined,
  );
  const reason = (known === undefined ? undefined : reasonByCode[known]) ?? reasonInWords(text) ?? 'other';
  return dialError(target, reason, { detail: known ?? code ?? text.slice(0, 200) });
}

function reasonInWords(text: string): DialReason | undefined {
  if (/certificate required/i.test(text)) return 'certificate-required';
  if (/unknown authority|self.signed|unable to verify/i.test(text)) return 'unknown-authority';
  if (/socket (hang up|closed)|disconnected before secure|closed before/i.test(text)) return 'reset';
  return undefined;
}
