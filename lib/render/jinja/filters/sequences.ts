import { attributeOf } from '../../python/attributes.ts';
import { arithmetic, isEqual, isTrue, iterate, lengthOf, listOf } from '../../python/operators.ts';
import { percentFormat } from '../../python/format.ts';
import { iterator } from '../../python/signature.ts';
import { compareValues } from '../../python/sorting.ts';
import { escapeValue, textOf } from '../../python/text.ts';
import {
  type Arguments,
  Dict,
  DictView,
  hashKey,
  isInteger,
  isText,
  Iterator,
  Markup,
  orElse,
  PythonError,
  Range,
  Tuple,
  typeError,
  typeName,
  Undefined,
  type Value,
  valueError,
} from '../../python/values.ts';
import { type Applied, type CallScope, missingAttribute, undefinedHint } from '../environment.ts';
import { argumentError, attributeGetter, filter, lowered, unchanged } from './define.ts';

const count = (value: Value): number => {
  if (!isInteger(value)) throw typeError(`'${typeName(value)}' object cannot be interpreted as an integer`);
  return Number(value);
};

/** `reversed(value)`; generators cannot be. */
function reversed(value: Value): Value[] {
  if (value instanceof Iterator) throw typeError(`'${value.name}' object is not reversible`);
  return listOf(value).reverse();
}

function sortedBy(items: Value[], key: (item: Value) => Value, reverse: boolean): Value[] {
  const keyed = items.map((item) => ({ item, key: key(item) }));
  // Stable in both directions, as Python's is.
  keyed.sort((a, b) => (reverse ? compareValues(b.key, a.key) : compareValues(a.key, b.key)));
  return keyed.map(({ item }) => item);
}

function sortKey(scope: CallScope, attribute: Value, after: (value: Value) => Value): (item: Value) => Value {
  const parts: Value[] = typeof attribute === 'string' ? attribute.split(',') : [attribute];
  const getters = parts.map((part) => attributeGetter(scope, part, after));
  return (item) => getters.map((get) => get(item));
}

function* batches(items: Iterable<Value>, length: number, fill: Value): Generator<Value> {
  let batch: Value[] = [];
  for (const item of items) {
    if (batch.length === length) {
      yield batch;
      batch = [];
    }
    batch.push(item);
  }
  if (batch.length === 0) return;
  if (fill !== null) while (batch.length < length) batch.push(fill);
  yield batch;
}

function* slices(items: readonly Value[], number: number, fill: Value): Generator<Value> {
  const each = Math.floor(items.length / number);
  const longer = items.length % number;
  let start = 0;
  for (let index = 0; index < number; index += 1) {
    const end = start + each + (index < longer ? 1 : 0);
    const slice = items.slice(start, end);
    if (fill !== null && index >= longer) slice.push(fill);
    yield slice;
    start = end;
  }
}

function* distinct(items: Iterable<Value>, key: (item: Value) => Value): Generator<Value> {
  const seen = new Set<string>();
  for (const item of items) {
    const hash = hashKey(key(item));
    if (seen.has(hash)) continue;
    seen.add(hash);
    yield item;
  }
}

function extreme(scope: CallScope, values: Value[], wanted: 1 | -1): Value {
  const [value = null, caseSensitive = false, attribute = null] = values;
  const items = listOf(value);
  const key = attributeGetter(scope, attribute, isTrue(caseSensitive) ? unchanged : lowered);
  const [first, ...rest] = items;
  if (first === undefined) return undefinedHint(scope.environment, 'No aggregated item, sequence was empty.');
  return rest.reduce((best, item) => (compareValues(key(item), key(best)) * wanted > 0 ? item : best), first);
}

function* mapped(scope: CallScope, value: Value, args: Arguments): Generator<Value> {
  const [, name, ...more] = args.positional;
  const named = new Map(args.named);
  if (!isTrue(value)) return;
  if (name === undefined && named.has('attribute')) {
    const attribute = named.get('attribute') ?? null;
    const otherwise = named.get('default') ?? null;
    named.delete('attribute');
    named.delete('default');
    const [unexpected] = named.keys();
    if (unexpected !== undefined) throw argumentError(`Unexpected keyword argument '${unexpected}'`);
    const get = attributeGetter(scope, attribute, unchanged, otherwise);
    for (const item of iterate(value)) yield get(item);
    return;
  }
  if (name === undefined) throw argumentError('map requires a filter argument');
  for (const item of iterate(value)) yield scope.filter(textOf(name), { positional: [item, ...more], named });
}

