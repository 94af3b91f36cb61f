import type { Secret, SourceFile } from '../base/index.ts';

/** What the cluster layer needs of encrypted files. Bound to the keys that are at hand. */
export interface Vault {
  isEncrypted(file: SourceFile): boolean;
  /** Plain text of a file that may be encrypted. Failure: `secrets/*`. */
  decrypt(file: SourceFile): Promise<Secret<string>>;
  /** Encrypts for the recipients that `.sops.yaml` names for this path. Undefined: no rule is for it. */
  encrypt(path: string, plain: Secret<string>, options?: EncryptOptions): Promise<string | undefined>;
  /** Whether a key that opens this file is here. */
  canOpen(file: SourceFile): Promise<boolean>;
  /** Whether these age identities, and no others, open this file. */
  opens(file: SourceFile, identities: string): Promise<boolean>;
  /** The identities that are here: `AGE-SECRET-KEY-…`, one to a line. Undefined: none. */
  ageKey(): Promise<Secret<string> | undefined>;
}

export interface EncryptOptions {
  /** The `.sops.yaml` to go by, when the one on disk is about to change. */
  readonly rules?: SourceFile;
  /** The encrypted file as it is now: unchanged values keep their ciphertext. */
  readonly previous?: SourceFile;
}
