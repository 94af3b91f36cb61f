import { getItem } from '../environment.ts';
import type { Applied, CallScope } from '../environment.ts';
import { bind, type BoundCall, type Parameter } from '../../python/signature.ts';
import { textOf } from '../../python/text.ts';
import { isText, Markup, PythonError, Undefined, type Value } from '../../python/values.ts';

/** A filter over parameters; the first is what it is applied to. */
export function filter(
  name: string,
  parameters: readonly Parameter[],
  run: (values: Value[], scope: CallScope, call: BoundCall) => Value,
): [string, Applied] {
  return [
    name,
    (scope, args) => {
      const { values, rest, named } = bind(`do_${name}`, parameters, args);
      return run(values, scope, { rest, named });
    },
  ];
}

export const argumentError = (message: string) => new PythonError('FilterArgumentError', message);

/** Text stays markup where it is; everything else becomes text. */
export function softText(value: Value): string | Markup {
  return isText(value) ? value : textOf(value);
}

/** Runs on the text and gives markup back for markup. */
export function onText(value: Value, change: (text: string) => string): Value {
  const text = softText(value);
  return text instanceof Markup ? new Markup(change(text.text)) : change(text);
}

export const lowered = (value: Value): Value => (isText(value) ? textOf(value).toLowerCase() : value);
export const unchanged = (value: Value): Value => value;

/** `attribute` of map, sort, groupby and the like: a dotted path or an index. */
export function attributeGetter(
  scope: CallScope,
  attribute: Value,
  after: (value: Value) => Value = unchanged,
  otherwise: Value = null,
): (item: Value) => Value {
  const parts: Value[] =
    attribute === null
      ? []
      : typeof attribute === 'string'
        ? attribute.split('.').map((part) => (/^\d+$/.test(part) ? BigInt(part) : part))
        : [attribute];
  return (item) => {
    let value = item;
    for (const part of parts) {
      value = getItem(scope.environment, value, part);
      if (otherwise !== null && value instanceof Undefined) value = otherwise;
    }
    return after(value);
  };
}
