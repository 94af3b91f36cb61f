import { afterOn, type Clock, type Failure, failureOf, type Place, TkError } from '../base/index.ts';
import { coreFailure } from './failures.ts';

/** How long something that was told to end may take to do so before it is left behind. */
export const graceMs = 5000;

export interface Guarded {
  readonly clock: Clock;
  /** Fires when the work has to end for a reason outside of it. */
  readonly signal: AbortSignal;
  readonly deadlineMs?: number;
}

/**
 * Runs work with a deadline that holds even when the work does not listen to its signal: after the deadline, or after `signal`,
 * it has `graceMs` to end by itself; then the caller goes on without it.
 *
 * Failure: `step/deadline`, or what the work says that its being cut off means, because of it; otherwise whatever the work threw.
 */
export async function guarded<T>({ clock, signal, deadlineMs }: Guarded, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const expiry = deadlineMs === undefined ? undefined : new AbortController();
  const stop = () => expiry?.abort(signal.reason);
  const both = expiry?.signal ?? signal;
  if (signal.aborted) stop();
  else if (expiry) signal.addEventListener('abort', stop, { once: true });
  let hasExpired = false;
  const timers: (() => void)[] = [];
  const after = (ms: number, act: () => void) => void timers.push(afterOn(clock, ms, act));
  if (deadlineMs !== undefined)
    after(deadlineMs, () => {
      hasExpired = true;
      expiry?.abort();
    });
  const late = Promise.withResolvers<never>();
  late.promise.catch(() => {});
  const leaveBehind = () =>
    after(graceMs, () =>
      late.reject(new TkError(expired(hasExpired, deadlineMs) ?? coreFailure('run/stopped', { at: 'work that did not end' }))),
    );
  if (both.aborted) leaveBehind();
  else both.addEventListener('abort', leaveBehind);
  try {
    const running = work(both);
    running.catch(() => {});
    return await Promise.race([running, late.promise]);
  } catch (error) {
    const deadline = expired(hasExpired, deadlineMs);
    if (!deadline) throw error;
    const cause = failureOf(error);
    if (cause.code === 'step/deadline') throw error;
    throw new TkError(instead(cause, deadline) ?? { ...deadline, cause });
  } finally {
    both.removeEventListener('abort', leaveBehind);
    signal.removeEventListener('abort', stop);
    for (const takeBack of timers) takeBack();
  }
}

const expired = (hasExpired: boolean, deadlineMs: number | undefined): Failure | undefined =>
  hasExpired && deadlineMs !== undefined ? coreFailure('step/deadline', { deadlineMs }) : undefined;

/** The failure with the deadline where it was only cut off; undefined where it failed by itself. */
const instead = (failure: Failure, deadline: Failure): Failure | undefined => {
  if (failure.code === 'run/aborted') return deadline;
  const cause = failure.cause && instead(failure.cause, deadline);
  return cause && { ...failure, cause };
};

/** The same error with a place on every failure that had none. */
export function placed(error: unknown, where: Place): TkError {
  const failures = error instanceof TkError ? error.failures : [failureOf(error)];
  const [first, ...rest] = failures.map((failure) => (failure.where === undefined ? { ...failure, where } : failure));
  return first ? new TkError(first, ...rest) : new TkError(failureOf(error));
}

/** Whether it ended because somebody wanted it to end, which is no failure of its own. */
export const isInterruption = (failure: Failure): boolean =>
  failure.code === 'run/stopped' || failure.code === 'run/aborted' || failure.code === 'prompt/cancelled';
