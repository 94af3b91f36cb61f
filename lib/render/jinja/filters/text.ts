import { percentFormat } from '../../python/format.ts';
import { iterate, isIterable, isTrue, lengthOf, listOf } from '../../python/operators.ts';
import { capitalized, centered, replaced, splitLines, stripped } from '../../python/strings.ts';
import { toFloat } from '../../python/numbers.ts';
import { characters, escapeHtml, escapeValue, quoted, textLength, textOf } from '../../python/text.ts';
import {
  Dict,
  isInteger,
  isText,
  Markup,
  PythonError,
  Tuple,
  typeError,
  typeName,
  Undefined,
  type Value,
  valueError,
} from '../../python/values.ts';
import { toFixedHalfEven } from '../../python/numbers.ts';
import { type Applied, unpack } from '../environment.ts';
import { argumentError, filter, onText, softText } from './define.ts';
import { wrapLine } from './wordwrap.ts';

const size = (value: Value): number => {
  if (!isInteger(value)) throw typeError(`'${typeName(value)}' object cannot be interpreted as an integer`);
  return Number(value);
};

const firstCharacters = (text: string, count: number) =>
  Array.from(characters(text))
    .slice(0, count < 0 ? textLength(text) + count : count)
    .join('');

/** `title` of Jinja: words begin after spaces, hyphens and opening brackets. */
const titled = (text: string) =>
  text
    .split(/([-\s({[<]+)/)
    .filter((part) => part !== '')
    .map(capitalizeFirst)
    .join('');

function capitalizeFirst(part: string): string {
  const [first = '', ...rest] = Array.from(part);
  return first.toUpperCase() + rest.join('').toLowerCase();
}

export function indented(text: string, indention: string, first: boolean, blank: boolean): string {
  const lines = splitLines(`${text}\n`, false);
  const body = blank
    ? lines.join(`\n${indention}`)
    : [lines[0], ...lines.slice(1).map((line) => (line === '' ? line : indention + line))].join('\n');
  return first ? indention + body : body;
}

const decimalUnits = ['kB', 'MB', 'GB', 'TB', 'PB', 'EB', 'ZB', 'YB'];

export function fileSize(bytes: number, binary: boolean): string {
  const base = binary ? 1024 : 1000;
  if (bytes === 1) return '1 Byte';
  if (bytes < base) return `${Math.trunc(bytes)} Bytes`;
  const place = decimalUnits.findIndex((_, index) => bytes < base ** (index + 2));
  const index = place < 0 ? decimalUnits.length - 1 : place;
  const unit = decimalUnits[index] ?? '';
  return `${toFixedHalfEven((base * bytes) / base ** (index + 2), 1)} ${binary ? `${unit[0]?.toUpperCase()}iB` : unit}`;
}

function truncated(text: string, length: number, killWords: boolean, end: string, leeway: number): string {
  const room = length - textLength(end);
  if (room < 0) throw new PythonError('AssertionError', `expected length >= ${textLength(end)}, got ${length}`);
  if (leeway < 0) throw new PythonError('AssertionError', `expected leeway >= 0, got ${leeway}`);
  if (textLength(text) <= length + leeway) return text;
  const cut = firstCharacters(text, room);
  if (killWords) return cut + end;
  const space = cut.lastIndexOf(' ');
  return (space < 0 ? cut : cut.slice(0, space)) + end;
}

const unreserved = /[A-Za-z0-9_.~-]/;

export function quoteUrl(value: Value, inQuery = false): string {
  const text = isText(value) ? textOf(value) : textOf(value);
  let result = '';
  for (const byte of new TextEncoder().encode(text)) {
    const character = String.fromCharCode(byte);
    if (unreserved.test(character) || (character === '/' && !inQuery)) result += character;
    else result += inQuery && character === ' ' ? '+' : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return result;
}

export function encodeUrl(value: Value): string {
  if (isText(value) || !isIterable(value)) return quoteUrl(value);
  const pairs = value instanceof Dict ? value.entries() : Array.from(iterate(value), (item) => unpack(listOf(item), 2) as [Value, Value]);
  return pairs.map(([key, item]) => `${quoteUrl(key, true)}=${quoteUrl(item, true)}`).join('&');
}

const entities: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: '\u00A0',
  copy: '©',
  reg: '®',
  hellip: '…',
  mdash: '—',
  ndash: '–',
  laquo: '«',
  raquo: '»',
  euro: '€',
  szlig: 'ß',
  auml: 'ä',
  ouml: 'ö',
  uuml: 'ü',
  eacute: 'é',
  egrave: 'è',
};

/** Tags and comments go, white space folds, entities become characters. */
export function withoutTags(text: string): string {
  let rest = text;
  for (const [open, close] of [
    ['<!--', '-->'],
    ['<', '>'],
  ] as const) {
    for (let start = rest.indexOf(open); start >= 0; start = rest.indexOf(open)) {
      const end = rest.indexOf(close, start);
      if (end < 0) break;
      rest = rest.slice(0, start) + rest.slice(end + close.length);
    }
  }
  return rest
    .split(/\s+/)
    .filter((word) => word !== '')
    .join(' ')
    .replace(/&(?:#(\d+)|#x([0-9a-f]+)|([a-z]+));/gi, (match, decimal, hexadecimal, word) => {
      if (word !== undefined) return Object.hasOwn(entities, word) ? (entities[word] ?? match) : match;
      const code = decimal === undefined ? Number.parseInt(hexadecimal, 16) : Number(decimal);
      return code <= 0x10ffff ? String.fromCodePoint(code) : '\uFFFD';
    });
}

function attributes(value: Value): string {
  if (!(value instanceof Dict)) throw new PythonError('AttributeError', `'${typeName(value)}' object has no attribute 'items'`);
  const parts = value.entries().flatMap(([key, item]) => {
    if (item === null || item instanceof Undefined) return [];
    if (/[\s/>=]/.test(textOf(key))) throw valueError(`Invalid character in attribute name: ${quoted(textOf(key))}`);
    return [`${escapeValue(key).text}="${escapeValue(item).text}"`];
  });
  return parts.join(' ');
}

export const textFilters: readonly [string, Applied][] = [
  filter('capitalize', ['s'], ([s = null]) => onText(s, capitalized)),
  filter('center', ['value', ['width', 80n]], ([value = null, width = null]) => onText(value, (text) => centered(text, size(width)))),
  filter('escape', ['s'], ([s = null]) => escapeValue(s)),
  filter('e', ['s'], ([s = null]) => escapeValue(s)),
  filter('forceescape', ['value'], ([value = null]) => new Markup(escapeHtml(textOf(value)))),
  filter('safe', ['value'], ([value = null]) => new Markup(textOf(value))),
  filter('string', ['object'], ([value = null]) => softText(value)),
  filter('lower', ['s'], ([s = null]) => onText(s, (text) => text.toLowerCase())),
  filter('upper', ['s'], ([s = null]) => onText(s, (text) => text.toUpperCase())),
  filter('title', ['s'], ([s = null]) => titled(textOf(s))),
  filter('trim', ['value', ['chars', null]], ([value = null, set = null]) => onText(value, (text) => stripped(text, set, 'both'))),
  filter('striptags', ['value'], ([value = null]) => withoutTags(textOf(value))),
  filter('replace', ['s', 'old', 'new', ['count', null]], ([s = null, from = null, to = null, count = null], scope) => {
    const limit = count === null ? -1 : size(count);
    if (!scope.autoescape && !(s instanceof Markup)) return replaced(textOf(s), textOf(from), textOf(to), limit);
    const text = s instanceof Markup || from instanceof Markup || to instanceof Markup ? escapeValue(s) : softText(s);
    return text instanceof Markup
      ? new Markup(replaced(text.text, textOf(from), escapeValue(to).text, limit))
      : replaced(text, textOf(from), textOf(to), limit);
  }),
  filter('format', ['value', '*args', '**kwargs'], ([value = null], _, { rest, named }) => {
    if (rest.length > 0 && named.size > 0) throw argumentError("can't handle positional and keyword arguments at the same time");
    return percentFormat(softText(value), named.size > 0 ? Dict.of(named) : new Tuple(rest));
  }),
  filter('indent', ['s', ['width', 4n], ['first', false], ['blank', false]], ([s = null, width = null, first = null, blank = null]) => {
    if (s instanceof Undefined) s.fail();
    if (!isText(s)) throw typeError(`unsupported operand type(s) for +=: '${typeName(s)}' and 'str'`);
    const indention = isText(width) ? textOf(width) : ' '.repeat(Math.max(0, size(width)));
    return onText(s, (text) => indented(text, indention, isTrue(first), isTrue(blank)));
  }),
  filter(
    'truncate',
    ['s', ['length', 255n], ['killwords', false], ['end', '...'], ['leeway', null]],
    ([s = null, length = null, killWords = null, end = null, leeway = null]) => {
      if (s instanceof Undefined) {
        s.failIfStrict();
        return s;
      }
      if (!isText(s)) {
        if (lengthOf(s) <= size(length) + (leeway === null ? 5 : size(leeway))) return s;
        throw typeError(`can only concatenate list (not "str") to ${typeName(s)}`);
      }
      return onText(s, (text) => truncated(text, size(length), isTrue(killWords), textOf(end), leeway === null ? 5 : size(leeway)));
    },
  ),
  filter('wordcount', ['s'], ([s = null]) => BigInt(textOf(s).match(/[\p{L}\p{N}_\p{M}]+/gu)?.length ?? 0)),
  filter(
    'wordwrap',
    ['s', ['width', 79n], ['break_long_words', true], ['wrapstring', null], ['break_on_hyphens', true]],
    ([s = null, width = null, breakLong = null, separator = null, onHyphens = null]) => {
      const by = separator === null ? '\n' : textOf(separator);
      if (!isText(s)) throw new PythonError('AttributeError', `'${typeName(s)}' object has no attribute 'splitlines'`);
      const options = { width: size(width), breakLongWords: isTrue(breakLong), breakOnHyphens: isTrue(onHyphens) };
      return splitLines(textOf(s), false)
        .map((line) => wrapLine(line, options).join(by))
        .join(by);
    },
  ),
  filter('filesizeformat', ['value', ['binary', false]], ([value = null, binary = null]) => {
    if (value instanceof Undefined) value.fail();
    return fileSize(toFloat(value), isTrue(binary));
  }),
  filter('urlencode', ['value'], ([value = null]) => encodeUrl(value)),
  filter('xmlattr', ['d', ['autospace', true]], ([value = null, autospace = null], scope) => {
    const text = attributes(value);
    const spaced = text !== '' && isTrue(autospace) ? ` ${text}` : text;
    return scope.autoescape ? new Markup(spaced) : spaced;
  }),
];