function* selected(
  scope: CallScope,
  args: Arguments,
  options: { readonly byAttribute: boolean; readonly keep: boolean },
): Generator<Value> {
  const [value = null, ...rest] = args.positional;
  if (!isTrue(value)) return;
  let get: (item: Value) => Value = unchanged;
  if (options.byAttribute) {
    const attribute = rest.shift();
    if (attribute === undefined) throw argumentError('Missing parameter for attribute name');
    get = attributeGetter(scope, attribute);
  }
  const [test, ...more] = rest;
  for (const item of iterate(value)) {
    const subject = get(item);
    const holds = test === undefined ? isTrue(subject) : scope.test(textOf(test), { positional: [subject, ...more], named: args.named });
    if (holds === options.keep) yield item;
  }
}

/** Lazy, as in Jinja: nothing runs before something walks the result. An empty walk still fails for what has no items. */
const lazily =
  (name: string, run: (scope: CallScope, args: Arguments) => Iterable<Value>): Applied =>
  (scope, args) =>
    iterator(name, run(scope, args));

function groups(scope: CallScope, [value = null, attribute = null, otherwise = null, caseSensitive = false]: Value[]): Value {
  const after = isTrue(caseSensitive) ? unchanged : lowered;
  const key = attributeGetter(scope, attribute, after, otherwise);
  const plain = attributeGetter(scope, attribute, unchanged, otherwise);
  const found: { key: Value; items: Value[] }[] = [];
  for (const item of sortedBy(listOf(value), key, false)) {
    const last = found.at(-1);
    if (last && isEqual(last.key, key(item))) last.items.push(item);
    else found.push({ key: key(item), items: [item] });
  }
  return found.map(
    (group) => new Tuple([isTrue(caseSensitive) ? group.key : plain(group.items[0] ?? null), group.items], ['grouper', 'list']),
  );
}

