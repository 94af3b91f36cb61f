import { TkError } from '../../base/index.ts';
import { emitYamlTree, isTreeMap, parseExact, parseYamlTree, TreeComment, type TreeMap, type TreeValue } from '../../format/index.ts';
import { secretsFailure } from '../failures.ts';
import { flatten, unflatten } from './flatten.ts';
import { flatText } from './flat-text.ts';
import { emitIni, parseIni } from './ini.ts';
import { emitJson } from './json.ts';
import { mapTree } from './walk.ts';

export type SopsFormat = 'yaml' | 'json' | 'dotenv' | 'ini' | 'binary';

/** How many columns a level takes; absent: sops' own choice. */
export interface Indents {
  readonly yaml?: number | undefined;
  readonly json?: number | undefined;
  readonly json_binary?: number | undefined;
}

export function formatOf(path: string): SopsFormat {
  if (/\.ya?ml$/.test(path)) return 'yaml';
  if (path.endsWith('.json')) return 'json';
  if (path.endsWith('.env')) return 'dotenv';
  return path.endsWith('.ini') ? 'ini' : 'binary';
}

/** One format: plain text to documents and back, and the same with the metadata in its place. */
export interface Format {
  parsePlain(text: string, file: string): readonly TreeMap[];
  emitPlain(documents: readonly TreeMap[], file: string): string;
  /** Documents with the metadata as their `sops` key. */
  parseEncrypted(text: string, file: string): readonly TreeMap[];
  emitEncrypted(documents: readonly TreeMap[], metadata: TreeMap, file: string): string;
  /** A plain file that must not be encrypted a second time. */
  isEncrypted(documents: readonly TreeMap[]): boolean;
}

const unreadable = (file: string, format: string, line?: number) =>
  new TkError(secretsFailure('secrets/unreadable', { file, format, ...(line === undefined ? {} : { line }) }));

const hasKey = (documents: readonly TreeMap[], test: (key: string) => boolean) =>
  documents[0]?.entries.some((entry) => !(entry instanceof TreeComment) && test(entry.key)) ?? false;

const withMetadata = (documents: readonly TreeMap[], metadata: TreeValue): TreeMap[] =>
  documents.map(({ entries }) => ({ entries: [...entries, { key: 'sops', value: metadata }] }));

function yamlFormat(indent: number): Format {
  const parse = (text: string, file: string): readonly TreeMap[] => {
    const { documents, failures } = parseYamlTree({ path: file, text });
    const [first, ...rest] = failures;
    if (first) throw new TkError(first, ...rest);
    return documents;
  };
  return {
    parsePlain: parse,
    emitPlain: (documents) => emitYamlTree(documents, indent),
    parseEncrypted: parse,
    emitEncrypted: (documents, metadata) => emitYamlTree(withMetadata(documents, metadata), indent),
    isEncrypted: (documents) => hasKey(documents, (key) => key === 'sops'),
  };
}

function parseJsonTree(text: string, file: string): readonly TreeMap[] {
  try {
    const value = parseExact(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value) || hasInfinity(value)) throw unreadable(file, 'JSON');
  } catch (error) {
    if (error instanceof TkError) throw error;
    throw unreadable(file, 'JSON');
  }
  // JSON is YAML but for tabs, which stand between tokens only; the reader keeps `1.0` a float and every key in its place.
  const { documents } = parseYamlTree({ path: file, text: text.replaceAll('\t', ' ') });
  if (documents.length !== 1) throw unreadable(file, 'JSON');
  // Go reads an integer of JSON that has no place in 64 bits as a float (sops 3.13, stores/json).
  return documents.map((document) =>
    mapTree(document, (leaf) => (typeof leaf === 'bigint' && BigInt.asIntN(64, leaf) !== leaf ? Number(leaf) : leaf)),
  );
}

/** A number that no float can hold: Go refuses the file. */
const hasInfinity = (value: unknown): boolean =>
  typeof value === 'object' && value !== null ? Object.values(value).some(hasInfinity) : value === Infinity || value === -Infinity;

function jsonFormat(indent: number | undefined): Format {
  return {
    parsePlain: parseJsonTree,
    emitPlain: ([document]) => `${emitJson(document ?? { entries: [] }, indent)}\n`,
    parseEncrypted: parseJsonTree,
    emitEncrypted: (documents, metadata) => `${emitJson(withMetadata(documents, metadata)[0] ?? { entries: [] }, indent)}\n`,
    isEncrypted: (documents) => hasKey(documents, (key) => key === 'sops'),
  };
}

function binaryFormat(indent: number | undefined): Format {
  const json = jsonFormat(indent);
  return {
    ...json,
    parsePlain: (text, file) => {
      // Bytes that are no text were lost before they came here.
      if (text.includes('\uFFFD')) throw unreadable(file, 'binary');
      return [{ entries: [{ key: 'data', value: text }] }];
    },
    emitPlain: ([document], file) => {
      const data = document?.entries.find((entry) => !(entry instanceof TreeComment) && entry.key === 'data');
      if (!data || data instanceof TreeComment || typeof data.value !== 'string') throw unreadable(file, 'binary');
      return data.value;
    },
  };
}

