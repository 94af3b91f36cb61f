import { arithmetic, contains, isEqual, isIterable, isOrdered, lengthOf, type Ordering } from '../python/operators.ts';
import { percentFormat } from '../python/format.ts';
import { bind, type Parameter } from '../python/signature.ts';
import { textOf } from '../python/text.ts';
import { Callable, Dict, Instance, isNumber, isText, Iterator, Markup, PythonError, Undefined, type Value } from '../python/values.ts';
import type { Applied, CallScope } from './environment.ts';

function test(name: string, parameters: readonly Parameter[], run: (values: Value[], scope: CallScope) => boolean): [string, Applied] {
  return [name, (scope, args) => run(bind(`test_${name}`, parameters, args).values, scope)];
}

const remainder = (value: Value, by: Value): Value => arithmetic(value, '%', by, percentFormat);
const isCased = (text: string) => text.toLowerCase() !== text.toUpperCase();

function isSequence(value: Value): boolean {
  if (value instanceof Iterator) return false;
  if (value instanceof Undefined) return value.mode !== 'strict';
  try {
    lengthOf(value);
    return !(value instanceof Instance);
  } catch (error) {
    if (error instanceof PythonError) return false;
    throw error;
  }
}

function isSame(value: Value, other: Value): boolean {
  return typeof value === typeof other && Object.is(value, other);
}

const comparison = (names: readonly string[], operator: Ordering) =>
  names.map((name) => test(name, ['a', 'b'], ([a = null, b = null]) => isOrdered(a, operator, b)));
const equality = (names: readonly string[], equal: boolean) =>
  names.map((name) => test(name, ['a', 'b'], ([a = null, b = null]) => isEqual(a, b) === equal));

/** The tests that Jinja2 3.1 has built in. */
export const jinjaTests: readonly [string, Applied][] = [
  test('odd', ['value'], ([value = null]) => isEqual(remainder(value, 2n), 1n)),
  test('even', ['value'], ([value = null]) => isEqual(remainder(value, 2n), 0n)),
  test('divisibleby', ['value', 'num'], ([value = null, by = null]) => isEqual(remainder(value, by), 0n)),
  test('defined', ['value'], ([value = null]) => !(value instanceof Undefined)),
  test('undefined', ['value'], ([value = null]) => value instanceof Undefined),
  test('filter', ['value'], ([value = null], scope) => typeof value === 'string' && scope.environment.filters.has(value)),
  test('test', ['value'], ([value = null], scope) => typeof value === 'string' && scope.environment.tests.has(value)),
  test('none', ['value'], ([value = null]) => value === null),
  test('boolean', ['value'], ([value = null]) => typeof value === 'boolean'),
  test('false', ['value'], ([value = null]) => value === false),
  test('true', ['value'], ([value = null]) => value === true),
  test('integer', ['value'], ([value = null]) => typeof value === 'bigint'),
  test('float', ['value'], ([value = null]) => typeof value === 'number'),
  test('number', ['value'], ([value = null]) => isNumber(value)),
  test('string', ['value'], ([value = null]) => isText(value)),
  test('mapping', ['value'], ([value = null]) => value instanceof Dict),
  test('sequence', ['value'], ([value = null]) => isSequence(value)),
  test('iterable', ['value'], ([value = null]) => {
    if (value instanceof Undefined) value.failIfStrict();
    return isIterable(value);
  }),
  test(
    'callable',
    ['value'],
    ([value = null]) => value instanceof Callable || value instanceof Undefined || (value instanceof Instance && value.isCallable()),
  ),
  test('sameas', ['value', 'other'], ([value = null, other = null]) => isSame(value, other)),
  test('escaped', ['value'], ([value = null]) => value instanceof Markup || (value instanceof Undefined && value.mode === 'chainable')),
  test('lower', ['value'], ([value = null]) => isCased(textOf(value)) && textOf(value) === textOf(value).toLowerCase()),
  test('upper', ['value'], ([value = null]) => isCased(textOf(value)) && textOf(value) === textOf(value).toUpperCase()),
  test('in', ['value', 'seq'], ([value = null, seq = null]) => contains(seq, value)),
  ...equality(['==', 'eq', 'equalto'], true),
  ...equality(['!=', 'ne'], false),
  ...comparison(['>', 'gt', 'greaterthan'], '>'),
  ...comparison(['ge', '>='], '>='),
  ...comparison(['<', 'lt', 'lessthan'], '<'),
  ...comparison(['<=', 'le'], '<='),
];
