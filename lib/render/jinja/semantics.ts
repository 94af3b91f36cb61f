import { percentFormat } from '../python/format.ts';
import { arithmetic, type BinaryOperator, contains, isEqual, isOrdered, isTrue, iterate, type Ordering } from '../python/operators.ts';
import { escapeValue, textOf } from '../python/text.ts';
import type { Arguments, Markup, Value } from '../python/values.ts';
import { type Environment, getAttribute, getItem } from './environment.ts';

/** What operators and lookups mean. Two dialects share one interpreter and differ here. */
export interface Semantics {
  text(value: Value): string;
  escape(value: Value): Markup;
  isTrue(value: Value): boolean;
  iterate(value: Value): Iterable<Value>;
  arithmetic(left: Value, operator: BinaryOperator, right: Value): Value;
  negate?(value: Value): Value;
  isEqual(left: Value, right: Value): boolean;
  isOrdered(left: Value, operator: Ordering, right: Value): boolean;
  contains(container: Value, value: Value): boolean;
  attribute(environment: Environment, object: Value, name: string): Value;
  item(environment: Environment, object: Value, key: Value): Value;
  /** `object.name(…)`; absent: the attribute is called. Undefined: there is no such method, the attribute is called. */
  method?(environment: Environment, object: Value, name: string, args: Arguments): Value | undefined;
  /** Whether `without context`, unscoped blocks and parallel `with` mean anything; minijinja sees everything everywhere. */
  readonly hasScopes: boolean;
  /** How the loop object is printed. */
  loopText?(index0: number, length: number): string;
}

export const pythonSemantics: Semantics = {
  text: textOf,
  escape: escapeValue,
  isTrue,
  iterate,
  arithmetic: (left, operator, right) => arithmetic(left, operator, right, percentFormat),
  isEqual,
  isOrdered,
  contains,
  attribute: getAttribute,
  item: getItem,
  hasScopes: true,
};
