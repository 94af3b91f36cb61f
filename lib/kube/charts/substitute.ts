import type { Json } from '../../base/index.ts';
import { type Fields, isFields } from './fields.ts';

/** A `${…}` that cannot be understood, or a variable that cannot be one. */
export class SubstitutionError extends Error {}

/**
 * Puts variables in as Flux's `postBuild` does.
 *
 * Shape: `${name}`, `${name:=default}` and its kin `:-` `:?` `:+` `=`, which all mean the same, `${#name}`, `${name^}` `^^` `,` `,,`, `${name:2}`,
 * `${name:2:3}`, `${name#prefix}` `##` `%` `%%`, `${name/old/new}` `//` `/#` `/%`; `$$` is one `$`. Unknown variables are empty.
 * Line breaks of a value are dropped.
 * Failure: `SubstitutionError`.
 * Source: fluxcd/pkg/envsubst, fluxcd/pkg/kustomize varsub
 */
export function substitute(text: string, variables: Readonly<Record<string, string>>): string {
  for (const name of Object.keys(variables)) {
    if (!/^[A-Za-z_]\w*$/.test(name)) throw new SubstitutionError(`\`${name}\` cannot be the name of a variable`);
  }
  return new Reader(text, (name) => (Object.hasOwn(variables, name) ? (variables[name] ?? '').replaceAll('\n', '') : '')).whole();
}

/** Every text of a mapping with the variables that are known; others stay as they are. */
export function substituteFields(fields: Fields, variables: Fields): Fields {
  const walk = (value: Json | undefined): Json | undefined => {
    if (typeof value === 'string') return substituteKnown(value, variables);
    if (Array.isArray(value)) return value.map((item) => walk(item as Json) as Json);
    return isFields(value) ? (Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, walk(inner)])) as Json) : value;
  };
  return Object.keys(variables).length === 0 ? fields : (walk(fields as Json) as Fields);
}

/** `${NAME}` where it is known. */
export const substituteKnown = (text: string, variables: Fields): string =>
  text.includes('${')
    ? text.replace(/\$\{([A-Za-z_]\w*)\}/g, (whole, name: string) => (variables[name] === undefined ? whole : String(variables[name])))
    : text;

type Operation = (value: string, args: readonly string[]) => string;

/** Empty counts as absent, whatever the operator. */
const orDefault: Operation = (value, args) => (value === '' ? args.join('') : value);

const operations: Readonly<Record<string, Operation>> = {
  ',': (value) => value.replace(/^./su, (first) => first.toLowerCase()),
  ',,': (value) => value.toLowerCase(),
  '^': (value) => value.replace(/^./su, (first) => first.toUpperCase()),
  '^^': (value) => value.toUpperCase(),
  ':': (value, [start = '', count]) => slice(value, start, count),
  '#': (value, [pattern = '']) => trimStart(value, pattern, false),
  '##': (value, [pattern = '']) => trimStart(value, pattern, true),
  '%': (value, [pattern = '']) => reversed(trimStart(reversed(value), reversed(pattern), false)),
  '%%': (value, [pattern = '']) => reversed(trimStart(reversed(value), reversed(pattern), true)),
  '/': (value, [old = '', by = '']) => value.replace(old, () => by),
  '//': (value, [old = '', by = '']) => value.replaceAll(old, () => by),
  '/#': (value, args) =>
    args.length === 2 && value.startsWith(args[0] ?? '') ? (args[1] ?? '') + value.slice((args[0] ?? '').length) : value,
  '/%': (value, args) =>
    args.length === 2 && value.endsWith(args[0] ?? '') ? value.slice(0, value.length - (args[0] ?? '').length) + (args[1] ?? '') : value,
};

/** Reads from left to right; whatever it does not understand ends it. */
class Reader {
  readonly #text: string;
  readonly #valueOf: (name: string) => string;
  #at = 0;

  constructor(text: string, valueOf: (name: string) => string) {
    this.#text = text;
    this.#valueOf = valueOf;
  }

  whole(): string {
    let out = '';
    while (this.#at < this.#text.length) {
      const dollar = this.#text.indexOf('$', this.#at);
      if (dollar === -1) return out + this.#text.slice(this.#at);
      out += this.#text.slice(this.#at, dollar);
      this.#at = dollar + 1;
      const next = this.#text[this.#at];
      if (next !== '{') {
        out += '$';
        if (next === '$') this.#at += 1;
        continue;
      }
      this.#at += 1;
      out += this.#expression();
    }
    return out;
  }

