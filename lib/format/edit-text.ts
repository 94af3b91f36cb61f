import { yamlLibrary } from './yaml-library.ts';
import { stringifyYaml } from './stringify.ts';

/** `key: value` as it stands in a block mapping, without the last newline. */
export function entry(key: string, value: unknown): string {
  return blockText({ [key]: value });
}

/** What stands behind a key, or below it. */
export function inBlock(value: unknown): string {
  if (typeof value === 'object' && value !== null) return blockText(value);
  return blockText({ k: value }).slice('k:'.length).trimStart();
}

/** Without the last newline. */
export function blockText(value: unknown): string {
  return stringifyYaml(quotedWhereTailsCount(value)).trimEnd();
}

/** White space at either end of a block scalar is part of it, and a splice would move or lose it: such text is written in quotes. */
function quotedWhereTailsCount(value: unknown): unknown {
  if (typeof value === 'string' && value.includes('\n') && (/^\s/.test(value) || !/\S\n?$/.test(value))) {
    const scalar = new (yamlLibrary().Scalar)(value);
    scalar.type = 'QUOTE_DOUBLE';
    return scalar;
  }
  if (Array.isArray(value)) return value.map(quotedWhereTailsCount);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, quotedWhereTailsCount(part)]));
}

/** JSON is YAML inside of brackets. */
export function flow(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? Number(part) : part));
}

export function indented(text: string, columns: number, eol: string): string {
  const pad = ' '.repeat(columns);
  return text
    .split('\n')
    .map((line) => (line === '' ? line : pad + line))
    .join(eol);
}

/** Whoever wrote `'1.2'` gets `'1.3'`. */
export function inTheSameQuotes(before: string, value: string, written: string): string {
  if (/[\n\r\\'"]/.test(value) || /[^\x20-\x7e]/.test(value)) return written;
  if (before.startsWith("'")) return `'${value}'`;
  return before.startsWith('"') ? `"${value}"` : written;
}
