import { createHash } from 'node:crypto';
import { type Env, type Failure, TkError } from '../../base/index.ts';

export interface Furnished<T> {
  readonly value: T;
  /** Has what was made up besides what it had. */
  readonly env: Env;
  /** Variables that were made up. */
  readonly names: readonly string[];
}

/**
 * Loads inputs that use variables which a password manager or a shell would have set. Where nothing else is wrong with them they get
 * values of the kind that their names speak of, always the same ones.
 *
 * Failure: the variables that are missing, and what else is wrong with the inputs once they have one; nothing of what was made up.
 */
export async function withMadeUpVariables<T>(env: Env, load: (env: Env) => Promise<T>): Promise<Furnished<T>> {
  const made = new Map<string, string>();
  const furnished: Env = { ...env, get: (name) => env.get(name) ?? made.get(name) };
  let first: TkError | undefined;
  for (;;) {
    try {
      return { value: await load(furnished), env: furnished, names: [...made.keys()] };
    } catch (error) {
      if (!(error instanceof TkError)) throw error;
      first ??= error;
      const names = error.failures.map(({ code, facts }) => (code === 'talconfig/variable-not-set' ? String(facts['name']) : undefined));
      if (names.some((name) => name === undefined || made.has(name))) throw first === error ? error : withFurther(first, error, made);
      for (const name of names) if (name !== undefined) made.set(name, valueFor(name));
    }
  }
}

function withFurther(missing: TkError, { failures }: TkError, made: ReadonlyMap<string, string>): TkError {
  const isOurs = (failure: Failure) => [...made.values()].some((value) => JSON.stringify(failure).includes(value));
  return new TkError(
    ...missing.failures,
    ...failures.filter((failure) => failure.code !== 'talconfig/variable-not-set' && !isOurs(failure)),
  );
}

/** Addresses are of the network for documentation, so that nothing is ever reached by them. */
function valueFor(name: string): string {
  const word = name.toLowerCase().replaceAll('_', '-');
  const number = 1 + ((createHash('sha256').update(name).digest()[0] ?? 0) % 250);
  if (/(?:cidr|subnet|network|net)-?\d*$/.test(word)) return '192.0.2.0/24';
  if (/(?:ip|ipv4|vip|addr|address|gateway|dns|ntp)-?\d*$/.test(word)) return `192.0.2.${number}`;
  if (/(?:url|uri|endpoint|server)$/.test(word)) return `https://${word}.example.invalid`;
  if (/(?:domain|host|hostname)$/.test(word)) return `${word}.example.invalid`;
  return `sandbox-${word}`;
}
