import { parseYamlBulk } from '../../format/index.ts';
import { isObj, type Obj, type Value } from '../kube/value.ts';

type Values = Readonly<Record<string, string>>;

/**
 * `${NAME}`, `${NAME:=default}` and its kin, `${#NAME}`, `${NAME:1:2}`, `${NAME/old/new}`, `${NAME#prefix}`, `${NAME^^}`, `$${kept}`;
 * what stands for a default may hold variables of its own. A name without a value becomes empty.
 *
 * Failure: an Error with the words of Flux.
 * Source: fluxcd/pkg envsubst/parse/parse.go
 */
export function substituteText(text: string, values: Values): string {
  return new Expansion(text, values).until('');
}

class Expansion {
  readonly #text: string;
  readonly #values: Values;
  #at = 0;

  constructor(text: string, values: Values) {
    this.#text = text;
    this.#values = values;
  }

  /** Up to one of these characters, which is left; to the end when there are none. */
  until(stops: string): string {
    let out = '';
    while (this.#at < this.#text.length) {
      const character = this.#text[this.#at] as string;
      if (stops.includes(character)) return out;
      this.#at += 1;
      const next = this.#text[this.#at];
      if (character === '$' && next === '{') {
        this.#at += 1;
        out += this.#variable();
      } else {
        out += character;
        if (character === '$' && next === '$') this.#at += 1;
      }
    }
    return out;
  }

  #variable(): string {
    const isLength = this.#take('#');
    const [name = ''] = /^[\p{L}\p{Nd}_]*/u.exec(this.#text.slice(this.#at, this.#at + 256)) ?? [];
    if (name === '') throw refused(isLength ? 'bad substitution' : 'unable to parse variable name');
    this.#at += name.length;
    const value = Object.hasOwn(this.#values, name) ? (this.#values[name] as string).replaceAll('\n', '') : '';
    const result = isLength ? String(Buffer.byteLength(value)) : this.#changed(value);
    if (!this.#take('}')) throw refused(isLength || this.#text[this.#at] !== undefined ? 'bad substitution' : 'missing closing brace');
    return result;
  }

  #changed(value: string): string {
    switch (this.#text[this.#at]) {
      case '}':
        return value;
      case ':':
        return /[=?+-]/.test(this.#text[this.#at + 1] ?? '') ? this.#orDefault(value, 2) : this.#part(value);
      case '=':
        return this.#orDefault(value, 1);
      case ',':
        return this.#take(',,') ? value.toLowerCase() : this.#first(',', value, (letter) => letter.toLowerCase());
      case '^':
        return this.#take('^^') ? value.toUpperCase() : this.#first('^', value, (letter) => letter.toUpperCase());
      case '/':
        return this.#replaced(value);
      case '#':
        return this.#take('##') ? this.#trimmed(value, 'start', true) : this.#trimmed(value, 'start', !this.#take('#'));
      case '%':
        return this.#take('%%') ? this.#trimmed(value, 'end', true) : this.#trimmed(value, 'end', !this.#take('%'));
      default:
        throw refused('missing closing brace');
    }
  }

  #orDefault(value: string, operatorLength: number): string {
    this.#at += operatorLength;
    const fallback = this.until('}');
    return value === '' ? fallback : value;
  }

  #part(value: string): string {
    this.#take(':');
    const start = Number(this.until(':}'));
    const length = this.#take(':') ? Number(this.until('}')) : undefined;
    const from = start < 0 ? value.length + start : start;
    return value.slice(from, length === undefined ? undefined : from + length);
  }

  #first(operator: string, value: string, change: (letter: string) => string): string {
    this.#take(operator);
    return change(value.slice(0, 1)) + value.slice(1);
  }

  #replaced(value: string): string {
    const how = ['//', '/#', '/%', '/'].find((operator) => this.#take(operator));
    const old = this.until('/}');
    const by = this.#take('/') ? this.until('}') : '';
    if (how === '//') return value.replaceAll(old, () => by);
    if (how === '/#') return value.startsWith(old) ? by + value.slice(old.length) : value;
    if (how === '/%') return value.endsWith(old) ? value.slice(0, value.length - old.length) + by : value;
    return value.replace(old, () => by);
  }

  #trimmed(value: string, side: 'start' | 'end', isLongest: boolean): string {
    const glob = this.until('}')
      .replace(/[.+^${}()|\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.');
    const pattern = new RegExp(`^(?:${glob})$`, 's');
    const lengths = Array.from({ length: value.length + 1 }, (_, length) => length);
    const cut = (isLongest ? lengths.reverse() : lengths).find((length) =>
      pattern.test(side === 'start' ? value.slice(0, length) : value.slice(value.length - length)),
    );
    if (cut === undefined) return value;
    return side === 'start' ? value.slice(cut) : value.slice(0, value.length - cut);
  }

  #take(wanted: string): boolean {
    const isThere = this.#text.startsWith(wanted, this.#at);
    if (isThere) this.#at += wanted.length;
    return isThere;
  }
}

const refused = (why: string): Error => new Error(`envsubst error: variable substitution failed: ${why}`);

/** The whole object, keys included. Without any value nothing is looked at. */
export function substituteObject(object: Obj, values: Values): Obj {
  if (Object.keys(values).length === 0) return object;
  const key = (text: string) => (text.includes('$') ? substituteText(text, values) : text);
  const walk = (value: Value): Value => {
    if (typeof value === 'string') return value.includes('$') ? retyped(value, substituteText(value, values)) : value;
    if (Array.isArray(value)) return value.map(walk);
    return isObj(value) ? Object.fromEntries(Object.entries(value).map(([name, inner]) => [key(name), walk(inner)])) : value;
  };
  return walk(object) as Obj;
}

/** Substitution happens in YAML text, so what stood there without quotes takes the type of what it became. */
function retyped(before: string, after: string): Value {
  if (before === after || wasQuoted(before) || wasQuoted(after)) return after;
  if (after === '') return null;
  if (!/^(?:[-+.]?\d|\.|~$|[nNtTfFyYoO][\w]{0,4}$|[[{])/.test(after)) return after;
  try {
    return (parseYamlBulk(after, { path: '' }) as Value[])[0] ?? null;
  } catch {
    return after;
  }
}

/** Texts that an emitter of YAML puts into quotes, or writes as a block. */
const wasQuoted = (text: string): boolean => /[\n\t]|: |:$| #|^[-?:] |^[&*!|>%@`'"#,]|^\s|\s$/.test(text);
