import { type Failure, lineStarts, type Place, placeOf, type SourceFile, type Span, suggestionFor } from '../base/index.ts';
import { type DataDocument, type DataPath, formatPath, goFloat, goTime } from '../format/index.ts';
import { removedTalconfigKeys, type SchemaType } from '../upstream/tables.ts';
import { talconfigFailure } from './talconfig-failures.ts';
import type { Substituted } from './talconfig-envsubst.ts';

export type Plain = string | number | bigint | boolean | null | Plain[] | { [key: string]: Plain };
export type PlainMap = { [key: string]: Plain };

/** A talconfig as it was read, and the way back to the places in the file. */
export interface TalconfigSource {
  readonly original: SourceFile;
  readonly substituted: Substituted;
  readonly document: DataDocument;
}

/** Where a part of the file was written, in the file as the user sees it. A line that holds a filled-in variable is shown as written. */
export function placeIn(source: TalconfigSource, path: DataPath, part: 'key' | 'value'): Place {
  return originalPlace(source, placeOf(source.document.spanOf(path, part)));
}

export function originalPlace(source: Pick<TalconfigSource, 'original' | 'substituted'>, place: Place): Place {
  if (place.kind !== 'file') return place;
  const mapped = source.substituted.lines[place.line - 1];
  if (!mapped) return place;
  const text = linesOf(source.original)[mapped.line]?.replace(/\r$/, '') ?? '';
  const column = mapped.asWritten ? place.column : Math.max(1, text.search(/\S/) + 1);
  const length = mapped.asWritten
    ? Math.max(1, Math.min(place.excerpt?.length ?? 1, text.length - column + 1))
    : Math.max(1, text.trim().length);
  return { kind: 'file', path: source.original.path, line: mapped.line + 1, column, excerpt: { text, length } };
}

/** What a message may quote: not the value of a variable, which may be a secret. */
export function quotable(source: TalconfigSource, path: DataPath, value: string): string {
  const place = placeOf(source.document.spanOf(path, 'value'));
  const isAsWritten = place.kind !== 'file' || (source.substituted.lines[place.line - 1]?.asWritten ?? true);
  return isAsWritten ? value : 'a value from the environment';
}

const splitTexts = new WeakMap<SourceFile, readonly string[]>();

/** Every node asks for its place: the text is cut into lines once. */
function linesOf(file: SourceFile): readonly string[] {
  let lines = splitTexts.get(file);
  if (!lines) {
    lines = file.text.split('\n');
    splitTexts.set(file, lines);
  }
  return lines;
}

/** The same as a range of the file, which is looked for when somebody asks: each node has one, and nearly none is told. */
export function spanIn(source: TalconfigSource, path: DataPath, part: 'key' | 'value'): Span {
  let known: { readonly start: number; readonly end: number } | undefined;
  const range = () => (known ??= rangeOf(source, placeIn(source, path, part)));
  return {
    file: source.original,
    get start() {
      return range().start;
    },
    get end() {
      return range().end;
    },
  };
}

function rangeOf({ original }: TalconfigSource, place: Place): { readonly start: number; readonly end: number } {
  if (place.kind !== 'file') return { start: 0, end: 1 };
  const start = (lineStarts(original)[place.line - 1] ?? original.text.length) + place.column - 1;
  return { start, end: start + (place.excerpt?.length ?? 1) };
}

/**
 * Reads the whole file by the schema: shapes, unknown keys, and text where text is meant. Absent and null keys are left out.
 *
 * A key that resembles a known one, or that an older version had, is a failure: whoever wrote it meant something by it. Any other
 * unknown key is a warning; one that only holds an anchor for the rest of the file, or whose name begins with `x-`, is nothing at all.
 */
