const inspect = Symbol.for('nodejs.util.inspect.custom');

/**
 * A value that never prints. `reveal()` is the only way to the content; each call site of it is a place to review.
 * It is not JSON, so it fits into no event, failure or journal line.
 */
export class Secret<T = string> {
  readonly #value: T;

  constructor(value: T) {
    this.#value = value;
  }

  reveal(): T {
    return this.#value;
  }

  map<U>(change: (value: T) => U): Secret<U> {
    return new Secret(change(this.#value));
  }

  toString(): string {
    return '[redacted]';
  }

  toJSON(): never {
    throw new TypeError('a secret cannot be written as JSON');
  }

  [inspect](): string {
    return '[redacted]';
  }
}

/** Finds registered secret values in text and takes them out. Values shorter than six characters would hit ordinary words. */
export interface Redactor {
  add(value: string): void;
  redact(text: string): string;
}

const shortestSecret = 6;

export function createRedactor(): Redactor {
  const values = new Set<string>();
  let ordered: string[] | undefined;
  const remember = (value: string) => {
    if (value.length < shortestSecret || values.has(value)) return;
    values.add(value);
    ordered = undefined;
  };
  return {
    add(value) {
      remember(value);
      remember(Buffer.from(value).toString('base64'));
      // The line of a PEM body is what leaks when a block is folded or indented.
      for (const line of value.split(/\r?\n/)) if (line.length >= 16 && !line.startsWith('-----')) remember(line.trim());
    },
    redact(text) {
      ordered ??= [...values].sort((a, b) => b.length - a.length);
      let result = text;
      for (const value of ordered)
        if (value.length <= result.length && result.includes(value)) result = result.replaceAll(value, '[redacted]');
      return result;
    },
  };
}
