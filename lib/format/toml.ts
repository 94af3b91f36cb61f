import { parse, TomlDate, TomlError } from 'smol-toml';
import { placeOf, type SourceFile, type Span } from '../base/index.ts';
import { type DataDocument, type DataPath, withoutMark } from './document.ts';
import { formatFailure } from './failures.ts';
import { resolveScalar } from './scalar.ts';
import type { ParsedData } from './yaml.ts';

/**
 * Reads a TOML file. Dates are text; integers that a number cannot hold are bigints.
 *
 * Positions are those of the line that sets a key, also inside of inline tables.
 * Failure: `format/syntax`.
 */
export function parseToml(source: SourceFile): ParsedData {
  const file = withoutMark(source);
  try {
    const value = withoutDates(parse(file.text, { integersAsBigInt: 'asNeeded' }));
    return { documents: [tomlDocument(file, value)], failures: [] };
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const lines = file.text.split('\n').slice(0, error.line - 1);
    const start = Math.min(file.text.length, lines.reduce((offset, line) => offset + line.length + 1, 0) + error.column - 1);
    // The reader's first line is its reason, the rest is the excerpt that we make ourselves.
    const problem = error.message.split('\n')[0]?.replace(/^Invalid TOML document: /, '') ?? '';
    const where = placeOf({ file, start, end: start + 1 });
    return { documents: [], failures: [formatFailure('format/syntax', { format: 'TOML', problem }, { where })] };
  }
}

function withoutDates(value: unknown): unknown {
  if (value instanceof TomlDate) return value.toISOString();
  if (Array.isArray(value)) return value.map(withoutDates);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, withoutDates(part)]));
  }
  return value;
}

interface Line {
  readonly path: DataPath;
  readonly key: Span;
  readonly value: Span;
}

function tomlDocument(file: SourceFile, value: unknown): DataDocument {
  const lines = linesOf(file);
  const nearest = (path: DataPath): { line?: Line; exact: boolean } => {
    for (let length = path.length; length > 0; length -= 1) {
      const wanted = JSON.stringify(path.slice(0, length));
      const line = lines.find((candidate) => JSON.stringify(candidate.path) === wanted);
      if (line) return { line, exact: length === path.length };
    }
    return { exact: false };
  };
  const at = (path: DataPath): unknown =>
    path.reduce<unknown>(
      (parent, part) =>
        typeof parent === 'object' && parent !== null && Object.hasOwn(parent, part)
          ? (parent as Record<string | number, unknown>)[part]
          : undefined,
      value,
    );
  return {
    file,
    source: { file, start: 0, end: file.text.length },
    value,
    has: (path) => at(path) !== undefined,
    spanOf(path, part = 'value') {
      const { line, exact } = nearest(path);
      if (!line) return { file, start: 0, end: Math.max(0, file.text.indexOf('\n')) };
      return exact && part === 'value' ? line.value : line.key;
    },
    scalarAt(path) {
      const found = at(path);
      if (found === undefined || (typeof found === 'object' && found !== null)) return undefined;
      const text = String(found);
      return typeof found === 'string'
        ? { text, style: 'quoted', kind: 'string' }
        : { text, style: 'plain', kind: resolveScalar(text, 'core').kind };
    },
  };
}

/** Table headers and `key = value` lines. A table of `[[nodes]]` has the path `['nodes', 2]`. */
function linesOf(file: SourceFile): Line[] {
  const lines: Line[] = [];
  const counts = new Map<string, number>();
  let table: (string | number)[] = [];
  for (const match of file.text.matchAll(
    /^[ \t]*(?:(\[\[?)[ \t]*([^\]\n]+?)[ \t]*\]\]?|((?:[\w-]+|"[^"\n]*"|'[^'\n]*')(?:[ \t]*\.[ \t]*(?:[\w-]+|"[^"\n]*"|'[^'\n]*'))*)[ \t]*=[ \t]*([^\r\n]*))/gm,
  )) {
    const [whole, bracket, header, keys, written] = match;
    if (bracket !== undefined && header !== undefined) {
      table = elementOf(keysOf(header), counts);
      if (bracket === '[[') {
        const name = JSON.stringify(table);
        const index = counts.get(name) ?? 0;
        counts.set(name, index + 1);
        table = [...table, index];
      }
      const start = match.index + whole.indexOf(header);
      const span = { file, start, end: start + header.length };
      lines.push({ path: table, key: span, value: span });
    } else if (keys !== undefined) {
      const start = match.index + whole.indexOf(keys);
      const text = (written ?? '').replace(/[ \t]+#[^"']*$/, '').trimEnd();
      const valueStart = match.index + whole.length - (written ?? '').length;
      lines.push({
        path: [...table, ...keysOf(keys)],
        key: { file, start, end: start + keys.length },
        value: { file, start: valueStart, end: valueStart + Math.max(1, text.length) },
      });
    }
  }
  return lines;
}

/** `[nodes.network]` below `[[nodes]]` belongs to the last node. */
function elementOf(keys: readonly string[], counts: ReadonlyMap<string, number>): (string | number)[] {
  const path: (string | number)[] = [];
  for (const [index, key] of keys.entries()) {
    path.push(key);
    const length = counts.get(JSON.stringify(path));
    if (length !== undefined && index < keys.length - 1) path.push(length - 1);
  }
  return path;
}

function keysOf(dotted: string): string[] {
  return [...dotted.matchAll(/"([^"]*)"|'([^']*)'|([\w-]+)/g)].map((match) => match[1] ?? match[2] ?? match[3] ?? '');
}
