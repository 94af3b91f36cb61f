/**
 * Python's values, as templates see them. int is `bigint`, float is `number`, str is `string`, list is an array; what JavaScript
 * has no type for is a class below. Nothing here ever reads a property of a JavaScript object by a template's name.
 */
export type Value =
  | null
  | boolean
  | bigint
  | number
  | string
  | Value[]
  | Markup
  | Tuple
  | Dict
  | Range
  | Iterator
  | DictView
  | Undefined
  | Callable
  | Instance;

/** An exception of the Python program. Never leaves the engine: the interpreter turns it into a failure with a place. */
export class PythonError extends Error {
  readonly kind: string;

  constructor(kind: string, message: string) {
    super(message);
    this.kind = kind;
  }
}

/** None is a value: only what is absent has an alternative, so `??` will not do. */
export function orElse(value: Value | undefined, otherwise: () => Value): Value {
  return value === undefined ? otherwise() : value;
}

export const typeError = (message: string) => new PythonError('TypeError', message);
export const valueError = (message: string) => new PythonError('ValueError', message);

/** Text that is already escaped. */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export class Tuple {
  readonly items: readonly Value[];
  /** Set for the pairs of `groupby`, whose items have names. */
  readonly names: readonly string[] | undefined;

  constructor(items: readonly Value[], names?: readonly string[]) {
    this.items = items;
    this.names = names;
  }
}

/** Insertion order; keys compare as Python's do (`1`, `1.0` and `True` are one key). */
export class Dict {
  readonly #entries = new Map<string | object, { key: Value; value: Value }>();

  static of(pairs: Iterable<readonly [Value, Value]>): Dict {
    const dict = new Dict();
    for (const [key, value] of pairs) dict.set(key, value);
    return dict;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: Value): Value | undefined {
    return this.#entries.get(hashKey(key))?.value;
  }

  has(key: Value): boolean {
    return this.#entries.has(hashKey(key));
  }

  set(key: Value, value: Value): void {
    const hash = hashKey(key);
    const entry = this.#entries.get(hash);
    if (entry) entry.value = value;
    else this.#entries.set(hash, { key, value });
  }

  delete(key: Value): boolean {
    return this.#entries.delete(hashKey(key));
  }

  clear(): void {
    this.#entries.clear();
  }

