import { type Failure, placeOf, type SourceFile } from '../base/index.ts';
import { type DataDocument, withoutMark } from './document.ts';
import { formatFailure } from './failures.ts';
import { type ParsedData, parseYaml } from './yaml.ts';

/**
 * Reads one JSON document. Integers that a number cannot hold are bigints. `__proto__` is an ordinary key.
 *
 * Failure: `format/syntax`, `format/duplicate-key`, `format/too-deep`.
 */
export function parseJson(source: SourceFile, options: { readonly confidential?: boolean } = {}): ParsedData {
  const file = withoutMark(source);
  let value: unknown;
  try {
    value = parseExact(file.text);
  } catch {
    const offset = errorOffset(file.text);
    const where = placeOf({ file, start: offset, end: offset + 1 });
    const { excerpt: _, ...bare } = where as Extract<typeof where, { kind: 'file' }>;
    const confidential = options.confidential === true;
    return { documents: [], failures: [formatFailure('format/syntax', { format: 'JSON' }, { where: confidential ? bare : where })] };
  }
  // JSON is YAML, and that reader knows positions. What it would rather see indented does not matter here.
  const positioned = parseYaml(file, { ...options, version: 'core' });
  const [document] = positioned.documents;
  const failures: Failure[] = positioned.failures.filter(({ code }) => code === 'format/duplicate-key' || code === 'format/too-deep');
  const documents: DataDocument[] = document ? [{ ...document, value }] : [];
  return { documents, failures };
}

/** Without positions, for text that machines wrote. Throws `SyntaxError`. */
export function parseExact(text: string): unknown {
  return JSON.parse(text, function (this: unknown, _key: string, value: unknown, context?: { source?: string }) {
    if (typeof value !== 'number' || Number.isSafeInteger(value) || context?.source === undefined) return value;
    return /^-?\d+$/.test(context.source) ? BigInt(context.source) : value;
  } as (key: string, value: unknown) => unknown);
}

const tokens =
  /[ \t\r\n]*(?:([{}[\]:,])|("(?:[^"\\\u0000-\u001F]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?|true|false|null))/y;

/** Where the text stops being JSON: V8 does not always say. */
function errorOffset(text: string): number {
  const open: string[] = [];
  let expects: 'value' | 'value-or-end' | 'key' | 'key-or-end' | 'colon' | 'comma-or-end' | 'nothing' = 'value';
  const afterValue = () => (open.length === 0 ? 'nothing' : 'comma-or-end');
  tokens.lastIndex = 0;
  for (;;) {
    const from = tokens.lastIndex;
    const match = tokens.exec(text);
    const at = match ? from + match[0].length - (match[1] ?? match[2] ?? '').length : skipBlanks(text, from);
    if (!match) return at;
    const [, mark, value] = match;
    if (value !== undefined) {
      if (expects === 'value' || expects === 'value-or-end') expects = afterValue();
      else if ((expects === 'key' || expects === 'key-or-end') && value.startsWith('"')) expects = 'colon';
      else return at;
    } else if ((mark === '{' || mark === '[') && (expects === 'value' || expects === 'value-or-end')) {
      open.push(mark);
      expects = mark === '{' ? 'key-or-end' : 'value-or-end';
    } else if (mark === '}' && open.at(-1) === '{' && (expects === 'key-or-end' || expects === 'comma-or-end')) {
      open.pop();
      expects = afterValue();
    } else if (mark === ']' && open.at(-1) === '[' && (expects === 'value-or-end' || expects === 'comma-or-end')) {
      open.pop();
      expects = afterValue();
    } else if (mark === ':' && expects === 'colon') expects = 'value';
    else if (mark === ',' && expects === 'comma-or-end') expects = open.at(-1) === '{' ? 'key' : 'value';
    else return at;
  }
}

function skipBlanks(text: string, from: number): number {
  const blanks = /^[ \t\r\n]*/.exec(text.slice(from))?.[0].length ?? 0;
  return Math.min(from + blanks, Math.max(0, text.length - 1));
}