export const sequenceFilters: readonly [string, Applied][] = [
  filter('first', ['seq'], ([seq = null], scope) => {
    for (const item of iterate(seq)) return item;
    return undefinedHint(scope.environment, 'No first item, sequence was empty.');
  }),
  filter('last', ['seq'], ([seq = null], scope) =>
    orElse(reversed(seq)[0], () => undefinedHint(scope.environment, 'No last item, sequence was empty.')),
  ),
  filter('length', ['obj'], ([value = null]) => BigInt(lengthOf(value))),
  filter('count', ['obj'], ([value = null]) => BigInt(lengthOf(value))),
  filter('list', ['value'], ([value = null]) => listOf(value)),
  filter('reverse', ['value'], ([value = null]) => {
    if (isText(value)) return Array.from(textOf(value)).reverse().join('');
    if (value instanceof Undefined) value.failIfStrict();
    if (
      value instanceof Undefined ||
      value instanceof Iterator ||
      Array.isArray(value) ||
      value instanceof Tuple ||
      value instanceof Dict ||
      value instanceof DictView ||
      value instanceof Range
    ) {
      return iterator(Array.isArray(value) ? 'list_reverseiterator' : 'reversed', listOf(value).reverse());
    }
    throw argumentError('argument must be iterable');
  }),
  filter('join', ['value', ['d', ''], ['attribute', null]], ([value = null, by = null, attribute = null], scope) => {
    const get = attributeGetter(scope, attribute);
    const items = Array.from(iterate(value), get);
    if (!scope.autoescape) return items.map(textOf).join(textOf(by));
    if (!(by instanceof Markup) && !items.some((item) => item instanceof Markup)) return items.map(textOf).join(textOf(by));
    return new Markup(items.map((item) => escapeValue(item).text).join(escapeValue(by).text));
  }),
  filter(
    'sort',
    ['value', ['reverse', false], ['case_sensitive', false], ['attribute', null]],
    ([value = null, reverse = null, caseSensitive = null, attribute = null], scope) =>
      sortedBy(listOf(value), sortKey(scope, attribute, isTrue(caseSensitive) ? unchanged : lowered), isTrue(reverse)),
  ),
  filter(
    'unique',
    ['value', ['case_sensitive', false], ['attribute', null]],
    ([value = null, caseSensitive = null, attribute = null], scope) =>
      iterator('generator', distinct(iterate(value), attributeGetter(scope, attribute, isTrue(caseSensitive) ? unchanged : lowered))),
  ),
  filter('min', ['value', ['case_sensitive', false], ['attribute', null]], (values, scope) => extreme(scope, values, -1)),
  filter('max', ['value', ['case_sensitive', false], ['attribute', null]], (values, scope) => extreme(scope, values, 1)),
  filter('sum', ['iterable', ['attribute', null], ['start', 0n]], ([items = null, attribute = null, start = null], scope) => {
    if (isText(start)) throw typeError("sum() can't sum strings [use ''.join(seq) instead]");
    return Array.from(iterate(items), attributeGetter(scope, attribute)).reduce(
      (sum, item) => arithmetic(sum, '+', item, percentFormat),
      start,
    );
  }),
  filter('groupby', ['value', 'attribute', ['default', null], ['case_sensitive', false]], (values, scope) => groups(scope, values)),
  filter('batch', ['value', 'linecount', ['fill_with', null]], ([value = null, length = null, fill = null]) =>
    iterator('generator', batches(iterate(value), count(length), fill)),
  ),
  filter('slice', ['value', 'slices', ['fill_with', null]], ([value = null, number = null, fill = null]) => {
    if (count(number) === 0) throw new PythonError('ZeroDivisionError', 'integer division or modulo by zero');
    return iterator('generator', slices(listOf(value), count(number), fill));
  }),
  filter('items', ['value'], ([value = null]) => {
    if (value instanceof Undefined) return iterator('generator', []);
    if (!(value instanceof Dict)) throw typeError('Can only get item pairs from a mapping.');
    return iterator(
      'generator',
      value.entries().map((entry) => new Tuple(entry)),
    );
  }),
  filter(
    'dictsort',
    ['value', ['case_sensitive', false], ['by', 'key'], ['reverse', false]],
    ([value = null, caseSensitive = null, by = null, reverse = null]) => {
      if (by !== 'key' && by !== 'value') throw argumentError('You can only sort by either "key" or "value"');
      if (value instanceof Undefined) value.fail();
      if (!(value instanceof Dict)) throw new PythonError('AttributeError', `'${typeName(value)}' object has no attribute 'items'`);
      const after = isTrue(caseSensitive) ? unchanged : lowered;
      return sortedBy(
        value.entries().map((entry) => new Tuple(entry)),
        (item) => after((item as Tuple).items[by === 'key' ? 0 : 1] ?? null),
        isTrue(reverse),
      );
    },
  ),
  filter('attr', ['obj', 'name'], ([object = null, name = null], scope) => {
    if (object instanceof Undefined) return object.mode === 'chainable' ? object : object.fail();
    return orElse(attributeOf(object, textOf(name)), () => missingAttribute(scope.environment, object, name));
  }),
  filter('random', ['seq'], ([seq = null], scope) => {
    const items = listOf(seq);
    if (items.length === 0) return undefinedHint(scope.environment, 'No random item, sequence was empty.');
    const { random } = scope.environment;
    if (!random) throw valueError('no source of randomness was given to this template');
    return items[Math.floor(random() * items.length)] ?? null;
  }),
  ['map', lazily('generator', (scope, args) => mapped(scope, args.positional[0] ?? null, args))],
  ['select', lazily('generator', (scope, args) => selected(scope, args, { byAttribute: false, keep: true }))],
  ['reject', lazily('generator', (scope, args) => selected(scope, args, { byAttribute: false, keep: false }))],
  ['selectattr', lazily('generator', (scope, args) => selected(scope, args, { byAttribute: true, keep: true }))],
  ['rejectattr', lazily('generator', (scope, args) => selected(scope, args, { byAttribute: true, keep: false }))],
];
