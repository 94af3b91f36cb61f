import { posix } from 'node:path';
import { type Clock, type Files, type Random, Secret, type SourceFile, TkError } from '../base/index.ts';
import { isTreeMap, TreeComment, type TreeMap, type TreeValue } from '../format/index.ts';
import { type AgeIdentity, newIdentity } from './age.ts';
import { openedOrNothing, sealByRule } from './by-rule.ts';
import { secretsFailure } from './failures.ts';
import type { KeyRing } from './key-ring.ts';
import { parseSopsRules, type SopsRules } from './rules.ts';
import { openSops, type OpenedFile, plainTextOf } from './sops/file.ts';
import { formatFor, formatOf } from './sops/formats.ts';

/** Encrypted files of a repository. Paths are absolute. Nothing here writes a file. */
export interface SecretStore {
  /** Failure: `secrets/*`; `secrets/unreadable` when there is no such file. */
  decrypt(path: string): Promise<Secret<string>>;
  decryptText(file: SourceFile): Promise<Secret<string>>;
  /**
   * The encrypted text for a path, by the rule of `.sops.yaml` that the path matches. Where an encrypted file is there already and can
   * be opened, values that did not change keep their ciphertext.
   */
  encrypt(path: string, plaintext: Secret<string>): Promise<string>;
  /** Whether an encrypted file holds this plain text, comments and layout aside; `unverified` without a key for it. */
  matches(existing: SourceFile, plaintext: Secret<string>): Promise<'same' | 'different' | 'unverified'>;
  newIdentity(kind?: 'x25519' | 'post-quantum'): Promise<AgeIdentity>;
  /** The rules that apply to a path, if there are any. Failure: `secrets/bad-rules`. */
  rulesFor(path: string): Promise<SopsRules | undefined>;
}

export interface SecretStoreOptions {
  readonly files: Pick<Files, 'readText'>;
  readonly random: Random;
  readonly clock: Pick<Clock, 'now'>;
  /** Called once, when the first file is opened. */
  readonly keys: () => Promise<KeyRing>;
  /** Where the search for `.sops.yaml` begins, upwards. */
  readonly repository: string;
}

export function createSecretStore(options: SecretStoreOptions): SecretStore {
  const { files } = options;
  const ports = { random: options.random, clock: options.clock };
  let ring: Promise<KeyRing> | undefined;
  const keys = () => (ring ??= options.keys());

  const rulesFor = async (path: string): Promise<SopsRules | undefined> =>
    (await nearestRules(files, options.repository)) ?? (await nearestRules(files, posix.dirname(path)));
  const read = async (path: string): Promise<SourceFile> => {
    const text = await files.readText(path);
    if (text === undefined) throw new TkError(secretsFailure('secrets/unreadable', { file: path, format: formatOf(path) }));
    return { path, text };
  };
  const open = async (file: SourceFile): Promise<OpenedFile> => openSops(file, await keys(), ports);
  const plain = async (file: SourceFile): Promise<Secret<string>> => {
    const indents = (await rulesFor(file.path))?.indents;
    return new Secret(plainTextOf(file.path, (await open(file)).documents, { indents }));
  };

  return {
    rulesFor,
    decrypt: async (path) => plain(await read(path)),
    decryptText: plain,
    async encrypt(path, plaintext) {
      const rules = await rulesFor(path);
      if (!rules) throw new TkError(secretsFailure('secrets/no-rule', { file: path, rules: '.sops.yaml' }));
      const existing = await files.readText(path);
      const previous = existing === undefined ? undefined : await openedOrNothing({ path, text: existing }, await keys(), ports);
      return sealByRule(path, plaintext, rules, previous, ports);
    },
    async matches(existing, plaintext) {
      const opened = await openedOrNothing(existing, await keys(), ports);
      if (!opened) return 'unverified';
      const planned = formatFor(formatOf(existing.path), {}).parsePlain(plaintext.reveal(), existing.path);
      return withoutComments(existing.path, opened.documents) === withoutComments(existing.path, planned) ? 'same' : 'different';
    },
    newIdentity: (kind) => newIdentity(options.random, kind),
  };
}

async function nearestRules(files: SecretStoreOptions['files'], start: string): Promise<SopsRules | undefined> {
  for (let folder = start; ; folder = posix.dirname(folder)) {
    const path = posix.join(folder, '.sops.yaml');
    const text = await files.readText(path);
    if (text !== undefined) {
      const parsed = parseSopsRules({ path, text });
      if (parsed.state === 'failed') throw new TkError(...parsed.failures);
      return parsed.rules;
    }
    if (folder === posix.dirname(folder)) return undefined;
  }
}

function withoutComments(path: string, documents: readonly TreeMap[]): string {
  return plainTextOf(path, documents.map(bareMap));
}

const bareMap = (map: TreeMap): TreeMap => ({
  entries: map.entries.flatMap((entry) => (entry instanceof TreeComment ? [] : [{ key: entry.key, value: bareValue(entry.value) }])),
});

function bareValue(value: TreeValue): TreeValue {
  if (Array.isArray(value)) return value.flatMap((item) => (item instanceof TreeComment ? [] : [bareValue(item)]));
  return isTreeMap(value) ? bareMap(value) : value;
}
