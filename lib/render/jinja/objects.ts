import { lengthOf } from '../python/operators.ts';
import { pairsOf } from '../python/attributes.ts';
import { builtin } from '../python/signature.ts';
import { reprOf, textOf } from '../python/text.ts';
import {
  type Arguments,
  Callable,
  Dict,
  Instance,
  Iterator,
  PythonError,
  Range,
  typeError,
  Undefined,
  type Value,
} from '../python/values.ts';
import { isEqual } from '../python/operators.ts';
import { type Environment, undefinedHint } from './environment.ts';

/** `loop`. Looks one item ahead, so that `last` and `nextitem` know. */
export class LoopObject extends Instance {
  readonly typeName = 'jinja2.runtime.LoopContext';
  readonly #source: Value;
  readonly #environment: Environment;
  readonly #depth0: number;
  readonly #recurse: ((items: Value, depth0: number) => Value) | undefined;
  #rest: globalThis.Iterator<Value>;
  #ahead: IteratorResult<Value>;
  #index0 = -1;
  #length: number | undefined;
  #previous: Value | undefined;
  #current: Value | undefined;
  #changed: readonly Value[] | undefined;

  constructor(environment: Environment, items: Value, depth0: number, recurse?: (items: Value, depth0: number) => Value) {
    super();
    this.#environment = environment;
    this.#source = items;
    this.#depth0 = depth0;
    this.#recurse = recurse;
    this.#rest = environment.semantics.iterate(items)[Symbol.iterator]();
    this.#ahead = this.#rest.next();
  }

