import type { SourceFile } from '../../base/index.ts';
import { attributeOf } from '../python/attributes.ts';
import { subscript } from '../python/operators.ts';
import { reprOf } from '../python/text.ts';
import {
  type Arguments,
  Instance,
  isText,
  orElse,
  PythonError,
  typeName,
  Undefined,
  type UndefinedMode,
  type Value,
} from '../python/values.ts';
import type { Template } from './ast.ts';
import type { ParserOptions } from './parser.ts';
import type { Semantics } from './semantics.ts';

/** A filter or test; the first positional argument is what it is applied to. */
export type Applied = (scope: CallScope, args: Arguments) => Value;

/** What filters may use of the render that they run in. */
export interface CallScope {
  readonly environment: Environment;
  readonly autoescape: boolean;
  filter(name: string, args: Arguments): Value;
  test(name: string, args: Arguments): boolean;
}

export interface Limits {
  /** Statements, expressions and iterations of one render. */
  readonly steps: number;
  /** Macros, includes and recursive loops inside each other. */
  readonly depth: number;
  /** UTF-16 units of output. */
  readonly size: number;
}

/** All that a render depends on besides its data. */
export interface Environment {
  readonly parser: ParserOptions;
  readonly undefinedMode: UndefinedMode;
  readonly autoescape: boolean;
  readonly filters: ReadonlyMap<string, Applied>;
  readonly tests: ReadonlyMap<string, Applied>;
  readonly globals: ReadonlyMap<string, Value>;
  readonly semantics: Semantics;
  readonly limits: Limits;
  /** In [0, 1); absent: `random` is a failure. */
  readonly random: (() => number) | undefined;
  source(name: string): SourceFile | undefined;
}

export interface TemplateSource {
  /** Parsed and checked; undefined when no loader knows it. */
  load(name: string): Template | undefined;
}

/** How Jinja names a value's type in messages. */
export function typeRepr(value: Value): string {
  if (value === null) return 'None';
  if (value instanceof Instance) return `${value.typeName} object`;
  const name = typeName(value);
  if (name === 'Markup') return 'markupsafe.Markup object';
  return `${name} object`;
}

export function undefinedName(environment: Environment, name: string): Undefined {
  return new Undefined(environment.undefinedMode, `'${name}' is undefined`, name, `{{ ${name} }}`);
}

export function undefinedHint(environment: Environment, message: string, name?: string): Undefined {
  return new Undefined(environment.undefinedMode, message, name, `{{ undefined value printed: ${message} }}`);
}

export function missingAttribute(environment: Environment, object: Value, key: Value): Undefined {
  const message = isText(key)
    ? `'${typeRepr(object)}' has no attribute ${reprOf(key)}`
    : `${typeRepr(object)} has no element ${reprOf(key)}`;
  return new Undefined(environment.undefinedMode, message, undefined, `{{ no such element: ${typeRepr(object)}[${reprOf(key)}] }}`);
}

/** `object.name`: the attribute, else the item. */
export function getAttribute(environment: Environment, object: Value, name: string): Value {
  if (object instanceof Undefined) return ofUndefined(object);
  return orElse(attributeOf(object, name), () => orElse(subscript(object, name), () => missingAttribute(environment, object, name)));
}

/** `object[key]`: the item, else the attribute. */
export function getItem(environment: Environment, object: Value, key: Value): Value {
  if (object instanceof Undefined) return ofUndefined(object);
  const item = subscript(object, key);
  if (item !== undefined) return item;
  if (isText(key))
    return orElse(attributeOf(object, typeof key === 'string' ? key : key.text), () => missingAttribute(environment, object, key));
  return missingAttribute(environment, object, key);
}

function ofUndefined(object: Undefined): Value {
  return object.mode === 'chainable' ? object : object.fail();
}

/** Takes a value apart for `a, b = value`. */
export function unpack(values: readonly Value[], count: number): readonly Value[] {
  if (values.length < count) throw new PythonError('ValueError', `not enough values to unpack (expected ${count}, got ${values.length})`);
  if (values.length > count) throw new PythonError('ValueError', `too many values to unpack (expected ${count})`);
  return values;
}
