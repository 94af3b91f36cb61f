import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, inflateSync } from 'node:zlib';
import { parseYamlBulk } from '../../lib/format/index.ts';

/** A key that must not turn up, by the name under which a hit is told. */
export interface Canary {
  readonly name: string;
  readonly value: string;
}

/** Something that a run printed or wrote. */
export interface Output {
  readonly where: string;
  readonly bytes: Uint8Array;
}

export interface Hit {
  readonly where: string;
  readonly canary: string;
  readonly encoding: string;
}

/** Enough of a long key to know it by, short enough for one line of a folded one. */
const longestNeedle = 48;
const shortestCanary = 12;

/** Base64 of a value at the three places where it may begin in what was encoded; the characters that depend on its neighbours cut off. */
function base64At(value: Buffer, offset: 0 | 1 | 2): string {
  const padded = Buffer.concat([Buffer.alloc(offset), value]);
  const text = padded.toString('base64').replaceAll('=', '');
  const from = Math.ceil((offset * 8) / 6);
  const whole = Math.floor((padded.length * 8) / 6);
  return text.slice(from, whole);
}

const url = (text: string): string => text.replaceAll('+', '-').replaceAll('/', '_');
const escaped = (text: string, of: (code: number) => string): string =>
  Array.from(text, (character) => of(character.codePointAt(0) ?? 0)).join('');
const two = (code: number): string => code.toString(16).padStart(2, '0');

/** The ways in which a key may be written down. Compressed data is opened before it is searched. */
export const encodings: Readonly<Record<string, (value: string) => string>> = {
  plain: (value) => value,
  'base64, first place': (value) => base64At(Buffer.from(value), 0),
  'base64, second place': (value) => base64At(Buffer.from(value), 1),
  'base64, third place': (value) => base64At(Buffer.from(value), 2),
  'base64url, first place': (value) => url(base64At(Buffer.from(value), 0)),
  'base64url, second place': (value) => url(base64At(Buffer.from(value), 1)),
  'base64url, third place': (value) => url(base64At(Buffer.from(value), 2)),
  'hex, lower case': (value) => Buffer.from(value).toString('hex'),
  'hex, upper case': (value) => Buffer.from(value).toString('hex').toUpperCase(),
  'of an address': (value) => encodeURIComponent(value),
  'JSON escapes': (value) => escaped(value, (code) => `\\u00${two(code)}`),
  'YAML escapes': (value) => escaped(value, (code) => `\\x${two(code)}`),
  'quoted twice': (value) => JSON.stringify(JSON.stringify(value)).slice(3, -3),
  reversed: (value) => [...value].reverse().join(''),
};

interface Needle {
  readonly canary: string;
  readonly encoding: string;
  readonly text: string;
}

/** One text for each way; ways that come to the same are looked for once. */
function needlesOf(canaries: readonly Canary[]): readonly Needle[] {
  const seen = new Set<string>();
  return canaries
    .filter(({ value }) => value.length >= shortestCanary)
    .flatMap(({ name, value }) =>
      Object.entries(encodings).map(([encoding, encode]) => ({ canary: name, encoding, text: encode(value.slice(0, longestNeedle)) })),
    )
    .filter(({ text }) => text.length >= shortestCanary && !seen.has(text) && seen.add(text));
}