const sopsPrefix = 'sops_';

function dotenvFormat(): Format {
  const parsePlain = (text: string, file: string): readonly TreeMap[] => {
    const entries: TreeMap['entries'] = [];
    text.split('\n').forEach((line, index) => {
      if (line === '') return;
      if (line.startsWith('#')) {
        entries.push(new TreeComment(line.slice(1), false));
        return;
      }
      const at = line.indexOf('=');
      if (at < 0) throw unreadable(file, 'dotenv', index + 1);
      entries.push({ key: line.slice(0, at), value: line.slice(at + 1).replaceAll('\\n', '\n') });
    });
    return [{ entries }];
  };
  const emitPlain = ([document]: readonly TreeMap[], file: string): string =>
    (document?.entries ?? [])
      .map((entry) => {
        if (entry instanceof TreeComment) return `#${entry.text}\n`;
        if (Array.isArray(entry.value) || isTreeMap(entry.value))
          throw new TkError(secretsFailure('secrets/bad-value', { file, at: entry.key }));
        const value = typeof entry.value === 'string' ? entry.value.replaceAll('\n', '\\n') : flatText(entry.value);
        return `${entry.key}=${value}\n`;
      })
      .join('');
  return {
    parsePlain,
    emitPlain,
    parseEncrypted: (text, file) => {
      const [document = { entries: [] }] = parsePlain(text, file);
      const isMeta = (entry: TreeMap['entries'][number]) => !(entry instanceof TreeComment) && entry.key.startsWith(sopsPrefix);
      const flat = document.entries.flatMap((entry) =>
        !(entry instanceof TreeComment) && isMeta(entry) ? [{ key: entry.key.slice(sopsPrefix.length), value: entry.value }] : [],
      );
      const rest = { entries: document.entries.filter((entry) => !isMeta(entry)) };
      if (flat.length === 0) return [rest];
      const metadata = unflatten({ entries: flat });
      if (!metadata) throw new TkError(secretsFailure('secrets/bad-metadata', { file, problem: 'sops_' }));
      return withMetadata([rest], metadata);
    },
    emitEncrypted: ([document = { entries: [] }], metadata, file) => {
      const flat = flatten(metadata).entries.map((entry) =>
        entry instanceof TreeComment ? entry : { key: sopsPrefix + entry.key, value: entry.value },
      );
      return emitPlain([{ entries: [...document.entries, ...flat] }], file);
    },
    isEncrypted: (documents) => hasKey(documents, (key) => key.startsWith(sopsPrefix)),
  };
}

function iniFormat(): Format {
  const parse = (text: string, file: string): readonly TreeMap[] => {
    const parsed = parseIni(text);
    if (typeof parsed === 'number') throw unreadable(file, 'INI', parsed);
    return [parsed];
  };
  const escape = (map: TreeMap, change: (text: string) => string): TreeMap => ({
    entries: map.entries.map((entry) =>
      entry instanceof TreeComment || typeof entry.value !== 'string' ? entry : { key: entry.key, value: change(entry.value) },
    ),
  });
  return {
    parsePlain: parse,
    emitPlain: ([document = { entries: [] }], file) => emitIni(document, file),
    parseEncrypted: (text, file) => {
      const [document = { entries: [] }] = parse(text, file);
      return [
        {
          entries: document.entries.map((entry) => {
            if (entry instanceof TreeComment || entry.key !== 'sops' || !isTreeMap(entry.value)) return entry;
            const metadata = unflatten(escape(entry.value, (value) => value.replaceAll('\\n', '\n')));
            if (!metadata) throw new TkError(secretsFailure('secrets/bad-metadata', { file, problem: 'sops' }));
            return { key: 'sops', value: metadata };
          }),
        },
      ];
    },
    emitEncrypted: (documents, metadata, file) => {
      const flat = escape(flatten(metadata), (value) => value.replaceAll('\n', '\\n'));
      return emitIni(withMetadata(documents, flat)[0] ?? { entries: [] }, file);
    },
    isEncrypted: (documents) => hasKey(documents, (key) => key === 'sops'),
  };
}

/** Source: getsops/sops stores/{yaml,json,dotenv,ini} and config.go for the default indents. */
export function formatFor(format: SopsFormat, indents: Indents): Format {
  switch (format) {
    case 'yaml':
      return yamlFormat(indents.yaml ?? 4);
    case 'json':
      return jsonFormat(indents.json);
    case 'binary':
      return binaryFormat(indents.json_binary);
    case 'dotenv':
      return dotenvFormat();
    case 'ini':
      return iniFormat();
  }
}
