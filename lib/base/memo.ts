import { Secret } from './secret.ts';

/**
 * A pure function that remembers its latest answers by what it was asked. All who ask share them: an answer is a text, is frozen,
 * or is changed by nobody. What throws, or rejects, is not remembered.
 */
export function remembered<A extends readonly unknown[], R>(
  compute: (...asked: A) => R,
  options: { readonly keyOf: (...asked: A) => string /** How many answers are kept. */; readonly limit: number },
): (...asked: A) => R {
  const answers = new Map<string, R>();
  return (...asked) => {
    const key = options.keyOf(...asked);
    const known = answers.get(key);
    if (known !== undefined || answers.has(key)) {
      // Last in line again: the one that nobody has asked for longest goes first. With room for as many again nothing goes soon.
      if (answers.size * 2 > options.limit) {
        answers.delete(key);
        answers.set(key, known as R);
      }
      return known as R;
    }
    const answer = compute(...asked);
    if (answers.size >= options.limit) for (const oldest of answers.keys()) if (answers.delete(oldest)) break;
    answers.set(key, answer);
    if (answer instanceof Promise) answer.catch(() => answers.delete(key));
    return answer;
  };
}

/** An object whose parts are each made when they are first asked for. */
export function whenAsked<T extends object>(makers: { readonly [K in keyof T]: () => T[K] }): T {
  const whole = {} as T;
  for (const name of Object.keys(makers) as (keyof T)[])
    Object.defineProperty(whole, name, {
      enumerable: true,
      configurable: true,
      get() {
        const value = makers[name]();
        Object.defineProperty(whole, name, { value, enumerable: true });
        return value;
      },
    });
  return whole;
}

/**
 * Everything that is in a value, as a text to remember by: equal texts, equal values. Secrets are in it, so nothing keeps it
 * longer than its digest takes. What occurs twice is written once; functions are left out.
 */
export function contentKey(value: unknown): string {
  const seen = new Map<object, number>();
  const parts: string[] = [];
  const write = (item: unknown): void => {
    if (typeof item === 'function') return;
    if (typeof item !== 'object' || item === null) {
      // JSON has no word for what is no number, or for infinity.
      parts.push(typeof item === 'bigint' ? `${item}n` : typeof item === 'string' ? JSON.stringify(item) : String(item));
      return;
    }
    const number = seen.get(item);
    if (number !== undefined) {
      parts.push(`#${number}`);
      return;
    }
    seen.set(item, seen.size);
    if (item instanceof Secret) {
      parts.push('!');
      write(item.reveal());
      return;
    }
    const isList = Array.isArray(item);
    parts.push(isList ? '[' : '{');
    for (const [key, child] of Object.entries(item)) {
      if (!isList) parts.push(JSON.stringify(key), ':');
      write(child);
      parts.push(',');
    }
    parts.push(isList ? ']' : '}');
  };
  write(value);
  return parts.join('');
}

/** The same value, and nothing in it can be changed any more. */
export function deepFrozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const child of Object.values(value)) deepFrozen(child);
  return Object.freeze(value);
}