/** Where canaries stand in outputs, also inside of what is compressed. Empty is what a test wants. */
export function findCanaries(canaries: readonly Canary[], outputs: readonly Output[]): readonly Hit[] {
  const needles = needlesOf(canaries);
  const hits: Hit[] = [];
  for (const { where, bytes } of outputs) {
    for (const [layer, content] of layersOf(bytes, 'as it is', 3)) {
      const text = Buffer.from(content).toString('latin1');
      // A folded or indented block has line breaks within a key.
      const joined = text.replaceAll(/\\n|[\s"]+/g, '');
      for (const { canary, encoding, text: needle } of needles)
        if (text.includes(needle) || joined.includes(needle))
          hits.push({ where, canary, encoding: layer === 'as it is' ? encoding : `${encoding}, ${layer}` });
    }
  }
  return hits;
}

/** What is compressed in it, however it is written down: as bytes, or as base64 in a text. */
function* layersOf(bytes: Uint8Array, name: string, depth: number): Generator<readonly [layer: string, content: Uint8Array]> {
  yield [name, bytes];
  if (depth === 0) return;
  for (let at = Buffer.from(bytes).indexOf('1f8b08', 0, 'hex'); at !== -1; at = Buffer.from(bytes).indexOf('1f8b08', at + 1, 'hex')) {
    const content = opened(gunzipSync, bytes.subarray(at));
    if (content) yield* layersOf(content, 'in gzip', depth - 1);
  }
  // gzip and zlib begin so in base64; a release of Helm is that, twice.
  for (const [text = ''] of Buffer.from(bytes)
    .toString('latin1')
    .matchAll(/(?:H4sI|eJ[wyz]|eNo|SDRzS)[A-Za-z0-9+/_-]{24,}={0,2}/g)) {
    const raw = Buffer.from(text, 'base64');
    const content = opened(gunzipSync, raw) ?? opened(inflateSync, raw) ?? (text.startsWith('SDRzS') ? raw : undefined);
    if (content) yield* layersOf(content, 'in base64 of gzip', depth - 1);
  }
}

function opened(
  open: (bytes: Uint8Array, options: { maxOutputLength: number; finishFlush?: number }) => Buffer,
  bytes: Uint8Array,
): Buffer | undefined {
  try {
    return open(bytes, { maxOutputLength: 64 * 1024 * 1024 });
  } catch {
    return undefined;
  }
}

const keyName = /(?:token|secret|password|passphrase|privatekey|presharedkey|^key|-key-data)$/i;

/** Every key in a text of YAML: a machine config, a talosconfig, a kubeconfig, a bundle of secrets. PEM is told by its body. */
export function canariesIn(name: string, text: string): readonly Canary[] {
  const found = new Map<string, Canary>();
  const add = (path: string, value: string) => {
    const decoded = /^[A-Za-z0-9+/=]{40,}$/.test(value) ? Buffer.from(value, 'base64').toString('utf8') : '';
    const pem = value.includes('PRIVATE KEY') ? value : decoded.includes('PRIVATE KEY') ? decoded : undefined;
    const body = pem === undefined ? value : (pem.split('\n').find((line) => line.length >= shortestCanary && !line.startsWith('-')) ?? '');
    // Every key of a kind begins with the same header: what tells them apart comes after it.
    const own = pem === undefined ? body : body.slice(-longestNeedle);
    if (own.length >= shortestCanary) found.set(own, { name: `${name} ${path}`, value: own });
  };
  const walk = (value: unknown, path: string, isKey: boolean): void => {
    if (typeof value === 'string' && (isKey || value.includes('PRIVATE KEY'))) add(path, value);
    else if (Array.isArray(value)) for (const item of value) walk(item, path, isKey);
    else if (typeof value === 'object' && value !== null)
      for (const [key, part] of Object.entries(value)) walk(part, `${path}.${key}`, keyName.test(key));
  };
  for (const document of parseYamlBulk(text)) walk(document, '', false);
  return [...found.values()];
}

/** Every file below a folder, as something that a run wrote. */
export function outputsBelow(folder: string): readonly Output[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ where: path, bytes: readFileSync(path) }));
}

/** The keys in the machine configs and credentials below a folder. */
export function canariesBelow(folder: string): readonly Canary[] {
  return outputsBelow(folder)
    .filter(({ where }) => /(?:\/clusterconfig\/[^/]+\.ya?ml|\/talosconfig|\/kubeconfig)$/.test(where))
    .flatMap(({ where, bytes }) => canariesIn(where.split('/').at(-1) ?? where, Buffer.from(bytes).toString('utf8')));
}
