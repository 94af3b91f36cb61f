import { afterOn, baseFailure, type Clock, TkError } from '../../base/index.ts';

/** Runs work that ends after `deadlineMs` at the latest, whatever it waits for. Failure: `wait/timeout`. */
export async function within<T>(
  clock: Clock,
  deadlineMs: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const either = new AbortController();
  const stop = () => either.abort(signal.reason);
  if (signal.aborted) stop();
  else signal.addEventListener('abort', stop, { once: true });
  const late = Promise.withResolvers<never>();
  late.promise.catch(() => {});
  const takeBack = afterOn(clock, deadlineMs, () => {
    // Whoever stopped the work hears from the work.
    if (signal.aborted) return;
    either.abort();
    late.reject(new TkError(baseFailure('wait/timeout', { waitingFor: 'an answer', deadlineMs })));
  });
  const working = work(either.signal);
  // The loser of the race may still reject after the cut-off.
  working.catch(() => {});
  try {
    return await Promise.race([working, late.promise]);
  } finally {
    signal.removeEventListener('abort', stop);
    takeBack();
  }
}
