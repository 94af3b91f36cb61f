import { characters, escapeValue, textOf } from './text.ts';
import {
  Callable,
  Dict,
  DictView,
  Instance,
  isInteger,
  isNumber,
  isText,
  Iterator,
  Markup,
  PythonError,
  Range,
  Tuple,
  typeError,
  typeName,
  Undefined,
  type Value,
  valueError,
} from './values.ts';

/** Largest string, list or integer (in bits) that one operator may make: a template that needs more is a mistake or an attack. */
export const largestResult = 64 * 1024 * 1024;
const largestIntegerBits = 4_000_000;

export class LimitReached extends Error {
  readonly limit: 'steps' | 'depth' | 'size';
  readonly allowed: number;

  constructor(limit: LimitReached['limit'], allowed: number) {
    super(limit);
    this.limit = limit;
    this.allowed = allowed;
  }
}

export function isTrue(value: Value): boolean {
  if (value === null) return false;
  if (typeof value === 'boolean') return value;
  if (typeof value === 'bigint') return value !== 0n;
  if (typeof value === 'number') return value !== 0;
  if (typeof value === 'string' || Array.isArray(value)) return value.length > 0;
  if (value instanceof Markup) return value.text.length > 0;
  if (value instanceof Tuple) return value.items.length > 0;
  if (value instanceof Dict) return value.size > 0;
  if (value instanceof DictView) return value.dict.size > 0;
  if (value instanceof Range) return value.length > 0;
  if (value instanceof Undefined) {
    value.failIfStrict();
    return false;
  }
  if (value instanceof Instance) return value.size() !== 0;
  return true;
}

const asInteger = (value: bigint | boolean): bigint => (typeof value === 'bigint' ? value : value ? 1n : 0n);

export function asFloat(value: bigint | number | boolean): number {
  const number = Number(value);
  if (typeof value === 'bigint' && !Number.isFinite(number)) throw new PythonError('OverflowError', 'int too large to convert to float');
  return number;
}

export function isEqual(left: Value, right: Value): boolean {
  if (left instanceof Undefined || right instanceof Undefined) {
    if (left instanceof Undefined) left.failIfStrict();
    if (right instanceof Undefined) right.failIfStrict();
    return left instanceof Undefined && right instanceof Undefined;
  }
  if (left === right) return true;
  if (isNumber(left) && isNumber(right)) {
    const [a, b] = [typeof left === 'boolean' ? asInteger(left) : left, typeof right === 'boolean' ? asInteger(right) : right];
    return a <= b && a >= b;
  }
  if (isText(left) && isText(right)) return textOf(left) === textOf(right);
  if (Array.isArray(left) && Array.isArray(right)) return areEqual(left, right);
  if (left instanceof Tuple && right instanceof Tuple) return areEqual(left.items, right.items);
  if (left instanceof Dict && right instanceof Dict) {
    return left.size === right.size && left.entries().every(([key, value]) => right.has(key) && isEqual(value, right.get(key) ?? null));
  }
  if (left instanceof Range && right instanceof Range) return areEqual([...left], [...right]);
  if (left instanceof DictView && right instanceof DictView && left.kind === right.kind && left.kind !== 'values') {
    const others = right.items();
    return left.dict.size === right.dict.size && left.items().every((item) => others.some((other) => isEqual(item, other)));
  }
  return false;
}

function areEqual(left: readonly Value[], right: readonly Value[]): boolean {
  return left.length === right.length && left.every((item, index) => isEqual(item, right[index] ?? null));
}

export type Ordering = '<' | '<=' | '>' | '>=';

export function isOrdered(left: Value, operator: Ordering, right: Value): boolean {
  if (left instanceof Undefined) left.fail();
  if (right instanceof Undefined) right.fail();
  if (isNumber(left) && isNumber(right)) return ordered(left, operator, right);
  if (isText(left) && isText(right)) return ordered(compareText(textOf(left), textOf(right)), operator, 0);
  const [a, b] = [sequenceOf(left), sequenceOf(right)];
  if (a && b && Array.isArray(left) === Array.isArray(right)) {
    for (let index = 0; index < Math.min(a.length, b.length); index += 1) {
      const [x, y] = [a[index] ?? null, b[index] ?? null];
      if (!isEqual(x, y)) return isOrdered(x, operator, y);
    }
    return ordered(a.length, operator, b.length);
  }
  throw typeError(`'${operator}' not supported between instances of '${typeName(left)}' and '${typeName(right)}'`);
}

function ordered(left: bigint | number | boolean, operator: Ordering, right: bigint | number | boolean): boolean {
  if (operator === '<') return left < right;
  if (operator === '<=') return left <= right;
  return operator === '>' ? left > right : left >= right;
}

