import { TkError } from '../../base/index.ts';
import { isTreeMap, TreeComment, type TreeList, type TreeMap, TreeTime, type TreeValue } from '../../format/index.ts';
import { secretsFailure } from '../failures.ts';
import { defaultSelection, type Selection, selectionKeys } from './selection.ts';

/** The `sops` block of a file. */
export interface Metadata {
  readonly age: readonly { readonly recipient: string; readonly enc: string }[];
  /** Kinds of keys that only the sops program can use. */
  readonly otherKeys: readonly string[];
  readonly lastmodified: string;
  readonly mac: string;
  readonly macOnlyEncrypted: boolean;
  readonly selection: Selection;
  readonly version: string;
}

/** The newest version whose format we write. */
export const sopsVersion = '3.13.3';

const keyKinds = ['kms', 'gcp_kms', 'azure_kv', 'hc_vault', 'hckms', 'pgp', 'key_groups'];

function field(map: TreeMap, name: string): TreeValue | undefined {
  for (const entry of map.entries) if (!(entry instanceof TreeComment) && entry.key === name) return entry.value;
  return undefined;
}

function textField(map: TreeMap, name: string): string | undefined {
  const value = field(map, name);
  if (value === undefined || value === null || typeof value === 'object') return value instanceof TreeTime ? value.text : undefined;
  return String(value);
}

/** Failure: `secrets/not-encrypted`, `secrets/bad-metadata`. */
export function parseMetadata(map: TreeMap, file: string): Metadata {
  const bad = (problem: string) => new TkError(secretsFailure('secrets/bad-metadata', { file, problem }));
  const lastmodified = textField(map, 'lastmodified');
  if (lastmodified === undefined || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/.test(lastmodified)) throw bad('lastmodified');
  const groups = field(map, 'age') ?? [];
  if (!Array.isArray(groups)) throw bad('age');
  const age = groups
    .filter((item) => !(item instanceof TreeComment) && isTreeMap(item))
    .map((item) => {
      const [recipient, enc] = [textField(item as TreeMap, 'recipient'), textField(item as TreeMap, 'enc')];
      if (recipient === undefined || enc === undefined) throw bad('age');
      return { recipient, enc };
    });
  const given = selectionKeys.filter((key) => (textField(map, key) ?? '') !== '');
  if (given.length > 1) throw bad(given.join(', '));
  const selection: Selection = given[0] ? { [given[0]]: textField(map, given[0]) } : defaultSelection;
  return {
    age,
    otherKeys: keyKinds.filter((kind) => ((field(map, kind) as TreeList | undefined)?.length ?? 0) > 0),
    lastmodified: lastmodified.replace(/\.\d+(?=Z|[-+])/, ''),
    mac: textField(map, 'mac') ?? '',
    macOnlyEncrypted: String(field(map, 'mac_only_encrypted') ?? 'false').toLowerCase() === 'true',
    selection,
    version: textField(map, 'version') ?? '',
  };
}

/** Keys in alphabetical order, as sops 3.13 writes them. */
export function metadataTree(metadata: Metadata): TreeMap {
  const entries: TreeMap['entries'] = [
    {
      key: 'age',
      value: metadata.age.map(({ recipient, enc }) => ({
        entries: [
          { key: 'enc', value: enc },
          { key: 'recipient', value: recipient },
        ],
      })),
    },
    { key: 'lastmodified', value: metadata.lastmodified },
    { key: 'mac', value: metadata.mac },
  ];
  if (metadata.macOnlyEncrypted) entries.push({ key: 'mac_only_encrypted', value: true });
  for (const key of selectionKeys) if (metadata.selection[key]) entries.push({ key, value: metadata.selection[key] });
  entries.push({ key: 'version', value: metadata.version });
  const name = (entry: TreeMap['entries'][number]) => (entry instanceof TreeComment ? '' : entry.key);
  return { entries: entries.sort((a, b) => (name(a) < name(b) ? -1 : 1)) };
}

/** Takes the metadata out of the documents. Failure: `secrets/not-encrypted`, `secrets/bad-metadata`. */
export function extractMetadata(
  documents: readonly TreeMap[],
  file: string,
): { readonly documents: readonly TreeMap[]; readonly metadata: Metadata } {
  const [first] = documents;
  const block = first && field(first, 'sops');
  if (block === undefined || block === null) throw new TkError(secretsFailure('secrets/not-encrypted', { file }));
  if (Array.isArray(block) || !isTreeMap(block)) throw new TkError(secretsFailure('secrets/bad-metadata', { file, problem: 'sops' }));
  const rest = documents.map(({ entries }) => ({
    entries: entries.filter((entry) => entry instanceof TreeComment || entry.key !== 'sops'),
  }));
  return { documents: rest, metadata: parseMetadata(block, file) };
}