  /** After `${`, to the end of its `}`. */
  #expression(): string {
    const start = this.#at;
    const refuse = (reason: string) => new SubstitutionError(`\${${this.#text.slice(start, start + 24).split('\n')[0]}… ${reason}`);
    if (this.#text[this.#at] === '#') {
      this.#at += 1;
      const name = this.#name();
      if (name === '') throw refuse('names no variable');
      this.#close(refuse);
      return String(Buffer.byteLength(this.#valueOf(name)));
    }
    const name = this.#name();
    if (name === '') throw refuse('names no variable');
    const value = this.#valueOf(name);
    const operator = this.#operator();
    const args = this.#arguments(operator, refuse);
    this.#close(refuse);
    return (operations[operator] ?? orDefault)(value, args);
  }

  #name(): string {
    const [name = ''] = /^[\p{L}\p{Nd}_]*/u.exec(this.#text.slice(this.#at, this.#at + 256)) ?? [];
    this.#at += name.length;
    return name;
  }

  /** `''` where the variable stands alone; `:=` and its kin are one. */
  #operator(): string {
    const [operator = ''] = /^(?::[=?+-]|:|=|[,^]{1,2}|\/[/#%]?|##?|%%?)/.exec(this.#text.slice(this.#at, this.#at + 2)) ?? [];
    this.#at += operator.length;
    return operator;
  }

  #arguments(operator: string, refuse: (reason: string) => Error): readonly string[] {
    switch (operator[0]) {
      case undefined:
      case ',':
      case '^':
        return [];
      case '#':
      case '%':
        return [this.#argument('}', false, refuse)];
      case '/': {
        const old = this.#argument('/', true, refuse);
        const slashes = /^\/+/.exec(this.#text.slice(this.#at))?.[0].length ?? 0;
        if (slashes === 0) throw refuse('is not understood');
        this.#at += slashes;
        return this.#text[this.#at] === '}' ? [old] : [old, this.#argument('}', true, refuse)];
      }
      case ':':
        if (operator === ':') return this.#positions(refuse);
    }
    const parts: string[] = [];
    while (this.#text[this.#at] !== '}') parts.push(this.#argument('}', false, refuse));
    return parts;
  }

  #positions(refuse: (reason: string) => Error): readonly string[] {
    const start = this.#argument(':}', false, refuse);
    const colons = /^:+/.exec(this.#text.slice(this.#at))?.[0].length ?? 0;
    this.#at += colons;
    return colons === 0 ? [start] : [start, this.#argument('}', false, refuse)];
  }

  /** Plain text up to one of the ends or to a `${`, or one such expression; never empty. */
  #argument(ends: string, hasEscapes: boolean, refuse: (reason: string) => Error): string {
    if (this.#text.startsWith('${', this.#at)) {
      this.#at += 2;
      return this.#expression();
    }
    const start = this.#at;
    let out = '';
    for (; this.#at < this.#text.length; this.#at += 1) {
      const char = this.#text[this.#at] ?? '';
      const next = this.#text[this.#at + 1] ?? '';
      if (this.#text.startsWith('${', this.#at)) break;
      if (hasEscapes && ((char === '$' && next === '$') || (char === '\\' && (next === '/' || next === '\\')))) {
        out += next;
        this.#at += 1;
        continue;
      }
      if (ends.includes(char)) break;
      out += char;
    }
    if (this.#at === start) throw refuse(this.#at >= this.#text.length ? 'is not closed' : 'is not understood');
    return out;
  }

  #close(refuse: (reason: string) => Error): void {
    if (this.#text[this.#at] !== '}') throw refuse(this.#at >= this.#text.length ? 'is not closed' : 'is not understood');
    this.#at += 1;
  }
}

/** Positions count bytes; what is no number changes nothing. */
function slice(value: string, start: string, count: string | undefined): string {
  const isNumber = (text: string) => /^[+-]?\d+$/.test(text);
  if (!isNumber(start) || (count !== undefined && !isNumber(count))) return value;
  const bytes = Buffer.from(value);
  const from = Number(start) < 0 ? Math.max(0, bytes.length + Number(start)) : Number(start);
  return bytes.subarray(from, count === undefined ? undefined : Math.max(from, from + Number(count))).toString();
}

const reversed = (text: string): string => [...text].reverse().join('');

/** Shell patterns: `*`, `?`, `[a-z]`, `[^a]`; the shortest match that is not empty, or the longest. */
function trimStart(value: string, pattern: string, isLongest: boolean): string {
  let matcher: RegExp;
  try {
    matcher = new RegExp(`^(?:${expressionOf(pattern)})$`, 'su');
  } catch {
    return value;
  }
  const lengths = Array.from({ length: value.length }, (_unused, index) => (isLongest ? value.length - index : index + 1));
  const found = lengths.find((length) => matcher.test(value.slice(0, length)));
  return found === undefined ? value : value.slice(found);
}

const expressionOf = (pattern: string): string =>
  pattern.replace(
    /\\(.)|\[(\^?)((?:\\.|[^\]\\])+)\]|([*?])|([$.|+()[\]{}^/\\])/gsu,
    (_all, escaped: string, not: string, set: string, wild: string, plain: string) => {
      if (wild !== undefined) return wild === '*' ? '.*' : '[^/]';
      if (set !== undefined) return `[${not}${set.replaceAll('[', '\\[')}]`;
      return `\\${escaped ?? plain}`;
    },
  );