  /** The next item, or undefined at the end. */
  advance(): { readonly value: Value } | undefined {
    if (this.#ahead.done) return undefined;
    const { value } = this.#ahead;
    this.#ahead = this.#rest.next();
    this.#index0 += 1;
    this.#previous = this.#current;
    this.#current = value;
    return { value };
  }

  #count(): number {
    if (this.#length === undefined) {
      if (this.#source instanceof Iterator || (this.#source instanceof Instance && this.#source.size() === undefined)) {
        const rest: Value[] = this.#ahead.done ? [] : [this.#ahead.value];
        for (let step = this.#rest.next(); !step.done; step = this.#rest.next()) rest.push(step.value);
        this.#rest = rest[Symbol.iterator]();
        this.#ahead = this.#rest.next();
        this.#length = rest.length + this.#index0 + 1;
      } else this.#length = lengthOf(this.#source);
    }
    return this.#length;
  }

  attribute(name: string): Value | undefined {
    switch (name) {
      case 'index':
        return BigInt(this.#index0 + 1);
      case 'index0':
        return BigInt(this.#index0);
      case 'revindex':
        return BigInt(this.#count() - this.#index0);
      case 'revindex0':
        return BigInt(this.#count() - this.#index0 - 1);
      case 'first':
        return this.#index0 === 0;
      case 'last':
        return this.#ahead.done === true;
      case 'length':
        return BigInt(this.#count());
      case 'depth':
        return BigInt(this.#depth0 + 1);
      case 'depth0':
        return BigInt(this.#depth0);
      case 'previtem':
        return this.#index0 === 0 ? undefinedHint(this.#environment, 'there is no previous item') : (this.#previous ?? null);
      case 'nextitem':
        return this.#ahead.done ? undefinedHint(this.#environment, 'there is no next item') : this.#ahead.value;
      case 'cycle':
        return builtin(name, ['*values'], (_, { rest }) => {
          if (rest.length === 0) throw typeError('no items for cycling given');
          return rest[this.#index0 % rest.length] ?? null;
        });
      case 'changed':
        return builtin(name, ['*values'], (_, { rest }) => {
          const same = this.#changed?.length === rest.length && this.#changed.every((value, index) => isEqual(value, rest[index] ?? null));
          this.#changed = rest;
          return !same;
        });
      default:
        return undefined;
    }
  }

  override isCallable(): boolean {
    return true;
  }

  override call({ positional: [items = null] }: Arguments): Value {
    if (!this.#recurse) throw typeError("The loop must have the 'recursive' marker to be called recursively.");
    return this.#recurse(items, this.#depth0 + 1);
  }

  override size(): number {
    return this.#count();
  }

  override text(): string {
    return this.#environment.semantics.loopText?.(this.#index0, this.#count()) ?? `<LoopContext ${this.#index0 + 1}/${this.#count()}>`;
  }
}

export class Namespace extends Instance {
  readonly typeName: string = 'jinja2.utils.Namespace';
  readonly fields = new Map<string, Value>();

  attribute(name: string): Value | undefined {
    return this.fields.get(name);
  }

  override item(key: Value): Value | undefined {
    return typeof key === 'string' ? this.fields.get(key) : undefined;
  }

  override assign(name: string, value: Value): boolean {
    this.fields.set(name, value);
    return true;
  }

  override text(): string {
    return `<Namespace ${reprOf(Dict.of(this.fields))}>`;
  }
}

class Cycler extends Instance {
  readonly typeName = 'jinja2.utils.Cycler';
  readonly #items: readonly Value[];
  #at = 0;

  constructor(items: readonly Value[]) {
    super();
    this.#items = items;
  }

  attribute(name: string): Value | undefined {
    if (name === 'current') return this.#items[this.#at] ?? null;
    if (name === 'items') return [...this.#items];
    if (name === 'pos') return BigInt(this.#at);
    if (name === 'reset') {
      return builtin(name, [], () => {
        this.#at = 0;
        return null;
      });
    }
    if (name !== 'next') return undefined;
    return builtin(name, [], () => {
      const item = this.#items[this.#at] ?? null;
      this.#at = (this.#at + 1) % this.#items.length;
      return item;
    });
  }
}

class Joiner extends Instance {
  readonly typeName = 'jinja2.utils.Joiner';
  readonly #separator: Value;
  #used = false;

  constructor(separator: Value) {
    super();
    this.#separator = separator;
  }

  attribute(name: string): Value | undefined {
    if (name === 'sep') return this.#separator;
    return name === 'used' ? this.#used : undefined;
  }

  override isCallable(): boolean {
    return true;
  }

  override call(): Value {
    const text = this.#used ? this.#separator : '';
    this.#used = true;
    return text;
  }
}

/** An imported template: what it set at its top, and its text. */
export class TemplateModule extends Instance {
  readonly typeName = 'jinja2.environment.TemplateModule';
  readonly #name: string;
  readonly #exported: ReadonlyMap<string, Value>;
  readonly #text: string;

  constructor(name: string, exported: ReadonlyMap<string, Value>, text: string) {
    super();
    this.#name = name;
    this.#exported = exported;
    this.#text = text;
  }

  attribute(name: string): Value | undefined {
    return name.startsWith('_') ? undefined : this.#exported.get(name);
  }

  override text(): string {
    return this.#text;
  }

  get name(): string {
    return this.#name;
  }
}

/** `range`, `dict`, `namespace`, `cycler`, `joiner`. `lipsum` is random by nature and left out. */
export function jinjaGlobals(): Map<string, Value> {
  return new Map<string, Value>([
    ['range', new Callable('range', 'class', (args) => rangeOf(args))],
    [
      'dict',
      new Callable('dict', 'class', ({ positional, named }) => {
        if (positional.length > 1) throw typeError(`dict expected at most 1 argument, got ${positional.length}`);
        return Dict.of([...positional.flatMap(pairsOf), ...named]);
      }),
    ],
    [
      'namespace',
      new Callable('namespace', 'class', ({ positional, named }) => {
        const namespace = new Namespace();
        for (const [key, value] of [...positional.flatMap(pairsOf), ...named]) namespace.fields.set(textOf(key), value);
        return namespace;
      }),
    ],
    [
      'cycler',
      new Callable('cycler', 'class', ({ positional }) => {
        if (positional.length === 0) throw new PythonError('RuntimeError', 'at least one item has to be provided');
        return new Cycler(positional);
      }),
    ],
    ['joiner', builtin('joiner', [['sep', ', ']], ([separator = ', ']) => new Joiner(separator))],
  ]);
}

function rangeOf({ positional }: Arguments): Value {
  const whole = positional.map((value) => {
    if (value instanceof Undefined) value.fail();
    if (typeof value === 'boolean') return BigInt(value);
    if (typeof value !== 'bigint')
      throw typeError(
        `'${value === null ? 'NoneType' : typeof value === 'number' ? 'float' : typeof value === 'string' ? 'str' : 'list'}' object cannot be interpreted as an integer`,
      );
    return value;
  });
  const [first, second, step = 1n] = whole;
  if (first === undefined) throw typeError('range expected at least 1 argument, got 0');
  if (whole.length > 3) throw typeError(`range expected at most 3 arguments, got ${whole.length}`);
  return second === undefined ? new Range(0n, first, 1n) : new Range(first, second, step);
}
