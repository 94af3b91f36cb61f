import { type Arguments, Callable, Iterator, Tuple, typeError, type Value } from './values.ts';

/** A required parameter, or one with its default; `*rest` gathers positional and `**named` keyword arguments. */
export type Parameter = string | readonly [name: string, otherwise: Value];

/** Values in the order of the parameters; `*rest` as an array, `**named` as a Map. */
export type Bound = readonly Value[] & { readonly named?: ReadonlyMap<string, Value> };

/** Binds a call's arguments to parameters as Python does, with its errors. */
export function bind(
  functionName: string,
  parameters: readonly Parameter[],
  args: Arguments,
): { values: Value[]; rest: Value[]; named: Map<string, Value> } {
  const values: Value[] = [];
  const rest: Value[] = [];
  const named = new Map(args.named);
  let takesRest = false;
  let takesNamed = false;
  let place = 0;
  const missing: string[] = [];
  for (const parameter of parameters) {
    const name = typeof parameter === 'string' ? parameter : parameter[0];
    if (name.startsWith('**')) takesNamed = true;
    else if (name.startsWith('*')) takesRest = true;
    else {
      const given = named.get(name);
      if (!takesRest && place < args.positional.length) {
        if (given !== undefined) throw typeError(`${functionName}() got multiple values for argument '${name}'`);
        values.push(args.positional[place] ?? null);
        place += 1;
      } else if (given !== undefined) {
        values.push(given);
        named.delete(name);
      } else if (typeof parameter === 'string') missing.push(name);
      else values.push(parameter[1]);
    }
  }
  if (missing.length > 0) {
    const list = missing.map((name) => `'${name}'`).join(' and ');
    throw typeError(`${functionName}() missing ${missing.length} required positional argument${missing.length === 1 ? '' : 's'}: ${list}`);
  }
  if (takesRest) rest.push(...args.positional.slice(place));
  else if (args.positional.length > place) {
    const takes = parameters.filter((parameter) => !String(parameter).startsWith('**')).length;
    throw typeError(
      `${functionName}() takes ${takes} positional argument${takes === 1 ? '' : 's'} but ${args.positional.length} were given`,
    );
  }
  const [unexpected] = takesNamed ? [] : named.keys();
  if (unexpected !== undefined) throw typeError(`${functionName}() got an unexpected keyword argument '${unexpected}'`);
  return { values, rest, named };
}

export interface BoundCall {
  readonly rest: Value[];
  readonly named: Map<string, Value>;
}

/** A builtin method or function with Python's rules for its arguments. */
export function builtin(name: string, parameters: readonly Parameter[], run: (values: Value[], call: BoundCall) => Value): Callable {
  return new Callable(name, 'builtin', (args) => {
    const { values, rest, named } = bind(name, parameters, args);
    return run(values, { rest, named });
  });
}

export const positional = (...values: Value[]): Arguments => ({ positional: values, named: new Map() });

/** `list(zip(...))` in miniature: what unpacking needs. */
export const pair = (first: Value, second: Value): Tuple => new Tuple([first, second]);

export const iterator = (name: string, source: Iterable<Value>): Iterator => new Iterator(name, source);
