import { failuresOf } from '../base/index.ts';

/** No value of a secret file ever becomes a fact; paths of keys inside it do. */
export type SecretsFailures = {
  'secrets/no-key': { file: string; recipients: readonly string[]; searched: readonly string[] };
  /** Identities were found, but the file is encrypted for others. */
  'secrets/wrong-key': { file: string; recipients: readonly string[]; identities: readonly string[]; searched: readonly string[] };
  'secrets/key-file': { path: string; problem: 'unreadable' | 'empty' | 'not-a-key' };
  'secrets/key-command': { command: string; exitCode: number };
  /** The text was changed after it was encrypted. `at` is the path of the value, absent where the whole file's checksum failed. */
  'secrets/tampered': { file: string; at?: string };
  'secrets/not-encrypted': { file: string };
  'secrets/already-encrypted': { file: string };
  'secrets/no-rule': { file: string; rules: string };
  'secrets/bad-rules': { file: string; problem: 'syntax' | 'regex' | 'two-selections' | 'no-recipient'; rule?: number };
  'secrets/bad-recipient': { recipient: string; file: string };
  /** The file or the rule names keys that only the sops program can use. */
  'secrets/unsupported-key': { file: string; kinds: readonly string[] };
  'secrets/bad-metadata': { file: string; problem: string };
  'secrets/unreadable': { file: string; format: string; line?: number };
  /** A value of a kind that SOPS cannot encrypt in this format. */
  'secrets/bad-value': { file: string; at: string };
  'secrets/plaintext': { file: string; at: string };
};

export const secretsFailure = failuresOf<SecretsFailures>();
