import { attributeOf } from '../python/attributes.ts';
import {
  arithmetic,
  type BinaryOperator,
  compareText,
  contains,
  isEqual,
  isTrue,
  iterate,
  lengthOf,
  type Ordering,
  subscript,
} from '../python/operators.ts';
import { textOf } from '../python/text.ts';
import {
  type Arguments,
  Callable,
  Dict,
  DictView,
  Instance,
  isNumber,
  isText,
  Iterator,
  orElse,
  PythonError,
  Range,
  Tuple,
  Undefined,
  type Value,
} from '../python/values.ts';
import { undefinedHint, type Environment } from '../jinja/environment.ts';
import type { Semantics } from '../jinja/semantics.ts';
import { miniEscape, miniText } from './text.ts';

export const invalid = (message: string): PythonError => new PythonError('InvalidOperation', message);

const kinds = ['undefined', 'none', 'bool', 'number', 'string', 'bytes', 'sequence', 'map', 'iterator', 'plain object'] as const;

/** minijinja's name for the kind of a value. */
export function kindOf(value: Value): (typeof kinds)[number] {
  if (value instanceof Undefined) return 'undefined';
  if (value === null) return 'none';
  if (typeof value === 'boolean') return 'bool';
  if (isNumber(value)) return 'number';
  if (isText(value)) return 'string';
  if (Array.isArray(value) || value instanceof Tuple) return 'sequence';
  if (value instanceof Dict) return 'map';
  return value instanceof Iterator || value instanceof Range || value instanceof DictView ? 'iterator' : 'plain object';
}

/** A total order over everything: kinds first, then values. */
export function compareAny(left: Value, right: Value): number {
  const [a, b] = [kinds.indexOf(kindOf(left)), kinds.indexOf(kindOf(right))];
  if (a !== b) return a - b;
  if (isNumber(left) && isNumber(right)) return left < right ? -1 : left > right ? 1 : 0;
  if (isText(left) && isText(right)) return compareText(textOf(left), textOf(right));
  if (left instanceof Dict && right instanceof Dict) return compareAll(left.entries().flat(), right.entries().flat());
  if (kindOf(left) === 'sequence') return compareAll([...iterate(left)], [...iterate(right)]);
  return 0;
}

