import type { Clock } from './world.ts';

/** Ends work at a deadline or with the caller's signal, whichever comes first. */
export interface Limit {
  readonly signal: AbortSignal;
  /** Never resolves; rejects with what `late` makes when either came first. */
  readonly expired: Promise<never>;
  /** Whether it was the deadline. */
  hasExpired(): boolean;
  /** The work is over. Nothing stays behind on the caller's signal. */
  stop(): void;
}

/** A reason of our own: without one each abort makes an exception with a stack, once per call. */
const inTime = 'ended in time';

/**
 * Cheap on purpose: every call and every look of a wait has one, and `AbortSignal.any` leaves work to the garbage collector.
 */
export function limitOf(clock: Clock, deadlineMs: number, signal: AbortSignal, late: (hasExpired: boolean) => Error): Limit {
  const both = new AbortController();
  const gaveUp = Promise.withResolvers<never>();
  gaveUp.promise.catch(nothing);
  let hasExpired = false;
  const end = () => {
    both.abort(signal.aborted ? signal.reason : 'deadline');
    gaveUp.reject(late(hasExpired));
  };
  if (signal.aborted) end();
  else signal.addEventListener('abort', end, { once: true });
  const takeBack = afterOn(clock, deadlineMs, () => {
    if (signal.aborted) return;
    hasExpired = true;
    end();
  });
  return {
    signal: both.signal,
    expired: gaveUp.promise,
    hasExpired: () => hasExpired,
    stop() {
      signal.removeEventListener('abort', end);
      takeBack();
    },
  };
}

/** Two wishes to end as one. */
export interface Either {
  /** Aborts when either does, with its reason. */
  readonly signal: AbortSignal;
  /** Nothing stays behind on the two. */
  stop(): void;
}

/** As `AbortSignal.any`, whose signals cost several times as much and, when one of the two never aborts, are kept with all that listens. */
export function eitherOf(one: AbortSignal, other: AbortSignal): Either {
  const both = new AbortController();
  const end = () => {
    stop();
    both.abort(one.aborted ? one.reason : other.reason);
  };
  const stop = () => {
    one.removeEventListener('abort', end);
    other.removeEventListener('abort', end);
  };
  if (one.aborted || other.aborted) end();
  else for (const signal of [one, other]) signal.addEventListener('abort', end, { once: true });
  return { signal: both.signal, stop };
}

const nothing = () => {};

/** `Clock.after` on any clock. */
export function afterOn(clock: Clock, ms: number, fire: () => void): () => void {
  if (clock.after) return clock.after(ms, fire);
  const timer = new AbortController();
  clock.sleep(ms, timer.signal).then(fire, nothing);
  return () => timer.abort(inTime);
}
