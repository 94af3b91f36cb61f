import { failuresOf } from '../base/index.ts';

export type DialReason =
  | 'refused'
  | 'timeout'
  | 'unreachable'
  | 'name-not-found'
  | 'reset'
  | 'certificate-required'
  | 'certificate-rejected'
  | 'certificate-expired'
  | 'certificate-not-yet-valid'
  | 'unknown-authority'
  | 'name-mismatch'
  | 'fingerprint-mismatch'
  | 'credentials-unusable'
  | 'not-talos'
  | 'not-allowed'
  | 'other';

export type HostFailures = {
  'host/file': { operation: string; path: string; errno: string };
  /** No connection. `detail` is what the library said; `expected` and `seen` are fingerprints. */
  'host/dial': { host: string; port: number; reason: DialReason; detail?: string; expected?: string; seen?: string };
  'host/listen': { host: string; port: number; errno: string };
  'host/command-not-found': { command: string };
  'host/command-timeout': { command: string; timeoutMs: number };
  /** Work off the main thread died (`trap`), threw (`error`) or took too long. */
  'host/compute': { module: string; reason: 'timeout' | 'trap' | 'error'; detail?: string };
};

export const hostFailure = failuresOf<HostFailures>();
