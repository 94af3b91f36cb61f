import { Namespace } from '../jinja/objects.ts';
import { Callable, Dict, Instance, Undefined, type Value } from '../python/values.ts';
import { builtin } from '../python/signature.ts';
import { invalid, kindOf } from './semantics.ts';

const longestRange = 100_000;

/** `range`, `dict`, `namespace`, `cycler`, `joiner`; `debug` prints internals and is left out. */
export function miniGlobals(): Map<string, Value> {
  return new Map<string, Value>([
    ['range', new Callable('range', 'function', ({ positional }) => range(positional))],
    [
      'dict',
      new Callable('dict', 'function', ({ positional: [source, ...rest], named }) => {
        if (rest.length > 0) throw invalid('too many arguments');
        if (source !== undefined && !(source instanceof Undefined) && !(source instanceof Dict)) throw invalid('invalid operation');
        return Dict.of([...(source instanceof Dict ? source.entries() : []), ...named]);
      }),
    ],
    [
      'namespace',
      new Callable('namespace', 'function', ({ positional: [source, ...rest], named }) => {
        if (rest.length > 0 || (source !== undefined && named.size > 0)) throw invalid('too many arguments');
        if (source !== undefined && !(source instanceof Dict)) throw invalid(`expected object or keyword arguments, got ${kindOf(source)}`);
        const namespace = new MiniNamespace();
        for (const [key, value] of source instanceof Dict ? source.entries() : named) namespace.fields.set(String(key), value);
        return namespace;
      }),
    ],
    [
      'cycler',
      new Callable('cycler', 'function', ({ positional: [items] }) => {
        if (!Array.isArray(items)) throw invalid('not iterable');
        return new Cycler(items);
      }),
    ],
    [
      'joiner',
      new Callable('joiner', 'function', ({ positional: [separator = ', '] }) => {
        let used = false;
        return new Callable('joiner', 'function', () => {
          const text = used ? separator : '';
          used = true;
          return text;
        });
      }),
    ],
  ]);
}

function range(positional: readonly Value[]): Value {
  const whole = positional.map((value) => {
    if (typeof value !== 'bigint') throw invalid(`cannot convert ${kindOf(value)} to isize`);
    return value;
  });
  const [first, second, step = 1n] = whole;
  if (first === undefined) throw invalid('missing argument');
  if (step === 0n) throw invalid('cannot create range with step of 0');
  const [start, stop] = second === undefined ? [0n, first] : [first, second];
  const span = step > 0n ? stop - start : start - stop;
  const stride = step > 0n ? step : -step;
  const length = span <= 0n ? 0n : (span + stride - 1n) / stride;
  if (length > BigInt(longestRange)) throw invalid('range has too many elements');
  return Array.from({ length: Number(length) }, (_, index) => start + BigInt(index) * step);
}

class MiniNamespace extends Namespace {
  override text(): string {
    return `{${[...this.fields].map(([key, value]) => `'${key}': ${String(value)}`).join(', ')}}`;
  }
}

class Cycler extends Instance {
  readonly typeName = 'cycler';
  readonly #items: readonly Value[];
  #at = 0;

  constructor(items: readonly Value[]) {
    super();
    this.#items = items;
  }

  attribute(name: string): Value | undefined {
    if (name === 'current') return this.#items[this.#at] ?? null;
    if (name !== 'next' && name !== 'reset') return undefined;
    return builtin(name, [], () => {
      const item = this.#items[this.#at] ?? null;
      this.#at = name === 'reset' ? 0 : (this.#at + 1) % this.#items.length;
      return name === 'reset' ? null : item;
    });
  }
}