export function readBySchema(source: TalconfigSource, type: SchemaType, failures: Failure[], warnings: Failure[]): PlainMap {
  const { document } = source;
  /** Where reading has come to: one list for all keys. */
  const path: (string | number)[] = [];
  const wrongType = (what: string, value: unknown): undefined => {
    failures.push(
      talconfigFailure(
        'talconfig/wrong-type',
        { path: formatPath(path), expected: what, found: foundType(value) },
        { where: placeIn(source, path, 'value') },
      ),
    );
    return undefined;
  };
  const below = (part: string | number, expected: SchemaType, value: unknown): Plain | undefined => {
    path.push(part);
    const read = walk(expected, value);
    path.pop();
    return read;
  };
  const walk = (expected: SchemaType, value: unknown): Plain | undefined => {
    const wrong = (what: string) => wrongType(what, value);
    if (value === null || value === undefined) return undefined;
    switch (expected.is) {
      case 'pointer':
        return walk(expected.to, value);
      case 'any':
        return value as Plain;
      case 'struct': {
        if (!isPlainMap(value)) return wrong('a mapping');
        const result: PlainMap = {};
        for (const key of Object.keys(value)) {
          const field = expected.byName.get(key);
          if (!field) {
            nameUnknownKey(key, expected, [...path, key]);
            continue;
          }
          const child = value[key];
          const isText = typeof child === 'string' && field.type.is === 'scalar' && field.type.go === 'string' && !startsAsTime(child);
          const read = isText ? child : below(key, field.type, child);
          if (read !== undefined) result[key] = read;
        }
        return result;
      }
      case 'map': {
        if (!isPlainMap(value)) return wrong('a mapping');
        const result: PlainMap = {};
        for (const [key, child] of Object.entries(value)) result[key] = child === null ? '' : (below(key, expected.of, child) ?? '');
        return result;
      }
      case 'list': {
        if (!Array.isArray(value)) return wrong('a list');
        return value.flatMap((item: unknown, index) => below(index, expected.of, item) ?? []);
      }
      case 'enum':
        if (typeof value === 'object') return wrong('a text');
        return typeof value === 'string' ? value : (document.scalarAt(path)?.text ?? String(value));
      case 'scalar':
        return readScalar(expected.go, value, wrong);
    }
  };
  const readScalar = (go: string, value: unknown, wrong: (what: string) => undefined): Plain | undefined => {
    if (typeof value === 'object') return wrong(go === 'bool' ? 'true or false' : 'a text');
    if (go === 'bool') {
      if (typeof value === 'boolean') return value;
      const word = String(value);
      if (['y', 'Y', 'yes', 'on'].includes(word)) return true;
      return ['n', 'N', 'no', 'off'].includes(word) ? false : wrong('true or false');
    }
    if (/^u?int\d*$|FileMode$/.test(go)) return typeof value === 'number' || typeof value === 'bigint' ? value : wrong('a number');
    if (go.endsWith('PortRange') && typeof value !== 'string') return value as Plain;
    const mayBeTime = typeof value === 'string' && startsAsTime(value);
    return remarshalled(value as string | number | bigint | boolean, mayBeTime ? document.scalarAt(path)?.kind : undefined);
  };
  const nameUnknownKey = (key: string, expected: SchemaType & { is: 'struct' }, found: DataPath): void => {
    if (key.startsWith('x-') || holdsAnchor(document, found)) return;
    const where = { where: placeIn(source, found, 'key') };
    const removed = expected.go.startsWith('talconfig.') ? removedTalconfigKeys[key] : undefined;
    if (removed !== undefined) {
      failures.push(talconfigFailure('talconfig/removed-key', { key, replacement: removed }, where));
      return;
    }
    const suggestion = suggestionFor(key, expected.byName.keys());
    const at = formatPath(path);
    if (suggestion === undefined) warnings.push(talconfigFailure('talconfig/unknown-key', { key, at }, where));
    else failures.push(talconfigFailure('talconfig/unknown-key', { key, at, suggestion }, where));
  };
  return (walk(type, document.value) as PlainMap | undefined) ?? {};
}

const startsAsTime = (text: string): boolean => /^\d{4}-/.test(text);

/**
 * The text of a scalar where text is meant. talhelper decodes and writes the file once before it reads it, so that a number without quotes
 * has lost its spelling by then: `0123` is 83, `1.10` is 1.1.
 *
 * Source: talhelper pkg/substitute/pathsubst.go; yaml.v3 encode.go
 */
function remarshalled(value: string | number | bigint | boolean, kind: string | undefined): string {
  if (typeof value === 'number' && !Number.isInteger(value)) return goFloat(value);
  if (typeof value === 'string' && kind === 'timestamp') return goTime(value);
  return String(value);
}

/** Whether the value of a key is there for aliases elsewhere in the file. */
function holdsAnchor(document: DataDocument, path: DataPath): boolean {
  const { file, end } = document.spanOf(path, 'key');
  const anchor = /^["']?[ \t]*:[ \t]*&([^\s,[\]{}]+)/.exec(file.text.slice(end, end + 200))?.[1];
  return anchor !== undefined && file.text.includes(`*${anchor}`);
}

export function isPlainMap(value: unknown): value is PlainMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function foundType(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  return typeof value === 'string' ? 'a text' : typeof value === 'boolean' ? 'true or false' : 'a number';
}
