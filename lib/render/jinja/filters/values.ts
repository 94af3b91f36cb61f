import { arithmetic, isTrue, negated } from '../../python/operators.ts';
import { percentFormat } from '../../python/format.ts';
import { roundFloat, toFloat, toInteger } from '../../python/numbers.ts';
import { dumpJson } from '../../python/json.ts';
import { prettyRepr } from '../../python/pretty.ts';
import { isInteger, isNumber, Markup, PythonError, typeError, typeName, Undefined, type Value } from '../../python/values.ts';
import type { Applied } from '../environment.ts';
import { argumentError, filter } from './define.ts';

/** Runs a conversion; `otherwise` where Python raises one of the kinds. */
function converted<T>(kinds: readonly string[], run: () => T, otherwise: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof PythonError && kinds.includes(error.kind)) return otherwise();
    throw error;
  }
}

export function absolute(value: Value): Value {
  if (value instanceof Undefined) value.fail();
  if (!isNumber(value)) throw typeError(`bad operand type for abs(): '${typeName(value)}'`);
  if (typeof value === 'number') return Math.abs(value);
  return Number(value) < 0 ? negated(value) : toInteger(value);
}

function rounded(value: Value, precision: Value, method: Value): Value {
  if (method !== 'common' && method !== 'ceil' && method !== 'floor') throw argumentError('method must be common, ceil or floor');
  if (value instanceof Undefined) value.fail();
  if (!isNumber(value)) throw typeError(`type ${typeName(value)} doesn't define __round__ method`);
  if (!isInteger(precision)) throw typeError(`'${typeName(precision)}' object cannot be interpreted as an integer`);
  const places = Number(precision);
  if (method !== 'common') {
    const scale = places >= 0 ? 10n ** BigInt(places) : 10 ** places;
    const scaled = arithmetic(value, '*', scale, percentFormat) as bigint | number;
    const whole = typeof scaled === 'bigint' ? scaled : toInteger(method === 'ceil' ? Math.ceil(scaled) : Math.floor(scaled));
    return arithmetic(whole, '/', scale, percentFormat);
  }
  if (typeof value === 'number') return roundFloat(value, places);
  if (places >= 0) return toInteger(value);
  const unit = 10n ** BigInt(-places);
  const integer = toInteger(value);
  const rest = ((integer % unit) + unit) % unit;
  const down = integer - rest;
  const isUp = rest * 2n > unit || (rest * 2n === unit && (down / unit) % 2n !== 0n);
  return isUp ? down + unit : down;
}

const undefinedFails = (value: Value): Value => (value instanceof Undefined ? value.fail() : value);

export const valueFilters: readonly [string, Applied][] = [
  filter('abs', ['value'], ([value = null]) => absolute(value)),
  ...['default', 'd'].map((name) =>
    filter(name, ['value', ['default_value', ''], ['boolean', false]], ([value = null, otherwise = null, boolean = null]) =>
      value instanceof Undefined || (isTrue(boolean) && !isTrue(value)) ? otherwise : value,
    ),
  ),
  filter('float', ['value', ['default', 0]], ([value = null, otherwise = null]) =>
    converted<Value>(
      ['TypeError', 'ValueError'],
      () => toFloat(undefinedFails(value)),
      () => otherwise,
    ),
  ),
  filter('int', ['value', ['default', 0n], ['base', 10n]], ([value = null, otherwise = null, base = null]) => {
    undefinedFails(value);
    return converted<Value>(
      ['TypeError', 'ValueError'],
      () => (typeof value === 'string' || value instanceof Markup ? toInteger(value, Number(base)) : toInteger(value)),
      () =>
        converted<Value>(
          ['TypeError', 'ValueError', 'OverflowError'],
          () => toInteger(toFloat(value)),
          () => otherwise,
        ),
    );
  }),
  filter('round', ['value', ['precision', 0n], ['method', 'common']], ([value = null, precision = null, method = null]) =>
    rounded(value, precision, method),
  ),
  filter(
    'tojson',
    ['value', ['indent', null]],
    ([value = null, indent = null]) => new Markup(htmlSafe(dumpJson(value, { indent, sortKeys: true }))),
  ),
  filter('pprint', ['value'], ([value = null]) => prettyRepr(value)),
];

const unsafe: Readonly<Record<string, string>> = { '<': '\\u003c', '>': '\\u003e', '&': '\\u0026', "'": '\\u0027' };

export const htmlSafe = (json: string) => json.replace(/[<>&']/g, (character) => unsafe[character] ?? character);