  keys(): Value[] {
    return [...this.#entries.values()].map((entry) => entry.key);
  }

  values(): Value[] {
    return [...this.#entries.values()].map((entry) => entry.value);
  }

  entries(): [Value, Value][] {
    return [...this.#entries.values()].map((entry) => [entry.key, entry.value]);
  }

  copy(): Dict {
    return Dict.of(this.entries());
  }
}

/** `dict.keys()`, `dict.values()`, `dict.items()`: live views. */
export class DictView {
  readonly dict: Dict;
  readonly kind: 'keys' | 'values' | 'items';

  constructor(dict: Dict, kind: DictView['kind']) {
    this.dict = dict;
    this.kind = kind;
  }

  items(): Value[] {
    if (this.kind === 'keys') return this.dict.keys();
    if (this.kind === 'values') return this.dict.values();
    return this.dict.entries().map((pair) => new Tuple(pair));
  }
}

export class Range {
  readonly start: bigint;
  readonly stop: bigint;
  readonly step: bigint;
  readonly length: number;

  constructor(start: bigint, stop: bigint, step: bigint) {
    if (step === 0n) throw valueError('range() arg 3 must not be zero');
    this.start = start;
    this.stop = stop;
    this.step = step;
    const span = step > 0n ? stop - start : start - stop;
    const stride = step > 0n ? step : -step;
    this.length = span <= 0n ? 0 : Number((span + stride - 1n) / stride);
  }

  at(index: number): bigint {
    return this.start + BigInt(index) * this.step;
  }

  *[Symbol.iterator](): globalThis.Iterator<Value> {
    for (let index = 0; index < this.length; index += 1) yield this.at(index);
  }
}

/** A generator or iterator: can be walked once. `name` is what its representation calls it. */
export class Iterator {
  readonly name: string;
  readonly #source: globalThis.Iterator<Value>;

  constructor(name: string, source: Iterable<Value>) {
    this.name = name;
    this.#source = source[Symbol.iterator]();
  }

  next(): { done: boolean; value: Value } {
    const step = this.#source.next();
    return step.done ? { done: true, value: null } : { done: false, value: step.value };
  }

  *[Symbol.iterator](): globalThis.Iterator<Value> {
    for (let step = this.next(); !step.done; step = this.next()) yield step.value;
  }
}

export type UndefinedMode = 'default' | 'chainable' | 'strict' | 'debug';

/** What a missing name, attribute or element evaluates to; what may be done with it depends on the mode. */
export class Undefined {
  readonly mode: UndefinedMode;
  readonly message: string;
  readonly name: string | undefined;
  /** How the debug mode prints it. */
  readonly debug: string;

  constructor(mode: UndefinedMode, message: string, name?: string, debug = '') {
    this.mode = mode;
    this.message = message;
    this.name = name;
    this.debug = debug;
  }

  fail(): never {
    throw new PythonError('UndefinedError', this.message);
  }

  /** For uses that only the strict mode forbids. */
  failIfStrict(): void {
    if (this.mode === 'strict') this.fail();
  }
}

export interface Arguments {
  readonly positional: readonly Value[];
  readonly named: ReadonlyMap<string, Value>;
}

/** A function, method, macro or class that templates may call. */
export class Callable {
  readonly name: string;
  readonly kind: 'function' | 'builtin' | 'class' | 'macro' | 'method';
  readonly call: (args: Arguments) => Value;
  readonly attributes: ReadonlyMap<string, Value>;

  constructor(name: string, kind: Callable['kind'], call: (args: Arguments) => Value, attributes: ReadonlyMap<string, Value> = new Map()) {
    this.name = name;
    this.kind = kind;
    this.call = call;
    this.attributes = attributes;
  }
}

/** An object of a class of Jinja's own: loop, namespace, cycler, joiner, an imported template. */
export abstract class Instance {
  /** As Python's `type(x).__name__` with its module: `jinja2.utils.Namespace`. */
  abstract readonly typeName: string;
  /** Undefined when there is no such attribute. */
  abstract attribute(name: string): Value | undefined;

  item(_key: Value): Value | undefined {
    return undefined;
  }

  assign(_name: string, _value: Value): boolean {
    return false;
  }

  text(): string {
    return `<${this.typeName} object>`;
  }

  call(_args: Arguments): Value {
    throw typeError(`'${this.typeName.split('.').at(-1)}' object is not callable`);
  }

  iterate(): Iterable<Value> | undefined {
    return undefined;
  }

  size(): number | undefined {
    return undefined;
  }

  isCallable(): boolean {
    return false;
  }
}

const identities = new WeakMap<object, string>();
let nextIdentity = 0;

function identityOf(value: object): string {
  let identity = identities.get(value);
  if (identity === undefined) {
    nextIdentity += 1;
    identity = `object:${nextIdentity}`;
    identities.set(value, identity);
  }
  return identity;
}

/** Equal keys have equal hashes. Fails for what Python cannot hash. */
export function hashKey(value: Value): string {
  if (typeof value === 'string') return `s${value}`;
  if (value === null) return 'none';
  if (typeof value === 'boolean') return value ? 'i1' : 'i0';
  if (typeof value === 'bigint') return `i${value}`;
  if (typeof value === 'number') return Number.isInteger(value) ? `i${BigInt(value)}` : `f${value}`;
  if (value instanceof Markup) return `s${value.text}`;
  if (value instanceof Tuple) return `t(${value.items.map((item) => JSON.stringify(hashKey(item))).join()})`;
  if (Array.isArray(value) || value instanceof Dict || value instanceof DictView) throw typeError(`unhashable type: '${typeName(value)}'`);
  if (value instanceof Undefined) {
    value.failIfStrict();
    return 'undefined';
  }
  return identityOf(value);
}

/** Python's `type(value).__name__`. */
export function typeName(value: Value): string {
  if (value === null) return 'NoneType';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'bigint') return 'int';
  if (typeof value === 'number') return 'float';
  if (typeof value === 'string') return 'str';
  if (Array.isArray(value)) return 'list';
  if (value instanceof Markup) return 'Markup';
  if (value instanceof Tuple) return value.names ? '_GroupTuple' : 'tuple';
  if (value instanceof Dict) return 'dict';
  if (value instanceof DictView) return `dict_${value.kind}`;
  if (value instanceof Range) return 'range';
  if (value instanceof Iterator) return value.name;
  if (value instanceof Undefined)
    return { default: 'Undefined', chainable: 'ChainableUndefined', strict: 'StrictUndefined', debug: 'DebugUndefined' }[value.mode];
  if (value instanceof Callable)
    return { function: 'function', builtin: 'builtin_function_or_method', class: 'type', macro: 'Macro', method: 'method' }[value.kind];
  return value.typeName.split('.').at(-1) ?? value.typeName;
}

export const isText = (value: Value): value is string | Markup => typeof value === 'string' || value instanceof Markup;
export const isNumber = (value: Value): value is bigint | number | boolean =>
  typeof value === 'bigint' || typeof value === 'number' || typeof value === 'boolean';
export const isInteger = (value: Value): value is bigint | boolean => typeof value === 'bigint' || typeof value === 'boolean';
