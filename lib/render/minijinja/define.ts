import type { Applied, CallScope } from '../jinja/environment.ts';
import { isTrue } from '../python/operators.ts';
import { type Arguments, Undefined, type Value } from '../python/values.ts';
import { invalid, kindOf } from './semantics.ts';
import { miniText } from './text.ts';

/** Arguments by name; `number` and the like convert as minijinja's argument types do. */
export class Given {
  readonly scope: CallScope;
  readonly #values: ReadonlyMap<string, Value>;
  readonly rest: readonly Value[];

  constructor(scope: CallScope, values: ReadonlyMap<string, Value>, rest: readonly Value[]) {
    this.scope = scope;
    this.#values = values;
    this.rest = rest;
  }

  get(name: string): Value | undefined {
    const value = this.#values.get(name);
    return value === null || value instanceof Undefined ? undefined : value;
  }

  raw(name: string): Value | undefined {
    return this.#values.get(name);
  }

  count(name: string): number | undefined {
    const value = this.get(name);
    if (value === undefined) return undefined;
    if (typeof value !== 'bigint' || value < 0n) throw invalid(`cannot convert ${kindOf(value)} to usize`);
    return Number(value);
  }

  integer(name: string): number | undefined {
    const value = this.get(name);
    if (value === undefined) return undefined;
    if (typeof value !== 'bigint') throw invalid(`cannot convert ${kindOf(value)} to i64`);
    return Number(value);
  }

  flag(name: string): boolean {
    const value = this.get(name);
    return value !== undefined && isTrue(value);
  }

  /** The same call with one argument left. */
  only(name: string): Given {
    const value = this.#values.get(name);
    return new Given(this.scope, new Map(value === undefined ? [] : [[name, value]]), []);
  }

  text(name: string): string | undefined {
    const value = this.raw(name);
    if (value === undefined || value === null) return undefined;
    if (value instanceof Undefined) value.failIfStrict();
    return miniText(value);
  }
}

export interface Shape {
  /** Names of the positional arguments behind the input; one that begins with `*` takes all that follow. */
  readonly positional?: readonly string[];
  readonly keywords?: readonly string[];
  readonly required?: number;
}

export function miniFilter(name: string, shape: Shape, run: (input: Value, given: Given) => Value): [string, Applied] {
  const positional = shape.positional ?? [];
  return [
    name,
    (scope, args: Arguments) => {
      const [input, ...more] = args.positional;
      if (input === undefined) throw invalid('missing argument');
      const values = new Map<string, Value>();
      const takesAll = positional.at(-1)?.startsWith('*') ?? false;
      if (more.length > positional.length && !takesAll) throw invalid('too many arguments');
      if (more.length + args.named.size < (shape.required ?? 0)) throw invalid('missing argument');
      positional.forEach((parameter, index) => {
        const value = more[index];
        if (value !== undefined && !parameter.startsWith('*')) values.set(parameter, value);
      });
      for (const [key, value] of args.named) {
        if (!(shape.keywords ?? []).includes(key)) throw invalid('too many arguments: unexpected keyword arguments');
        values.set(key, value);
      }
      return run(input, new Given(scope, values, takesAll ? more.slice(positional.length - 1) : []));
    },
  ];
}
