import { iterate, sliced, Slice } from './operators.ts';
import { formatCall } from './format.ts';
import { type BoundCall, builtin, type Parameter } from './signature.ts';
import { characters, escapeValue, textLength, textOf } from './text.ts';
import { Callable, Dict, isInteger, isText, Markup, Tuple, typeError, typeName, type Value, valueError } from './values.ts';

type Method = readonly [parameters: readonly Parameter[], run: (text: string, values: Value[], call: BoundCall) => Value];

const space = /^[\s\u001C-\u001F\u0085]+|[\s\u001C-\u001F\u0085]+$/;
const blank = '[\\s\\u001C-\\u001F\\u0085]';

function wordsOf(text: string): string[] {
  return text.split(new RegExp(`${blank}+`)).filter((word) => word !== '');
}

export function stripped(text: string, set: Value, side: 'both' | 'left' | 'right'): string {
  if (set !== null && !isText(set)) throw typeError(`strip arg must be None or str`);
  const inSet = set === null ? (character: string) => space.test(character) : (character: string) => textOf(set).includes(character);
  const all = Array.from(characters(text));
  let [start, end] = [0, all.length];
  if (side !== 'right') while (start < end && inSet(all[start] ?? '')) start += 1;
  if (side !== 'left') while (end > start && inSet(all[end - 1] ?? '')) end -= 1;
  return all.slice(start, end).join('');
}

function textArgument(value: Value, what = 'must be str'): string {
  if (!isText(value)) throw typeError(`${what}, not ${typeName(value)}`);
  return textOf(value);
}

function integer(value: Value): number {
  if (!isInteger(value)) throw typeError(`'${typeName(value)}' object cannot be interpreted as an integer`);
  return Number(value);
}

function split(text: string, separator: Value, limitValue: Value, fromRight: boolean): string[] {
  const limit = integer(limitValue);
  if (separator === null) return splitBlank(text, limit, fromRight);
  const by = textArgument(separator);
  if (by === '') throw valueError('empty separator');
  const parts = text.split(by);
  if (limit < 0 || parts.length <= limit + 1) return parts;
  return fromRight
    ? [parts.slice(0, parts.length - limit).join(by), ...parts.slice(parts.length - limit)]
    : [...parts.slice(0, limit), parts.slice(limit).join(by)];
}

function splitBlank(text: string, limit: number, fromRight: boolean): string[] {
  if (limit < 0) return wordsOf(text);
  const parts: string[] = [];
  let rest = fromRight ? stripped(text, null, 'right') : stripped(text, null, 'left');
  while (parts.length < limit && rest !== '') {
    const found = fromRight ? new RegExp(`${blank}+(?=[^\\s]+$)`).exec(rest) : new RegExp(`${blank}+`).exec(rest);
    if (!found) break;
    if (fromRight) {
      parts.unshift(rest.slice(found.index + found[0].length));
      rest = stripped(rest.slice(0, found.index), null, 'right');
    } else {
      parts.push(rest.slice(0, found.index));
      rest = rest.slice(found.index + found[0].length);
    }
  }
  if (fromRight) return rest === '' ? parts : [rest, ...parts];
  if (parts.length === limit && rest !== '') return [...parts, rest];
  return rest === '' ? parts : [...parts, stripped(rest, null, 'right')].filter((part) => part !== '');
}

export function splitLines(text: string, keepEnds: boolean): string[] {
  const lines: string[] = [];
  const ends = /\r\n|[\n\r\u000B\u000C\u001C-\u001E\u0085\u2028\u2029]/g;
  let start = 0;
  for (const match of text.matchAll(ends)) {
    lines.push(text.slice(start, keepEnds ? match.index + match[0].length : match.index));
    start = match.index + match[0].length;
  }
  if (start < text.length) lines.push(text.slice(start));
  return lines;
}

export const capitalized = (text: string): string => {
  const [first = '', ...rest] = Array.from(text);
  return (first === 'ß' ? 'Ss' : first.toUpperCase()) + rest.join('').toLowerCase();
};

/** `str.title()`: upper case after everything that is no letter. */
export const titled = (text: string): string => text.replace(/\p{L}+/gu, (word) => capitalized(word));

const isCased = (text: string) => /\p{L}/u.test(text) && text.toLowerCase() !== text.toUpperCase();

export function replaced(text: string, from: string, to: string, limit: number): string {
  if (limit < 0)
    return from === '' ? ['', ...Array.from(text)].map((character) => character + to).join('') : text.replaceAll(from, () => to);
  if (from === '') {
    const all = Array.from(text);
    return all.map((character, index) => (index < limit ? to : '') + character).join('') + (all.length < limit ? to : '');
  }
  const parts = text.split(from);
  return parts.slice(0, limit + 1).join(to) + (parts.length > limit + 1 ? from + parts.slice(limit + 1).join(from) : '');
}

