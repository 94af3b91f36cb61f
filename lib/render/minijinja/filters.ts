import { isTrue } from '../python/operators.ts';
import { capitalized, splitLines, stripped } from '../python/strings.ts';
import { percentFormat } from '../python/format.ts';
import { textLength, textOf } from '../python/text.ts';
import { type Arguments, Dict, isNumber, isText, Markup, orElse, Tuple, Undefined, type Value } from '../python/values.ts';
import { type Applied, type CallScope, undefinedHint } from '../jinja/environment.ts';
import { fileSize, withoutTags } from '../jinja/filters/text.ts';
import { roundFloat } from '../python/numbers.ts';
import { wrapLine } from '../jinja/filters/wordwrap.ts';
import { type Given, miniFilter as filter, type Shape } from './define.ts';
import { miniJson } from './json.ts';
import { compareAny, invalid, kindOf, miniLength } from './semantics.ts';
import { miniEscape, miniPretty, miniText } from './text.ts';

/** Text of an argument that must be text: everything converts, undefined not in the strict mode. */
function coerced(value: Value): string {
  if (value instanceof Undefined) value.failIfStrict();
  return miniText(value);
}

/** Safe text stays safe. */
const onText = (value: Value, change: (text: string) => string): Value => {
  const text = change(coerced(value));
  return value instanceof Markup ? new Markup(text) : text;
};

function itemsOf(scope: CallScope, value: Value): Value[] {
  return Array.from(scope.environment.semantics.iterate(value));
}

const folded = (value: Value): Value => (isText(value) ? textOf(value).toLowerCase() : value);

/** A dotted path; digits are places. Fails where minijinja's lookup does. */
function pathOf(scope: CallScope, value: Value, path: string): Value {
  let found = value;
  for (const part of path.split('.'))
    found = scope.environment.semantics.item(scope.environment, found, /^\d+$/.test(part) ? BigInt(part) : part);
  return found;
}

function pathOr(scope: CallScope, value: Value, path: string, otherwise: Value): Value {
  let found: Value = value;
  for (const part of path.split('.')) {
    if (found instanceof Undefined) return otherwise;
    found = scope.environment.semantics.item(scope.environment, found, /^\d+$/.test(part) ? BigInt(part) : part);
  }
  return found instanceof Undefined ? otherwise : found;
}

/** Stands in where a path leads nowhere; never handed out. */
const nothing = new Undefined('default', 'undefined');

const absent = (scope: CallScope): Value => undefinedHint(scope.environment, 'undefined value');

function sorted(items: readonly Value[], keyOf: (item: Value) => Value, given: Given): Value[] {
  const fold = given.flag('case_sensitive') ? (value: Value) => value : folded;
  const sign = given.flag('reverse') ? -1 : 1;
  return items
    .map((item) => ({ item, key: keyOf(item) }))
    .sort((a, b) => sign * compareAny(fold(a.key), fold(b.key)))
    .map(({ item }) => item);
}

function extreme(input: Value, given: Given, replaces: (difference: number) => boolean): Value {
  const fold = given.flag('case_sensitive') ? (value: Value) => value : folded;
  const attribute = given.text('attribute');
  let best: { key: Value; item: Value } | undefined;
  for (const item of itemsOf(given.scope, input)) {
    const key = fold(attribute === undefined ? item : pathOr(given.scope, item, attribute, nothing));
    if (best === undefined || replaces(compareAny(key, best.key))) best = { key, item };
  }
  return best ? best.item : absent(given.scope);
}

function indented(text: string, width: number, first: boolean, blank: boolean): string {
  const pad = ' '.repeat(width);
  const lines = text.replace(/\n$/, '').replace(/\r$/, '').split('\n');
  return lines
    .map((line, index) => (index === 0 && !first ? line : line === '' || line === '\r' ? (blank ? pad : '') + line : pad + line))
    .join('\n')
    .replace(/\r$/, '');
}

