import { Callable, Dict, DictView, Instance, Iterator, Markup, Range, Tuple, Undefined, type Value } from './values.ts';
import { textOf } from './text.ts';

/** Data that templates are rendered with: JSON, plus bigints, `Float` where an integral number is meant as a float, and functions. */
export type Data =
  | null
  | undefined
  | boolean
  | number
  | bigint
  | string
  | Float
  | TemplateFunction
  | readonly Data[]
  | ReadonlyMap<Data, Data>
  | { readonly [key: string]: Data };

/** A function that templates call. Named arguments come as the last parameter's fields. */
export interface TemplateFunction {
  (args: readonly Data[], named: Readonly<Record<string, Data>>): Data;
}

/** A float whose value may be integral: `1.0`. */
export class Float {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }
}

/** Integral numbers become ints, everything else keeps its type; only own properties are read. */
export function valueFrom(data: Data, name = 'function'): Value {
  if (data === null || data === undefined) return null;
  if (typeof data === 'boolean' || typeof data === 'string' || typeof data === 'bigint') return data;
  if (typeof data === 'number') return Number.isInteger(data) ? BigInt(data) : data;
  if (data instanceof Float) return data.value;
  if (typeof data === 'function') return callableFrom(name, data);
  if (Array.isArray(data)) return (data as readonly Data[]).map((item) => valueFrom(item));
  if (data instanceof Map) return Dict.of([...(data as ReadonlyMap<Data, Data>)].map(([key, item]) => [valueFrom(key), valueFrom(item)]));
  return Dict.of(Object.entries(data).map(([key, item]) => [key, valueFrom(item as Data, key)]));
}

function callableFrom(name: string, run: TemplateFunction): Callable {
  return new Callable(name, 'function', ({ positional, named }) =>
    valueFrom(run(positional.map(dataFrom), Object.fromEntries([...named].map(([key, item]) => [key, dataFrom(item)])))),
  );
}

/** What a caller's function gets. */
export function dataFrom(value: Value): Data {
  if (value === null || typeof value === 'boolean' || typeof value === 'string' || typeof value === 'number') return value;
  if (typeof value === 'bigint')
    return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
  if (Array.isArray(value)) return value.map(dataFrom);
  if (value instanceof Markup) return value.text;
  if (value instanceof Tuple) return value.items.map(dataFrom);
  if (value instanceof DictView) return value.items().map(dataFrom);
  if (value instanceof Range || value instanceof Iterator) return Array.from(value, dataFrom);
  if (value instanceof Dict) {
    const entries = value.entries();
    if (entries.every(([key]) => typeof key === 'string'))
      return Object.fromEntries(entries.map(([key, item]) => [key as string, dataFrom(item)]));
    return new Map(entries.map(([key, item]) => [dataFrom(key), dataFrom(item)]));
  }
  if (value instanceof Undefined) return undefined;
  if (value instanceof Callable || value instanceof Instance) return textOf(value);
  return null;
}
