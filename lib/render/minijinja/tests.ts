import { textOf } from '../python/text.ts';
import { Callable, Dict, isNumber, isText, Markup, Tuple, Undefined, type Value } from '../python/values.ts';
import type { Applied, CallScope } from '../jinja/environment.ts';
import { compareAny, invalid } from './semantics.ts';
import { miniText } from './text.ts';

function test(names: readonly string[], count: 0 | 1, run: (value: Value, other: Value, scope: CallScope) => boolean): [string, Applied][] {
  return names.map((name) => [
    name,
    (scope, { positional, named }) => {
      const [value, other, ...rest] = positional;
      if (value === undefined || (count === 1 && other === undefined)) throw invalid('missing argument');
      if (rest.length > 0 || (count === 0 && other !== undefined) || named.size > 0) throw invalid('too many arguments');
      return run(value, other ?? null, scope);
    },
  ]);
}

const integer = (value: Value): bigint | undefined =>
  typeof value === 'bigint' ? value : typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : undefined;
function nonZero(by: bigint | number | boolean): boolean {
  if (Number(by) === 0 && typeof by !== 'number') throw invalid('division by zero');
  return Number(by) !== 0;
}

const cased = (text: string) => text.toLowerCase() !== text.toUpperCase();

/** minijinja's builtin tests. */
export const miniTests: readonly [string, Applied][] = [
  ...test(['undefined'], 0, (value) => value instanceof Undefined),
  ...test(['defined'], 0, (value) => !(value instanceof Undefined)),
  ...test(['none'], 0, (value) => value === null),
  ...test(['safe', 'escaped'], 0, (value) => value instanceof Markup),
  ...test(['boolean'], 0, (value) => typeof value === 'boolean'),
  ...test(['odd'], 0, (value) => integer(value) !== undefined && (integer(value) ?? 0n) % 2n !== 0n),
  ...test(['even'], 0, (value) => integer(value) !== undefined && (integer(value) ?? 1n) % 2n === 0n),
  ...test(['divisibleby'], 1, (value, by) => isNumber(value) && isNumber(by) && nonZero(by) && Number(value) % Number(by) === 0),
  ...test(['number'], 0, (value) => isNumber(value)),
  ...test(['integer', 'int'], 0, (value) => typeof value === 'bigint'),
  ...test(['float'], 0, (value) => typeof value === 'number'),
  ...test(['string'], 0, isText),
  ...test(['sequence'], 0, (value) => Array.isArray(value) || value instanceof Tuple || value instanceof Undefined),
  ...test(['iterable'], 0, (value) => value !== null && !isNumber(value) && !(value instanceof Callable)),
  ...test(['mapping'], 0, (value) => value instanceof Dict),
  ...test(['startingwith'], 1, (value, other) => miniText(value).startsWith(miniText(other))),
  ...test(['endingwith'], 1, (value, other) => miniText(value).endsWith(miniText(other))),
  ...test(['lower'], 0, (value) => isText(value) && cased(textOf(value)) && textOf(value) === textOf(value).toLowerCase()),
  ...test(['upper'], 0, (value) => isText(value) && cased(textOf(value)) && textOf(value) === textOf(value).toUpperCase()),
  ...test(['sameas'], 1, (value, other) => typeof value === typeof other && Object.is(value, other)),
  ...test(['eq', 'equalto', '=='], 1, (value, other) => compareAny(value, other) === 0),
  ...test(['ne', '!='], 1, (value, other) => compareAny(value, other) !== 0),
  ...test(['lt', 'lessthan', '<'], 1, (value, other) => compareAny(value, other) < 0),
  ...test(['le', '<='], 1, (value, other) => compareAny(value, other) <= 0),
  ...test(['gt', 'greaterthan', '>'], 1, (value, other) => compareAny(value, other) > 0),
  ...test(['ge', '>='], 1, (value, other) => compareAny(value, other) >= 0),
  ...test(['in'], 1, (value, other, scope) => (value instanceof Undefined ? false : scope.environment.semantics.contains(other, value))),
  ...test(['true'], 0, (value) => value === true),
  ...test(['false'], 0, (value) => value === false),
  ...test(['filter'], 0, (value, _other, scope) => scope.environment.filters.has(miniText(value))),
  ...test(['test'], 0, (value, _other, scope) => scope.environment.tests.has(miniText(value))),
];
