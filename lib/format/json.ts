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
  } catch (error) {
    const offset = offsetOf(error, file.text);
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

/** V8 says "at position 12"; without it the text ended too early. */
function offsetOf(error: unknown, text: string): number {
  const position = /at position (\d+)/.exec(error instanceof Error ? error.message : '')?.[1];
  return Math.min(position === undefined ? Math.max(0, text.trimEnd().length - 1) : Number(position), text.length);
}
