import type { Failure } from '../../../lib/base/index.ts';

/** Exit code: a gate is shut, nothing was touched. */
const refused = 3;

/**
 * The last two attempts were refused for the same reasons. A third would be too, and ask as much again: a person comes back when it
 * has become quiet.
 */
export function isRefusedAgain(attempts: readonly { readonly exit: number | 'dead'; readonly failures: readonly Failure[] }[]): boolean {
  const [before, last] = attempts
    .slice(-2)
    .map(({ exit, failures }) => (exit === refused ? failures.map(({ code }) => code).join() : undefined));
  return last !== undefined && last === before;
}