function compareAll(left: readonly Value[], right: readonly Value[]): number {
  for (let index = 0; index < Math.min(left.length, right.length); index += 1) {
    const difference = compareAny(left[index] ?? null, right[index] ?? null);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

const limit = 2n ** 127n;

function checked(value: Value, describe: () => string): Value {
  if (typeof value === 'bigint' && (value >= limit * 2n || value < -limit)) throw invalid(describe());
  return value;
}

function miniArithmetic(left: Value, operator: BinaryOperator, right: Value): Value {
  const impossible = () => invalid(`tried to use ${operator} operator on unsupported types ${kindOf(left)} and ${kindOf(right)}`);
  if (left instanceof Undefined || right instanceof Undefined) throw impossible();
  if (operator === '%' && isText(left)) throw impossible();
  if (operator === '+' && isText(left) && isText(right)) return textOf(left) + textOf(right);
  const failed = () => `unable to calculate ${miniText(left)} ${operator} ${miniText(right)}`;
  try {
    if (
      operator === '**' &&
      typeof left === 'bigint' &&
      typeof right === 'bigint' &&
      right >= 0n &&
      left !== 0n &&
      left !== 1n &&
      left !== -1n &&
      right > 127n
    )
      throw invalid(failed());
    return checked(
      arithmetic(left, operator, right, () => null),
      failed,
    );
  } catch (error) {
    if (error instanceof PythonError && error.kind === 'ZeroDivisionError') throw invalid(failed());
    if (error instanceof PythonError && error.kind !== 'InvalidOperation') throw impossible();
    throw error;
  }
}

/** A missing name or field. In the lenient mode looking into it is what fails. */
function lookInto(environment: Environment, object: Value, key: Value): Value {
  if (object instanceof Undefined) return object.mode === 'chainable' ? object : object.fail();
  const name = isText(key) ? textOf(key) : undefined;
  if (object instanceof Instance)
    return orElse(name === undefined ? undefined : object.attribute(name), () =>
      orElse(subscript(object, key), () => missing(environment, key)),
    );
  if (object instanceof Callable && name !== undefined) return orElse(object.attributes.get(name), () => missing(environment, key));
  if (object instanceof Tuple && object.names && name !== undefined)
    return orElse(attributeOf(object, name), () => missing(environment, key));
  if (isText(object) && typeof key === 'string') return missing(environment, key);
  return orElse(subscript(object, key), () => missing(environment, key));
}

const missing = (environment: Environment, key: Value): Value => undefinedHint(environment, `\`(...).${miniText(key)}\` is undefined`);

/** Methods that `--py-compat` adds. */
const compatible: Readonly<Record<string, readonly string[]>> = {
  string: [
    'capitalize',
    'count',
    'endswith',
    'find',
    'format',
    'isalnum',
    'isalpha',
    'isascii',
    'isdigit',
    'islower',
    'isnumeric',
    'isspace',
    'isupper',
    'join',
    'lower',
    'lstrip',
    'replace',
    'rfind',
    'rstrip',
    'split',
    'splitlines',
    'startswith',
    'strip',
    'title',
    'upper',
  ],
  map: ['get', 'items', 'keys', 'values'],
  sequence: ['count'],
};

/** The semantics of minijinja 3.0. `pyCompat` is what its flag `--py-compat` does. */
export function miniSemantics(pyCompat: boolean): Semantics {
  return {
    text: miniText,
    escape: miniEscape,
    isTrue,
    iterate(value) {
      if (value === null) return [];
      try {
        return iterate(value);
      } catch (error) {
        if (error instanceof PythonError && error.kind === 'TypeError') throw invalid(`${kindOf(value)} is not iterable`);
        throw error;
      }
    },
    arithmetic: miniArithmetic,
    negate(value) {
      if (typeof value === 'number') return -value;
      if (typeof value === 'bigint') return checked(-value, () => 'overflow');
      throw invalid('invalid operation');
    },
    isEqual(left, right) {
      if (left instanceof Undefined || right instanceof Undefined) return isEqual(left, right);
      return isEqual(left, right);
    },
    isOrdered(left, operator, right) {
      if (left instanceof Undefined) left.failIfStrict();
      if (right instanceof Undefined) right.failIfStrict();
      return holds(compareAny(left, right), operator);
    },
    contains(container, value) {
      if (container instanceof Undefined) container.failIfStrict();
      if (value instanceof Undefined) value.failIfStrict();
      if (container instanceof Undefined) return false;
      if (isText(container)) return textOf(container).includes(miniText(value));
      try {
        return contains(container, value);
      } catch (error) {
        if (error instanceof PythonError && error.kind === 'TypeError') throw invalid('cannot perform a containment check on this value');
        throw error;
      }
    },
    attribute: (environment, object, name) => lookInto(environment, object, name),
    item: (environment, object, key) => lookInto(environment, object, key),
    method(_environment: Environment, object: Value, name: string, args: Arguments): Value | undefined {
      if (object instanceof Undefined) return object.fail();
      if (object instanceof Instance) return undefined;
      if (object instanceof Dict) {
        const own = object.get(name);
        if (own instanceof Callable) return own.call(args);
      }
      const known = Object.hasOwn(compatible, kindOf(object)) && compatible[kindOf(object)]?.includes(name);
      const method = pyCompat && known ? attributeOf(object, name) : undefined;
      if (method instanceof Callable) return method.call(args);
      if (object instanceof Callable && object.attributes.has(name)) return undefined;
      throw new PythonError('UnknownMethod', `${kindOf(object)} has no method named ${name}`);
    },
    hasScopes: false,
    loopText: (index0, length) => `<loop ${index0}/${length}>`,
  };
}

function holds(difference: number, operator: Ordering): boolean {
  if (operator === '<') return difference < 0;
  if (operator === '<=') return difference <= 0;
  return operator === '>' ? difference > 0 : difference >= 0;
}

/** Length of what has one. */
export function miniLength(value: Value): bigint {
  if (value instanceof Undefined || value === null || isNumber(value) || value instanceof Callable) {
    throw invalid(`cannot calculate length of value of type ${kindOf(value)}`);
  }
  return BigInt(value instanceof Iterator ? [...value].length : lengthOf(value));
}