/** By code point, as Python sorts; negative, zero or positive. */
export function compareText(left: string, right: string): number {
  if (left === right) return 0;
  const [a, b] = [characters(left), characters(right)];
  if (typeof a === 'string' && typeof b === 'string') return a < b ? -1 : 1;
  for (let index = 0; index < Math.min(a.length, b.length); index += 1) {
    const difference = (a[index]?.codePointAt(0) ?? 0) - (b[index]?.codePointAt(0) ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

function sequenceOf(value: Value): readonly Value[] | undefined {
  if (Array.isArray(value)) return value;
  return value instanceof Tuple ? value.items : undefined;
}

/** `iter(value)`. */
export function iterate(value: Value): Iterable<Value> {
  if (typeof value === 'string') return value;
  if (Array.isArray(value) || value instanceof Iterator || value instanceof Range) return value;
  // Walking markup gives plain text, unlike indexing it.
  if (value instanceof Markup) return value.text;
  if (value instanceof Tuple) return value.items;
  if (value instanceof Dict) return value.keys();
  if (value instanceof DictView) return value.items();
  if (value instanceof Undefined) {
    value.failIfStrict();
    return [];
  }
  const own = value instanceof Instance ? value.iterate() : undefined;
  if (own === undefined) throw typeError(`'${typeName(value)}' object is not iterable`);
  return own;
}

export function isIterable(value: Value): boolean {
  if (value === null || isNumber(value) || value instanceof Callable) return false;
  if (value instanceof Undefined) return value.mode !== 'strict';
  return !(value instanceof Instance) || value.iterate() !== undefined;
}

/** `list(value)`, with a bound. */
export function listOf(value: Value): Value[] {
  if (value instanceof Range && value.length > largestResult / 8) throw new LimitReached('size', largestResult);
  return Array.isArray(value) ? [...value] : Array.from(iterate(value));
}

/** `len(value)`. */
export function lengthOf(value: Value): number {
  if (typeof value === 'string') return characters(value).length;
  if (value instanceof Markup) return characters(value.text).length;
  if (Array.isArray(value) || value instanceof Range) return value.length;
  if (value instanceof Tuple) return value.items.length;
  if (value instanceof Dict) return value.size;
  if (value instanceof DictView) return value.dict.size;
  if (value instanceof Undefined) {
    value.failIfStrict();
    return 0;
  }
  const size = value instanceof Instance ? value.size() : undefined;
  if (size === undefined) throw typeError(`object of type '${typeName(value)}' has no len()`);
  return size;
}

/** `needle in haystack`. */
export function contains(haystack: Value, needle: Value): boolean {
  if (isText(haystack)) {
    if (needle instanceof Undefined) needle.failIfStrict();
    if (!isText(needle)) throw typeError(`'in <string>' requires string as left operand, not ${typeName(needle)}`);
    return textOf(haystack).includes(textOf(needle));
  }
  if (haystack instanceof Dict) return haystack.has(needle);
  if (haystack instanceof DictView && haystack.kind === 'keys') return haystack.dict.has(needle);
  if (haystack instanceof Range && isInteger(needle)) {
    const offset = asInteger(needle) - haystack.start;
    return offset % haystack.step === 0n && offset / haystack.step >= 0n && offset / haystack.step < BigInt(haystack.length);
  }
  if (!isIterable(haystack) && !(haystack instanceof Undefined))
    throw typeError(`argument of type '${typeName(haystack)}' is not iterable`);
  for (const item of iterate(haystack)) if (item === needle || isEqual(item, needle)) return true;
  return false;
}

// --- arithmetic ----------------------------------------------------------------------------------------------------

export type BinaryOperator = '+' | '-' | '*' | '/' | '//' | '%' | '**';

/** The caller gives `%` on text, because formatting needs more than two numbers. */
export function arithmetic(
  left: Value,
  operator: BinaryOperator,
  right: Value,
  formatText: (format: string | Markup, args: Value) => Value,
): Value {
  if (left instanceof Undefined) left.fail();
  if (operator === '%' && isText(left)) return formatText(left, right);
  if (right instanceof Undefined) right.fail();
  if (isNumber(left) && isNumber(right)) {
    return typeof left === 'number' || typeof right === 'number'
      ? floatArithmetic(asFloat(left), operator, asFloat(right))
      : integerArithmetic(asInteger(left), operator, asInteger(right));
  }
  if (operator === '+') {
    const sum = concatenated(left, right);
    if (sum !== undefined) return sum;
  }
  if (operator === '*') {
    if (isInteger(right)) return repeated(left, asInteger(right));
    if (isInteger(left)) return repeated(right, asInteger(left));
  }
  throw unsupported(operator, left, right);
}

function unsupported(operator: BinaryOperator, left: Value, right: Value): PythonError {
  if (operator === '+' && isText(left)) return typeError(`can only concatenate str (not "${typeName(right)}") to str`);
  if (operator === '+' && (Array.isArray(left) || left instanceof Tuple)) {
    return typeError(`can only concatenate ${typeName(left)} (not "${typeName(right)}") to ${typeName(left)}`);
  }
  if (operator === '*' && (sequenceOf(left) || isText(left)))
    return typeError(`can't multiply sequence by non-int of type '${typeName(right)}'`);
  if (operator === '*' && (sequenceOf(right) || isText(right)))
    return typeError(`can't multiply sequence by non-int of type '${typeName(left)}'`);
  const symbol = operator === '**' ? '** or pow()' : operator;
  return typeError(`unsupported operand type(s) for ${symbol}: '${typeName(left)}' and '${typeName(right)}'`);
}

function concatenated(left: Value, right: Value): Value | undefined {
  if (left instanceof Markup && isText(right)) return new Markup(left.text + escapeValue(right).text);
  if (right instanceof Markup && typeof left === 'string') return new Markup(escapeValue(left).text + right.text);
  if (typeof left === 'string' && typeof right === 'string') return bounded(left.length + right.length, () => left + right);
  if (Array.isArray(left) && Array.isArray(right)) return [...left, ...right];
  if (left instanceof Tuple && right instanceof Tuple) return new Tuple([...left.items, ...right.items]);
  return undefined;
}

function repeated(value: Value, count: bigint): Value {
  const times = count < 0n ? 0 : Number(count);
  if (typeof value === 'string') return bounded(value.length * times, () => value.repeat(times));
  if (value instanceof Markup) return bounded(value.text.length * times, () => new Markup(value.text.repeat(times)));
  const items = sequenceOf(value);
  if (items === undefined) throw typeError(`unsupported operand type(s) for *: '${typeName(value)}' and 'int'`);
  const all = bounded(items.length * times * 8, () => Array.from({ length: times }, () => items).flat());
  return Array.isArray(value) ? all : new Tuple(all);
}

function bounded<T>(size: number, make: () => T): T {
  if (size > largestResult) throw new LimitReached('size', largestResult);
  return make();
}

const zeroDivision = (message: string) => new PythonError('ZeroDivisionError', message);

function integerArithmetic(left: bigint, operator: BinaryOperator, right: bigint): bigint | number {
  switch (operator) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return bounded(bits(left) + bits(right) - largestIntegerBits + largestResult, () => left * right);
    case '/':
      if (right === 0n) throw zeroDivision('division by zero');
      return integerQuotient(left, right);
    case '//':
      if (right === 0n) throw zeroDivision('integer division or modulo by zero');
      return floorDivide(left, right);
    case '%':
      if (right === 0n) throw zeroDivision('integer modulo by zero');
      return left - floorDivide(left, right) * right;
    case '**':
      if (right < 0n) {
        if (left === 0n) throw zeroDivision('0.0 cannot be raised to a negative power');
        return asFloat(left) ** Number(right);
      }
      if (left === 0n || left === 1n) return right === 0n ? 1n : left;
      if (left === -1n) return right % 2n === 0n ? 1n : -1n;
      if (right > BigInt(largestIntegerBits) || bits(left) * Number(right) > largestIntegerBits)
        throw new LimitReached('size', largestIntegerBits);
      return left ** right;
  }
}

const bits = (value: bigint): number => (value > -(2n ** 64n) && value < 2n ** 64n ? 64 : value.toString(16).length * 4);

/** Exact even where the operands themselves are no floats. */
function integerQuotient(left: bigint, right: bigint): number {
  const quotient = Number(left) / Number(right);
  if (Number.isFinite(quotient) && !Number.isNaN(quotient)) return quotient;
  const whole = Number(left / right);
  if (!Number.isFinite(whole)) throw new PythonError('OverflowError', 'integer division result too large for a float');
  return whole;
}

function floorDivide(left: bigint, right: bigint): bigint {
  const quotient = left / right;
  return left % right !== 0n && left < 0n !== right < 0n ? quotient - 1n : quotient;
}

function floatArithmetic(left: number, operator: BinaryOperator, right: number): number {
  switch (operator) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '/':
      if (right === 0) throw zeroDivision('float division by zero');
      return left / right;
    case '//':
      if (right === 0) throw zeroDivision('float floor division by zero');
      return Math.floor((left - floatModulo(left, right)) / right + 0.5);
    case '%':
      if (right === 0) throw zeroDivision('float modulo');
      return floatModulo(left, right);
    case '**': {
      if (left === 0 && right < 0) throw zeroDivision('0.0 cannot be raised to a negative power');
      const power = right === 0 || left === 1 ? 1 : left ** right;
      if (!Number.isFinite(power) && Number.isFinite(left) && Number.isFinite(right)) {
        throw new PythonError('OverflowError', "(34, 'Numerical result out of range')");
      }
      return power;
    }
  }
}

function floatModulo(left: number, right: number): number {
  const rest = left % right;
  if (rest === 0) return right < 0 ? -0 : 0;
  return rest < 0 !== right < 0 ? rest + right : rest;
}

export function negated(value: Value): Value {
  if (value instanceof Undefined) value.fail();
  if (typeof value === 'number') return -value;
  if (isInteger(value)) return -asInteger(value);
  throw typeError(`bad operand type for unary -: '${typeName(value)}'`);
}

export function affirmed(value: Value): Value {
  if (value instanceof Undefined) value.fail();
  if (typeof value === 'number') return value;
  if (isInteger(value)) return asInteger(value);
  throw typeError(`bad operand type for unary +: '${typeName(value)}'`);
}

// --- subscripts ----------------------------------------------------------------------------------------------------

export class Slice {
  readonly start: Value;
  readonly stop: Value;
  readonly step: Value;

  constructor(start: Value, stop: Value, step: Value) {
    this.start = start;
    this.stop = stop;
    this.step = step;
  }
}

/** `object[key]`; undefined when Python would raise LookupError, TypeError or AttributeError. */
export function subscript(object: Value, key: Value): Value | undefined {
  if (object instanceof Dict) {
    if (Array.isArray(key) || key instanceof Dict || (key instanceof Undefined && key.mode === 'strict')) return undefined;
    return object.get(key);
  }
  if (object instanceof Instance) return object.item(key);
  if (!isInteger(key)) return undefined;
  const index = Number(asInteger(key));
  if (Array.isArray(object)) return object.at(index);
  if (object instanceof Tuple) return object.items.at(index);
  if (typeof object === 'string') return characterAt(object, index);
  if (object instanceof Markup) {
    const character = characterAt(object.text, index);
    return character === undefined ? undefined : new Markup(character);
  }
  if (object instanceof Range) {
    const place = index < 0 ? index + object.length : index;
    return place >= 0 && place < object.length ? object.at(place) : undefined;
  }
  return undefined;
}

function characterAt(text: string, index: number): string | undefined {
  const all = characters(text);
  return all[index < 0 ? index + all.length : index];
}

/** `object[start:stop:step]`; undefined when the object cannot be sliced. */
export function sliced(object: Value, slice: Slice): Value | undefined {
  if (typeof object === 'string') return pick(characters(object), slice).join('');
  if (object instanceof Markup) return new Markup(pick(characters(object.text), slice).join(''));
  if (Array.isArray(object)) return pick(object, slice);
  if (object instanceof Tuple) return new Tuple(pick(object.items, slice));
  if (object instanceof Range) {
    const { start, stop, step } = bounds(slice, object.length);
    return new Range(object.at(start), object.at(stop), object.step * BigInt(step));
  }
  return undefined;
}

function bounds(slice: Slice, length: number): { start: number; stop: number; step: number } {
  const whole = (value: Value, otherwise: number): number => {
    if (value === null) return otherwise;
    if (!isInteger(value)) throw typeError('slice indices must be integers or None or have an __index__ method');
    return Number(asInteger(value));
  };
  const step = whole(slice.step, 1);
  if (step === 0) throw valueError('slice step cannot be zero');
  const [low, high] = step > 0 ? [0, length] : [-1, length - 1];
  const clamp = (value: Value, otherwise: number): number => {
    if (value === null) return otherwise;
    const index = whole(value, 0);
    return Math.min(high, Math.max(low, index < 0 ? index + length : index));
  };
  return step > 0
    ? { start: clamp(slice.start, 0), stop: clamp(slice.stop, length), step }
    : { start: clamp(slice.start, length - 1), stop: clamp(slice.stop, -1), step };
}

function pick<T>(items: ArrayLike<T>, slice: Slice): T[] {
  const { start, stop, step } = bounds(slice, items.length);
  const picked: T[] = [];
  for (let index = start; step > 0 ? index < stop : index > stop; index += step) picked.push(items[index] as T);
  return picked;
}
