import { type Data, Float } from './convert.ts';
import { PythonError, valueError } from './values.ts';

/**
 * JSON text as Python's `json.load` reads it: `1` is an int of any size, `1.0` a float, and keys keep their order, which
 * `JSON.parse` gives none of. Failure: `PythonError` with line and column.
 */
export function readJson(text: string): Data {
  const token =
    /[\t\n\r ]*(?:([{}[\]:,])|("(?:[^"\\\u0000-\u001F]|\\.)*")|(-?(?:0|[1-9]\d*))(\.\d+)?([eE][+-]?\d+)?|(true|false|null|NaN|-?Infinity)|$)/y;
  let at = text.startsWith('\uFEFF') ? 1 : 0;
  const next = (): RegExpExecArray => {
    token.lastIndex = at;
    const match = token.exec(text);
    if (!match) throw unexpected(text, at);
    at = token.lastIndex;
    return match;
  };
  const string = (raw: string, start: number): string => {
    try {
      return JSON.parse(raw) as string;
    } catch {
      throw unexpected(text, start);
    }
  };
  const value = (match: RegExpExecArray): Data => {
    const [, mark, quoted, whole, fraction, exponent, word] = match;
    if (quoted !== undefined) return string(quoted, match.index);
    if (whole !== undefined)
      return fraction === undefined && exponent === undefined
        ? BigInt(whole)
        : new Float(Number(whole + (fraction ?? '') + (exponent ?? '')));
    if (word !== undefined) return words.get(word) ?? null;
    if (mark === '[') return list();
    if (mark === '{') return dict();
    throw unexpected(text, match.index);
  };
  const list = (): Data => {
    const items: Data[] = [];
    let match = next();
    if (match[1] === ']') return items;
    for (;;) {
      items.push(value(match));
      const after = next();
      if (after[1] === ']') return items;
      if (after[1] !== ',') throw unexpected(text, after.index);
      match = next();
    }
  };
  const dict = (): Data => {
    const entries = new Map<Data, Data>();
    let match = next();
    if (match[1] === '}') return entries;
    for (;;) {
      if (match[2] === undefined || next()[1] !== ':') throw unexpected(text, match.index);
      entries.set(string(match[2], match.index), value(next()));
      const after = next();
      if (after[1] === '}') return entries;
      if (after[1] !== ',') throw unexpected(text, after.index);
      match = next();
    }
  };
  try {
    const result = value(next());
    const end = next();
    if (end.index < text.length && end[0].trim() !== '') throw unexpected(text, end.index);
    return result;
  } catch (error) {
    if (error instanceof RangeError) throw new PythonError('RecursionError', 'nested too deeply');
    throw error;
  }
}

const words = new Map<string, Data>([
  ['true', true],
  ['false', false],
  ['null', null],
  ['NaN', new Float(Number.NaN)],
  ['Infinity', new Float(Infinity)],
  ['-Infinity', new Float(-Infinity)],
]);

function unexpected(text: string, at: number): PythonError {
  const blank = /^[\t\n\r ]*/.exec(text.slice(at))?.[0].length ?? 0;
  const before = text.slice(0, at + blank).split('\n');
  return valueError(`not JSON at line ${before.length} column ${(before.at(-1)?.length ?? 0) + 1}`);
}
