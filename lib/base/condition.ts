import { limitOf } from './abort.ts';
import { baseFailure, type Failure, failureOf, TkError } from './failure.ts';
import type { Clock } from './world.ts';

/** What one look at the world told. `seen` completes the progress line: "etcd is waiting for time sync". */
export type Observation<T> =
  | { readonly state: 'holds'; readonly value: T }
  /** `rest` looks closer, once, when the wait was in vain. */
  | { readonly state: 'not-yet'; readonly seen: string; readonly rest?: (signal: AbortSignal) => Promise<readonly string[]> }
  /** Waiting longer cannot help. */
  | { readonly state: 'never'; readonly failure: Failure };

/**
 * Something to wait for. `description` completes "waiting for …". Errors thrown by `check` end the wait, except those that
 * `transient` accepts: they count as "not yet".
 */
export interface Condition<T> {
  readonly description: string;
  readonly deadlineMs: number;
  readonly intervalMs: number;
  /** The command that shows more when this does not come true. */
  readonly see?: string;
  check(signal: AbortSignal): Promise<Observation<T>>;
  transient?(failure: Failure): boolean;
}

export interface WaitObserver {
  (progress: { readonly waitingFor: string; readonly seen: string; readonly elapsedMs: number; readonly deadlineMs: number }): void;
}

export const holds = <T>(value: T): Observation<T> => ({ state: 'holds', value });
export const notYet = (seen: string, rest?: (signal: AbortSignal) => Promise<readonly string[]>): Observation<never> => ({
  state: 'not-yet',
  seen,
  ...(rest === undefined ? {} : { rest }),
});
export const never = (failure: Failure): Observation<never> => ({ state: 'never', failure });

/**
 * Polls until the condition holds.
 *
 * Failure: `wait/timeout` after `deadlineMs`, `run/aborted` when the signal fires, whatever `never` brought.
 * One check that hangs is cut off at the deadline through its own signal.
 */
export async function waitFor<T>(condition: Condition<T>, clock: Clock, signal: AbortSignal, observe?: WaitObserver): Promise<T> {
  const started = clock.monotonicMs();
  const elapsed = () => clock.monotonicMs() - started;
  let last: string | undefined;
  for (;;) {
    throwIfAborted(signal, condition.description);
    const observation = await observeOnce(condition, clock, signal, condition.deadlineMs - elapsed());
    if (observation.state === 'holds') return observation.value;
    if (observation.state === 'never') throw new TkError(observation.failure);
    last = observation.seen;
    observe?.({ waitingFor: condition.description, seen: last, elapsedMs: elapsed(), deadlineMs: condition.deadlineMs });
    if (elapsed() + condition.intervalMs > condition.deadlineMs) {
      // Whatever keeps it from looking closer is not what went wrong.
      const rest = (await observation.rest?.(signal).catch(() => [])) ?? [];
      throw new TkError(
        baseFailure('wait/timeout', {
          waitingFor: condition.description,
          deadlineMs: condition.deadlineMs,
          ...(last === undefined ? {} : { last }),
          ...(rest.length === 0 ? {} : { rest }),
          ...(condition.see === undefined ? {} : { see: condition.see }),
        }),
      );
    }
    await clock.sleep(condition.intervalMs, signal);
  }
}

async function observeOnce<T>(condition: Condition<T>, clock: Clock, signal: AbortSignal, remainingMs: number): Promise<Observation<T>> {
  const limit = limitOf(clock, Math.max(0, remainingMs), signal, () => new Error(condition.description));
  const checked = condition.check(limit.signal).catch((error: unknown): Observation<T> => {
    const failure = failureOf(error);
    if (signal.aborted || limit.signal.aborted || !condition.transient?.(failure)) throw error;
    return notYet(failure.code);
  });
  // The loser of the race may still reject after the cut-off.
  checked.catch(() => {});
  // When the caller gives up, the check ends by itself, and tells more than the limit could.
  const late = limit.expired.catch(() => (limit.hasExpired() ? notYet('no answer before the deadline') : new Promise<never>(() => {})));
  try {
    return await Promise.race([checked, late]);
  } finally {
    limit.stop();
  }
}

export function throwIfAborted(signal: AbortSignal, during: string): void {
  if (signal.aborted) throw new TkError(baseFailure('run/aborted', { during }));
}

export const seconds = (count: number): number => count * 1000;
export const minutes = (count: number): number => count * 60_000;
