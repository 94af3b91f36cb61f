import { baseFailure, type Clock, TkError } from '../../base/index.ts';

/** Runs work that ends after `deadlineMs` at the latest, whatever it waits for. Failure: `wait/timeout`. */
export async function within<T>(
  clock: Clock,
  deadlineMs: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const cutOff = new AbortController();
  const timer = new AbortController();
  const late = clock.sleep(deadlineMs, AbortSignal.any([timer.signal, signal])).then(
    () => {
      cutOff.abort();
      throw new TkError(baseFailure('wait/timeout', { waitingFor: 'an answer', deadlineMs }));
    },
    () => new Promise<never>(() => {}),
  );
  const working = work(AbortSignal.any([signal, cutOff.signal]));
  // The loser of the race may still reject after the cut-off.
  working.catch(() => {});
  try {
    return await Promise.race([working, late]);
  } finally {
    timer.abort();
  }
}
