import { posix } from 'node:path';
import { type Clock, type Files, hasCode, type Random, Secret, type SourceFile, TkError } from '../base/index.ts';
import { parseIdentities } from './age.ts';
import { openedOrNothing, sealByRule } from './by-rule.ts';
import type { KeyRing } from './key-ring.ts';
import { parseSopsRules, type SopsRules } from './rules.ts';
import { openSops, plainTextOf } from './sops/file.ts';
import { formatFor, formatOf } from './sops/formats.ts';
import { extractMetadata } from './sops/metadata.ts';

/** Encrypted files of one repository, by paths relative to its root. Nothing here writes. */
export interface RepositoryVault {
  isEncrypted(file: SourceFile): boolean;
  /** Plain text of a file that may be encrypted. Failure: `secrets/*`. */
  decrypt(file: SourceFile): Promise<Secret<string>>;
  /** By the rule of `.sops.yaml` for the path. Undefined: no rule is for it. */
  encrypt(
    path: string,
    plain: Secret<string>,
    options?: { readonly rules?: SourceFile; readonly previous?: SourceFile },
  ): Promise<string | undefined>;
  /** Whether a key that opens this file is here. A file that was tampered with counts: opening it is what says so. */
  canOpen(file: SourceFile): Promise<boolean>;
  /** Whether these age identities, and no others, open this file. */
  opens(file: SourceFile, identities: string): Promise<boolean>;
  /** The identities that are here, one to a line. Undefined: none. */
  ageKey(): Promise<Secret<string> | undefined>;
}

export interface RepositoryVaultOptions {
  readonly files: Pick<Files, 'readText'>;
  readonly random: Random;
  readonly clock: Pick<Clock, 'now' | 'whileBusy'>;
  /** Absolute. */
  readonly root: string;
  /** Asked once, when the first key is needed. */
  readonly keys: () => Promise<KeyRing>;
}

export function createRepositoryVault(options: RepositoryVaultOptions): RepositoryVault {
  const ports = { random: options.random, clock: options.clock };
  // The platform opens and seals on another thread: no simulated time passes meanwhile.
  const busy = <T>(work: () => Promise<T>): Promise<T> => options.clock.whileBusy(work);
  let asked: Promise<KeyRing> | undefined;
  const keys = () => (asked ??= options.keys());
  const isEncrypted = (file: SourceFile): boolean => {
    // Every format says it with that word; only an escape could hide it. Most files need no reading then.
    if (!/sops|\\/.test(file.text)) return false;
    try {
      extractMetadata(formatFor(formatOf(file.path), {}).parseEncrypted(file.text, file.path), file.path);
      return true;
    } catch (error) {
      if (error instanceof TkError) return hasCode(error, 'secrets/bad-metadata');
      throw error;
    }
  };
  const rulesOf = async (given: SourceFile | undefined): Promise<SopsRules | undefined> => {
    const text = given?.text ?? (await options.files.readText(posix.join(options.root, '.sops.yaml')));
    if (text === undefined) return undefined;
    const parsed = parseSopsRules({ path: given?.path ?? '.sops.yaml', text });
    if (parsed.state === 'failed') throw new TkError(...parsed.failures);
    return parsed.rules;
  };
  return {
    isEncrypted,
    async decrypt(file) {
      if (!isEncrypted(file)) return new Secret(file.text);
      const indents = (await rulesOf(undefined))?.indents;
      const ring = await keys();
      const { documents } = await busy(() => openSops(file, ring, ports));
      return new Secret(plainTextOf(file.path, documents, { indents }));
    },
    async encrypt(path, plain, { rules: given, previous } = {}) {
      const rules = await rulesOf(given);
      if (rules === undefined) return undefined;
      try {
        const ring = previous && (await keys());
        return await busy(async () => {
          const before = previous && ring && (await openedOrNothing(previous, ring, ports));
          return sealByRule(path, plain, rules, before, ports);
        });
      } catch (error) {
        if (hasCode(error, 'secrets/no-rule')) return undefined;
        throw error;
      }
    },
    async canOpen(file) {
      try {
        const ring = await keys();
        return (await busy(() => openedOrNothing(file, ring, ports))) !== undefined;
      } catch (error) {
        if (hasCode(error, 'secrets/tampered')) return true;
        throw error;
      }
    },
    async opens(file, identities) {
      const ring = { identities: parseIdentities(new Secret(identities), 'identities'), searched: [] };
      return (await busy(() => openedOrNothing(file, ring, ports))) !== undefined;
    },
    async ageKey() {
      const { identities } = await keys();
      return identities.length === 0 ? undefined : new Secret(identities.map((identity) => identity.reveal()).join('\n'));
    },
  };
}
