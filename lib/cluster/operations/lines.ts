import { type Clock, type Failure, failureOf, minutes, seconds, throwIfAborted } from '../../base/index.ts';
import { isTransientTalos } from '../transient.ts';

/** Whole lines of a text that comes in pieces; the last one also when its end is missing. */
export async function* linesOf(pieces: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = '';
  for await (const piece of pieces) {
    const lines = (rest + piece).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  if (rest !== '') yield rest;
}

/** How long a log that broke off is asked for again. A reboot with a disk check takes less. */
const lookForMs = minutes(15);

export interface FollowedLog {
  readonly clock: Clock;
  /** Opens the log; the second and later times with everything that the machine still has. */
  readonly open: (again: boolean, signal: AbortSignal) => AsyncIterable<string>;
  /** Told when the log broke off and is opened again. */
  readonly lost: (failure: Failure) => void;
}

/**
 * The lines of a log, also over the loss of the connection and the reboot of the machine: what came before the loss is not told
 * twice. Ends with the signal.
 *
 * Failure: what is no passing state of a machine; the loss itself when the machine stays away for a quarter of an hour.
 */
export async function* followLines({ clock, open, lost }: FollowedLog, signal: AbortSignal): AsyncGenerator<string> {
  let last: string | undefined;
  let awaySinceMs: number | undefined;
  for (let again = false; ; again = true) {
    try {
      for await (const line of again ? after(last, open(true, signal), clock) : linesOf(open(false, signal))) {
        last = line;
        awaySinceMs = undefined;
        yield line;
      }
      // A follower that the machine ends: the service's log was closed, or the machine is going down.
      throwIfAborted(signal, 'following a log');
    } catch (error) {
      const failure = failureOf(error);
      throwIfAborted(signal, 'following a log');
      if (!isTransientTalos(failure)) throw error;
      if (isQuiet(failure)) continue;
      // The first try has nothing to come back to.
      if (!again && last === undefined) throw error;
      if (awaySinceMs === undefined) lost(failure);
      awaySinceMs ??= clock.monotonicMs();
      if (clock.monotonicMs() - awaySinceMs > lookForMs) throw error;
    }
    await clock.sleep(seconds(2), signal);
  }
}

/** What has had nothing to say for as long as a stream may last is asked anew: nothing is lost. */
export const isQuiet = ({ code, facts }: Failure): boolean => code === 'talos/deadline' && Number(facts['deadlineMs']) > lookForMs;

/** What a machine still has comes at once; what comes after this pause is new. */
const pauseMs = seconds(1);
/** A log that never pauses is cut where it is then. */
const longestBacklogMs = seconds(4);

/** The lines behind the last one that is known; all of them when it is not there any more, because the machine has booted anew. */
async function* after(last: string | undefined, pieces: AsyncIterable<string>, clock: Clock): AsyncGenerator<string> {
  const lines = linesOf(pieces)[Symbol.asyncIterator]();
  const held: string[] = [];
  const untilMs = clock.monotonicMs() + longestBacklogMs;
  let pending = lines.next();
  try {
    for (;;) {
      const next = clock.monotonicMs() < untilMs ? await Promise.race([pending, paused(clock)]) : undefined;
      if (next === undefined) break;
      if (next.done) break;
      held.push(next.value);
      pending = lines.next();
    }
    yield* held.slice(last === undefined ? 0 : held.lastIndexOf(last) + 1);
    for (let next = await pending; !next.done; next = await lines.next()) yield next.value;
  } finally {
    pending.catch(() => {});
    void Promise.resolve(lines.return?.(undefined)).catch(() => {});
  }
}

async function paused(clock: Clock): Promise<undefined> {
  await clock.sleep(pauseMs);
  return undefined;
}