function titled(text: string): string {
  let capital = true;
  return Array.from(text, (character) => {
    if (/[-({[<\s]/.test(character)) {
      capital = true;
      return character;
    }
    const result = capital ? character.toUpperCase() : character.toLowerCase();
    capital = false;
    return result;
  }).join('');
}

/** Rust's `str::parse::<f64>`. */
function parseFloat64(text: string): number {
  const word = /^([+-]?)(inf|infinity|nan)$/i.exec(text);
  if (word) return word[2]?.toLowerCase() === 'nan' ? Number.NaN : word[1] === '-' ? -Infinity : Infinity;
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(text))
    throw invalid(text === '' ? 'cannot parse float from empty string' : 'invalid float literal');
  return Number(text);
}

function toInteger(input: Value, given: Given): Value {
  const otherwise = given.get('default');
  if (input instanceof Undefined || input === null) {
    if (input instanceof Undefined) input.failIfStrict();
    return otherwise ?? 0n;
  }
  if (typeof input === 'boolean') return input ? 1n : 0n;
  if (typeof input === 'bigint') return input;
  if (typeof input === 'number') return Number.isFinite(input) ? BigInt(Math.trunc(input)) : 0n;
  try {
    if (!isText(input)) throw invalid(`cannot convert ${kindOf(input)} to integer`);
    const text = textOf(input);
    const base = given.count('base') ?? 10;
    const [, sign = '', body = ''] = /^([+-]?)(.*)$/s.exec(text) ?? [];
    const digits =
      base === 16 ? body.replace(/^0x/i, '') : base === 8 ? body.replace(/^0o/i, '') : base === 2 ? body.replace(/^0b/i, '') : body;
    const allowed = '0123456789abcdefghijklmnopqrstuvwxyz'.slice(0, base);
    const plain = digits.toLowerCase();
    if (plain !== '' && base >= 2 && base <= 36 && [...plain].every((digit) => allowed.includes(digit))) {
      let value = 0n;
      for (const digit of plain) value = value * BigInt(base) + BigInt(allowed.indexOf(digit));
      return sign === '-' ? -value : value;
    }
    const float = parseFloat64(text);
    return Number.isFinite(float) ? BigInt(Math.trunc(float)) : 0n;
  } catch (error) {
    if (otherwise !== undefined) return otherwise;
    throw error;
  }
}

function toFloat(input: Value, given: Given): Value {
  const otherwise = given.get('default');
  if (input instanceof Undefined || input === null) {
    if (input instanceof Undefined) input.failIfStrict();
    return otherwise ?? 0;
  }
  if (isNumber(input)) return Number(input);
  try {
    if (!isText(input)) throw invalid(`cannot convert ${kindOf(input)} to float`);
    return parseFloat64(textOf(input));
  } catch (error) {
    if (otherwise !== undefined) return otherwise;
    throw error;
  }
}

function rounded(input: Value, given: Given): Value {
  const precision = given.integer('precision') ?? 0;
  const method = given.text('method') ?? 'common';
  if (!['common', 'ceil', 'floor'].includes(method)) throw invalid('method must be common, ceil or floor');
  if (typeof input === 'bigint') {
    if (precision >= 0) return input;
    const unit = 10n ** BigInt(-precision);
    const rest = ((input % unit) + unit) % unit;
    const down = input - rest;
    if (method === 'floor' || rest === 0n) return down;
    if (method === 'ceil') return down + unit;
    return rest * 2n > unit || (rest * 2n === unit && (down / unit) % 2n !== 0n) ? down + unit : down;
  }
  if (typeof input !== 'number') throw invalid(`cannot round value (${kindOf(input)})`);
  if (method === 'common') return roundFloat(input, precision);
  const scale = 10 ** precision;
  return (method === 'ceil' ? Math.ceil(input * scale) : Math.floor(input * scale)) / scale;
}

function selected(input: Value, given: Given, options: { readonly byAttribute: boolean; readonly keep: boolean }): Value {
  const rest = [...given.rest];
  const attribute = options.byAttribute ? rest.shift() : undefined;
  if (options.byAttribute && attribute === undefined) throw invalid('missing argument');
  const [test, ...more] = rest;
  return itemsOf(given.scope, input).filter((item) => {
    const subject = attribute === undefined ? item : pathOf(given.scope, item, miniText(attribute));
    const passed =
      test === undefined
        ? !(subject instanceof Undefined) && isTrue(subject)
        : given.scope.test(miniText(test), { positional: [subject, ...more], named: new Map() });
    return passed === options.keep;
  });
}

function mapped(scope: CallScope, args: Arguments): Value {
  const [input = nothing, name, ...more] = args.positional;
  const attribute = args.named.get('attribute');
  if (attribute !== undefined) {
    if (name !== undefined) throw invalid('too many arguments');
    const otherwise = args.named.get('default');
    return itemsOf(scope, input).map((item) => {
      const { semantics } = scope.environment;
      if (otherwise !== undefined)
        return isText(attribute) ? pathOr(scope, item, textOf(attribute), otherwise) : subscriptOr(scope, item, attribute, otherwise);
      return isText(attribute) ? pathOf(scope, item, textOf(attribute)) : semantics.item(scope.environment, item, attribute);
    });
  }
  if (name === undefined) throw invalid('filter name is required');
  if (!isText(name)) throw invalid('filter name must be a string');
  return itemsOf(scope, input).map((item) => scope.filter(textOf(name), { positional: [item, ...more], named: args.named }));
}

function subscriptOr(scope: CallScope, item: Value, key: Value, otherwise: Value): Value {
  const found = scope.environment.semantics.item(scope.environment, item, key);
  return found instanceof Undefined ? otherwise : found;
}

function groups(input: Value, given: Given): Value {
  const attribute = given.text('attribute');
  if (attribute === undefined) throw invalid('missing argument');
  const otherwise = given.get('default') ?? nothing;
  const keyOf = (item: Value) => pathOr(given.scope, item, attribute, otherwise);
  const fold = given.flag('case_sensitive') ? (value: Value) => value : folded;
  const found: { key: Value; items: Value[] }[] = [];
  const items = sorted(input instanceof Undefined ? [] : itemsOf(given.scope, input), keyOf, given.only('case_sensitive'));
  for (const item of items) {
    const last = found.at(-1);
    if (last && compareAny(fold(last.key), fold(keyOf(item))) === 0) {
      last.items.push(item);
      last.key = keyOf(item);
    } else found.push({ key: keyOf(item), items: [item] });
  }
  return found.map(({ key, items: members }) => new Tuple([key, members], ['grouper', 'list']));
}

const urlSafe = /[A-Za-z0-9/._-]/;

function urlEncoded(value: Value): string {
  return Array.from(new TextEncoder().encode(miniText(value)), (byte) => {
    const character = String.fromCharCode(byte);
    return urlSafe.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }).join('');
}

function truncated(input: Value, given: Given): Value {
  if (input instanceof Undefined || input === null) return '';
  const text = textOf(input);
  const length = given.count('length') ?? 255;
  const end = given.text('end') ?? '...';
  const room = length - textLength(end);
  if (room < 0) throw invalid(`expected length >= ${textLength(end)}, got ${length}`);
  const characters = Array.from(text);
  if (characters.length <= length + (given.count('leeway') ?? 5)) return input;
  const cut = characters.slice(0, room).join('');
  if (given.flag('killwords')) return cut + end;
  const space = cut.lastIndexOf(' ');
  return (space < 0 ? cut : cut.slice(0, space)) + end;
}

function batches(items: readonly Value[], size: number, fill: Value | undefined): Value[] {
  const result: Value[][] = [];
  for (let start = 0; start < items.length; start += size) result.push(items.slice(start, start + size));
  const last = result.at(-1);
  if (last && fill !== undefined) while (last.length < size) last.push(fill);
  return result;
}

function slices(items: readonly Value[], count: number, fill: Value | undefined): Value[] {
  const each = Math.floor(items.length / count);
  const longer = items.length % count;
  let start = 0;
  return Array.from({ length: count }, (_, index) => {
    const end = start + each + (index < longer ? 1 : 0);
    const slice = items.slice(start, end);
    start = end;
    if (fill !== undefined && index >= longer) slice.push(fill);
    return slice;
  });
}

function positive(count: number | undefined): number {
  if (count === undefined) throw invalid('missing argument');
  if (count === 0) throw invalid('count cannot be 0');
  return count;
}

const all: Shape = { positional: ['*'] };
const caseAndAttribute: Shape = { keywords: ['case_sensitive', 'attribute'] };

/** minijinja's builtin filters and those of minijinja-contrib that its command line has; dates are left out. */
export const miniFilters: readonly [string, Applied][] = [
  filter('safe', {}, (input) => new Markup(coerced(input))),
  ...['escape', 'e'].map((name) => filter(name, {}, (input) => (input instanceof Undefined ? new Markup('') : miniEscape(input)))),
  filter('lower', {}, (input) => onText(input, (text) => text.toLowerCase())),
  filter('upper', {}, (input) => onText(input, (text) => text.toUpperCase())),
  filter('title', {}, (input) => titled(coerced(input))),
  filter('capitalize', {}, (input) => onText(input, capitalized)),
  filter('replace', { positional: ['from', 'to'], required: 2 }, (input, given) =>
    onText(input, (text) => text.replaceAll(given.text('from') ?? '', () => given.text('to') ?? '')),
  ),
  ...['length', 'count'].map((name) => filter(name, {}, (input) => miniLength(input))),
  filter('dictsort', { keywords: ['by', 'case_sensitive', 'reverse'] }, (input, given) => {
    if (!(input instanceof Dict)) throw invalid('cannot convert value into pair list');
    const place = given.text('by') === 'value' ? 1 : 0;
    return sorted(
      input.entries().map((entry) => new Tuple(entry)),
      (item) => (item as Tuple).items[place] ?? null,
      given,
    );
  }),
  filter('items', {}, (input) => {
    if (!(input instanceof Dict)) throw invalid('cannot convert value into pairs');
    return input.entries().map((entry) => new Tuple(entry));
  }),
  filter('reverse', {}, (input, { scope }) => {
    if (isText(input)) return onText(input, (text) => Array.from(text).reverse().join(''));
    return itemsOf(scope, input).reverse();
  }),
  filter('trim', { positional: ['chars'] }, (input, given) => onText(input, (text) => stripped(text, given.text('chars') ?? null, 'both'))),
  filter('join', { positional: ['d', 'attribute'], keywords: ['d', 'attribute'] }, (input, given) => {
    const attribute = given.text('attribute');
    const items = input instanceof Undefined || input === null ? [] : itemsOf(given.scope, input);
    const parts = items.map((item) => (attribute === undefined ? item : pathOr(given.scope, item, attribute, nothing)));
    const isSafe = given.scope.autoescape && (given.raw('d') instanceof Markup || parts.some((part) => part instanceof Markup));
    if (!isSafe) return parts.map((part) => (part instanceof Undefined ? '' : miniText(part))).join(given.text('d') ?? '');
    return new Markup(parts.map((part) => miniEscape(part).text).join(miniEscape(given.raw('d') ?? '').text));
  }),
  filter('split', { positional: ['by', 'limit'] }, (input, given) => {
    const text = coerced(input);
    const by = given.text('by');
    const limit = given.integer('limit') ?? -1;
    const parts = by === undefined ? text.split(/\s+/).filter((part) => part !== '') : by === '' ? ['', ...text, ''] : text.split(by);
    if (limit < 0 || parts.length <= limit + 1) return parts;
    if (by !== undefined) return [...parts.slice(0, limit), parts.slice(limit).join(by)];
    const matched = new RegExp(`^\\s*${'(\\S+)\\s+'.repeat(limit)}([^]*)$`).exec(text);
    return matched ? matched.slice(1) : parts;
  }),
  filter('lines', {}, (input) => splitLines(coerced(input).replace(/\r\n/g, '\n'), false)),
  ...['default', 'd'].map((name) =>
    filter(name, { positional: ['other', 'lax'] }, (input, given) => {
      const lax = given.raw('lax');
      return input instanceof Undefined || (lax !== undefined && isTrue(lax) && !isTrue(input))
        ? orElse(given.raw('other'), () => '')
        : input;
    }),
  ),
  filter('round', { positional: ['precision', 'method'], keywords: ['precision', 'method'] }, rounded),
  filter('abs', {}, (input) => {
    if (typeof input === 'number') return Math.abs(input);
    if (typeof input !== 'bigint') throw invalid('cannot get absolute value');
    return input < 0n ? -input : input;
  }),
  filter('int', { positional: ['default', 'base'], keywords: ['default', 'base'] }, toInteger),
  filter('float', { positional: ['default'], keywords: ['default'] }, toFloat),
  filter('attr', { positional: ['name'], required: 1 }, (input, given) =>
    given.scope.environment.semantics.item(given.scope.environment, input, given.raw('name') ?? null),
  ),
  filter('first', {}, (input, { scope }) => {
    if (isText(input)) return Array.from(textOf(input))[0] ?? absent(scope);
    if (input instanceof Undefined || input === null || isNumber(input)) throw invalid('cannot get first item from value');
    return orElse(itemsOf(scope, input)[0], () => absent(scope));
  }),
  filter('last', {}, (input, { scope }) => {
    if (isText(input)) return Array.from(textOf(input)).at(-1) ?? absent(scope);
    if (!['sequence', 'iterator'].includes(kindOf(input))) throw invalid('cannot get last item from value');
    return orElse(itemsOf(scope, input).at(-1), () => absent(scope));
  }),
  filter('min', caseAndAttribute, (input, given) => extreme(input, given, (difference) => difference < 0)),
  filter('max', caseAndAttribute, (input, given) => extreme(input, given, (difference) => difference >= 0)),
  filter('sort', { keywords: ['case_sensitive', 'reverse', 'attribute'] }, (input, given) => {
    const attribute = given.text('attribute');
    const keys = attribute?.split(',').map((part) => part.trim());
    return sorted(
      itemsOf(given.scope, input),
      (item) => {
        if (!keys) return item;
        if (keys.length === 1) return pathOr(given.scope, item, keys[0] ?? '', nothing);
        return keys.map((key) =>
          given.flag('case_sensitive') ? pathOr(given.scope, item, key, nothing) : folded(pathOr(given.scope, item, key, nothing)),
        );
      },
      given,
    );
  }),
  filter('list', {}, (input, { scope }) => itemsOf(scope, input)),
  filter('string', {}, (input) => (isText(input) ? input : coerced(input))),
  filter('bool', {}, (input, { scope }) => scope.environment.semantics.isTrue(input)),
  filter('batch', { positional: ['count', 'fill'], required: 1 }, (input, given) =>
    batches(itemsOf(given.scope, input), positive(given.count('count')), given.get('fill')),
  ),
  filter('slice', { positional: ['count', 'fill'], required: 1 }, (input, given) =>
    slices(itemsOf(given.scope, input), positive(given.count('count')), given.get('fill')),
  ),
  filter('sum', { positional: ['attribute', 'start'], keywords: ['attribute', 'start'] }, (input, given) => {
    const attribute = given.text('attribute');
    let total: Value = given.get('start') ?? 0n;
    for (const item of itemsOf(given.scope, input)) {
      const value = attribute === undefined ? item : pathOr(given.scope, item, attribute, nothing);
      if (value instanceof Undefined) continue;
      if (isNumber(total) && !isNumber(value)) throw invalid(`can only sum numbers, got ${kindOf(value)}`);
      total = given.scope.environment.semantics.arithmetic(total, '+', value);
    }
    return total;
  }),
  filter('indent', { positional: ['width', 'first', 'blank'], keywords: ['width', 'first', 'blank'] }, (input, given) =>
    onText(input, (text) => indented(text, given.count('width') ?? 4, given.flag('first'), given.flag('blank'))),
  ),
  filter('select', all, (input, given) => selected(input, given, { byAttribute: false, keep: true })),
  filter('reject', all, (input, given) => selected(input, given, { byAttribute: false, keep: false })),
  filter('selectattr', all, (input, given) => selected(input, given, { byAttribute: true, keep: true })),
  filter('rejectattr', all, (input, given) => selected(input, given, { byAttribute: true, keep: false })),
  ['map', mapped],
  filter('groupby', { positional: ['attribute'], keywords: ['attribute', 'default', 'case_sensitive'] }, groups),
  filter('unique', caseAndAttribute, (input, given) => {
    const attribute = given.text('attribute');
    const fold = given.flag('case_sensitive') ? (value: Value) => value : folded;
    const seen: Value[] = [];
    return itemsOf(given.scope, input).filter((item) => {
      const key = fold(attribute === undefined ? item : pathOr(given.scope, item, attribute, nothing));
      if (seen.some((other) => compareAny(other, key) === 0)) return false;
      seen.push(key);
      return true;
    });
  }),
  filter('chain', all, (input, given) => {
    const parts = [input, ...given.rest];
    if (parts.every((part) => part instanceof Dict)) return Dict.of(parts.flatMap((part) => (part as Dict).entries()));
    return parts.flatMap((part) => itemsOf(given.scope, part));
  }),
  filter('zip', all, (input, given) => {
    const lists = [input, ...given.rest].map((part) => itemsOf(given.scope, part));
    return Array.from(
      { length: Math.min(...lists.map((list) => list.length)) },
      (_, index) => new Tuple(lists.map((list) => list[index] ?? null)),
    );
  }),
  filter('pprint', {}, (input) => miniPretty(input)),
  [
    'format',
    (_scope, { positional: [input = nothing, ...rest], named }) => {
      if (!isText(input)) throw invalid('value is not a string');
      return percentFormat(input, named.size > 0 ? Dict.of(named) : new Tuple(rest));
    },
  ],
  filter('tojson', { positional: ['indent'], keywords: ['indent'] }, (input, given) => {
    const indent = given.get('indent');
    return new Markup(miniJson(input, indent === true ? 2 : indent === undefined || indent === false ? undefined : given.count('indent')));
  }),
  filter('urlencode', {}, (input) => {
    if (input instanceof Undefined || input === null) return '';
    if (!(input instanceof Dict)) return urlEncoded(input);
    return input
      .entries()
      .filter(([, value]) => value !== null && !(value instanceof Undefined))
      .map(([key, value]) => `${urlEncoded(key)}=${urlEncoded(value)}`)
      .join('&');
  }),
  filter('pluralize', { positional: ['singular', 'plural'] }, (input, given) => {
    const isOne = typeof input === 'bigint' ? input === 1n : miniLength(input) === 1n;
    return isOne ? (given.text('singular') ?? '') : (given.text('plural') ?? 's');
  }),
  filter('filesizeformat', { positional: ['binary'], keywords: ['binary'] }, (input, given) => {
    if (typeof input !== 'bigint' && typeof input !== 'number') throw invalid(`cannot convert ${kindOf(input)} to f64`);
    return fileSize(Number(input), given.flag('binary'));
  }),
  filter('truncate', { keywords: ['length', 'killwords', 'end', 'leeway'] }, truncated),
  filter('striptags', {}, (input) => withoutTags(coerced(input))),
  filter('wordcount', {}, (input) =>
    BigInt(input instanceof Undefined ? 0 : (miniText(input).match(/[\p{L}\p{N}_\p{M}]+/gu)?.length ?? 0)),
  ),
  filter('wordwrap', { keywords: ['width', 'break_long_words', 'break_on_hyphens', 'wrapstring'] }, (input, given) => {
    const by = given.text('wrapstring') ?? '\n';
    const isOn = (name: string) => given.get(name) === undefined || given.flag(name);
    const options = {
      width: given.count('width') ?? 79,
      breakLongWords: isOn('break_long_words'),
      breakOnHyphens: isOn('break_on_hyphens'),
    };
    return splitLines(coerced(input), false)
      .map((line) => wrapLine(line, options).join(by))
      .join(by);
  }),
  filter('random', {}, (input, { scope }) => {
    const items = itemsOf(scope, input);
    const { random } = scope.environment;
    if (!random) throw invalid('no source of randomness was given to this template');
    return items[Math.floor(random() * items.length)] ?? nothing;
  }),
];