export function centered(text: string, width: number, fill = ' '): string {
  const missing = width - textLength(text);
  if (missing <= 0) return text;
  // CPython puts the odd one to the left only when the width is odd.
  const left = Math.floor(missing / 2) + (missing & width & 1);
  return fill.repeat(left) + text + fill.repeat(missing - left);
}

function range(text: string, start: Value, end: Value): string {
  return sliced(text, new Slice(start, end, null)) as string;
}

function startsOrEnds(text: string, [what = null, start = null, end = null]: Value[], name: 'startsWith' | 'endsWith'): boolean {
  const part = range(text, start, end);
  if (what instanceof Tuple) return what.items.some((item) => part[name](textArgument(item)));
  if (!isText(what)) throw typeError(`${name.toLowerCase()} first arg must be str or a tuple of str, not ${typeName(what)}`);
  return part[name](textOf(what));
}

function find(text: string, [what = null, start = null, end = null]: Value[], fromRight: boolean): bigint {
  const part = range(text, start, end);
  const needle = textArgument(what);
  const at = fromRight ? part.lastIndexOf(needle) : part.indexOf(needle);
  if (at < 0) return -1n;
  const skipped = start === null ? 0 : textLength(text) - textLength(range(text, start, null));
  return BigInt(textLength(part.slice(0, at)) + skipped);
}

const where: readonly Parameter[] = ['sub', ['start', null], ['end', null]];

function every(text: string, pattern: RegExp): boolean {
  return text !== '' && Array.from(text).every((character) => pattern.test(character));
}

function partition(text: string, separator: string, at: number): Tuple {
  if (separator === '') throw valueError('empty separator');
  return new Tuple([text.slice(0, at), separator, text.slice(at + separator.length)]);
}

function padding(value: Value): string {
  const fill = textArgument(value, 'The fill character must be a unicode character');
  if (textLength(fill) !== 1) throw typeError('The fill character must be exactly one character long');
  return fill;
}

const methods: Readonly<Record<string, Method>> = {
  capitalize: [[], (text) => capitalized(text)],
  casefold: [[], (text) => text.toLowerCase().replaceAll('ß', 'ss')],
  center: [['width', ['fillchar', ' ']], (text, [width = null, fill = null]) => centered(text, integer(width), padding(fill))],
  count: [
    where,
    (text, [what = null, start = null, end = null]) => {
      const part = range(text, start, end);
      const needle = textArgument(what);
      return BigInt(needle === '' ? textLength(part) + 1 : part.split(needle).length - 1);
    },
  ],
  endswith: [['suffix', ['start', null], ['end', null]], (text, values) => startsOrEnds(text, values, 'endsWith')],
  expandtabs: [[['tabsize', 8n]], (text, [size = null]) => expandTabs(text, integer(size))],
  find: [where, (text, values) => find(text, values, false)],
  index: [where, (text, values) => found(find(text, values, false))],
  isalnum: [[], (text) => every(text, /[\p{L}\p{N}]/u)],
  isalpha: [[], (text) => every(text, /\p{L}/u)],
  isascii: [[], (text) => Array.from(text).every((character) => (character.codePointAt(0) ?? 0) < 128)],
  isdecimal: [[], (text) => every(text, /\p{Nd}/u)],
  isdigit: [[], (text) => every(text, /[\p{Nd}\u00B2\u00B3\u00B9\u2070-\u2079\u2080-\u2089]/u)],
  isidentifier: [[], (text) => /^[\p{XIDS}_][\p{XIDC}]*$/u.test(text)],
  islower: [[], (text) => isCased(text) && text === text.toLowerCase()],
  isnumeric: [[], (text) => every(text, /\p{N}/u)],
  isspace: [[], (text) => every(text, new RegExp(blank))],
  istitle: [[], (text) => isCased(text) && text === titled(text)],
  isupper: [[], (text) => isCased(text) && text === text.toUpperCase()],
  join: [['iterable'], (text, [items = null]) => joined(text, items)],
  ljust: [
    ['width', ['fillchar', ' ']],
    (text, [width = null, fill = null]) => text + padding(fill).repeat(Math.max(0, integer(width) - textLength(text))),
  ],
  lower: [[], (text) => text.toLowerCase()],
  lstrip: [[['chars', null]], (text, [set = null]) => stripped(text, set, 'left')],
  partition: [
    ['sep'],
    (text, [separator = null]) => {
      const by = textArgument(separator);
      const at = text.indexOf(by);
      return at < 0 ? new Tuple([text, '', '']) : partition(text, by, at);
    },
  ],
  removeprefix: [['prefix'], (text, [prefix = null]) => (text.startsWith(textArgument(prefix)) ? text.slice(textOf(prefix).length) : text)],
  removesuffix: [
    ['suffix'],
    (text, [suffix = null]) =>
      textOf(suffix) !== '' && text.endsWith(textArgument(suffix)) ? text.slice(0, -textOf(suffix).length) : text,
  ],
  replace: [
    ['old', 'new', ['count', -1n]],
    (text, [from = null, to = null, limit = null]) => replaced(text, textArgument(from), textArgument(to), integer(limit)),
  ],
  rfind: [where, (text, values) => find(text, values, true)],
  rindex: [where, (text, values) => found(find(text, values, true))],
  rjust: [
    ['width', ['fillchar', ' ']],
    (text, [width = null, fill = null]) => padding(fill).repeat(Math.max(0, integer(width) - textLength(text))) + text,
  ],
  rpartition: [
    ['sep'],
    (text, [separator = null]) => {
      const by = textArgument(separator);
      const at = text.lastIndexOf(by);
      return at < 0 ? new Tuple(['', '', text]) : partition(text, by, at);
    },
  ],
  rsplit: [
    [
      ['sep', null],
      ['maxsplit', -1n],
    ],
    (text, [separator = null, limit = null]) => split(text, separator, limit, true),
  ],
  rstrip: [[['chars', null]], (text, [set = null]) => stripped(text, set, 'right')],
  split: [
    [
      ['sep', null],
      ['maxsplit', -1n],
    ],
    (text, [separator = null, limit = null]) => split(text, separator, limit, false),
  ],
  splitlines: [[['keepends', false]], (text, [keep = null]) => splitLines(text, keep === true || keep === 1n)],
  startswith: [['prefix', ['start', null], ['end', null]], (text, values) => startsOrEnds(text, values, 'startsWith')],
  strip: [[['chars', null]], (text, [set = null]) => stripped(text, set, 'both')],
  swapcase: [
    [],
    (text) =>
      Array.from(text, (character) => (character === character.toUpperCase() ? character.toLowerCase() : character.toUpperCase())).join(''),
  ],
  title: [[], (text) => titled(text)],
  translate: [['table'], (text, [table = null]) => translated(text, table)],
  upper: [[], (text) => text.toUpperCase()],
  zfill: [
    ['width'],
    (text, [width = null]) => {
      const [, sign = '', rest = ''] = /^([+-]?)(.*)$/s.exec(text) ?? [];
      return sign + '0'.repeat(Math.max(0, integer(width) - textLength(text))) + rest;
    },
  ],
};

function found(at: bigint): bigint {
  if (at < 0n) throw valueError('substring not found');
  return at;
}

function joined(by: string, items: Value): string {
  return Array.from(iterate(items), (item, index) => {
    if (!isText(item)) throw typeError(`sequence item ${index}: expected str instance, ${typeName(item)} found`);
    return textOf(item);
  }).join(by);
}

function expandTabs(text: string, size: number): string {
  let column = 0;
  return Array.from(text, (character) => {
    if (character === '\t') {
      const width = size > 0 ? size - (column % size) : 0;
      column += width;
      return ' '.repeat(width);
    }
    column = character === '\n' || character === '\r' ? 0 : column + 1;
    return character;
  }).join('');
}

function translated(text: string, table: Value): string {
  if (!(table instanceof Dict)) throw typeError(`'${typeName(table)}' object is not subscriptable`);
  return Array.from(text, (character) => {
    const to = table.get(BigInt(character.codePointAt(0) ?? 0));
    if (to === undefined) return character;
    return to === null ? '' : isInteger(to) ? String.fromCodePoint(Number(to)) : textOf(to);
  }).join('');
}

/** A method of `str`, bound to the text. Methods of markup give markup. */
export function stringMethod(
  value: string | Markup,
  name: string,
  attribute: (object: Value, name: string) => Value | undefined,
): Callable | undefined {
  const text = textOf(value);
  const asGiven = (result: Value): Value => (value instanceof Markup && typeof result === 'string' ? new Markup(result) : result);
  if (name === 'format') return new Callable(name, 'builtin', (args) => asGiven(formatCall(text, args, attribute)));
  if (name === 'format_map') {
    return builtin(name, ['mapping'], ([mapping = null]) =>
      formatCall(
        text,
        { positional: [], named: new Map(mapping instanceof Dict ? mapping.entries().map(([key, item]) => [textOf(key), item]) : []) },
        attribute,
      ),
    );
  }
  if (name === 'encode') return undefined;
  const method = Object.hasOwn(methods, name) ? methods[name] : undefined;
  if (!method) return undefined;
  return builtin(name, method[0], (values, call) => {
    const safe =
      value instanceof Markup
        ? values.map((item) => (typeof item === 'string' && name !== 'split' ? escapeValue(item).text : item))
        : values;
    return asGiven(method[1](text, safe, call));
  });
}
