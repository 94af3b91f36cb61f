// oxlint-disable no-restricted-globals -- setImmediate is no clock: it lets whatever is due at this virtual instant happen first
import { AsyncLocalStorage } from 'node:async_hooks';
import { baseFailure, type Clock, TkError } from '../base/index.ts';
import { simFailure } from './failures.ts';

/** Something that happens at a virtual instant. Ties are settled by `priority`, then by order of arrival. */
interface Due {
  readonly atMs: number;
  readonly priority: number;
  readonly order: number;
  readonly fire: () => void;
  cancelled: boolean;
}

export interface VirtualClock extends Clock {
  /** Runs `fire` at `atMs` (at once when that has passed), without anybody waiting for it. Returns how to take it back. */
  at(atMs: number, fire: () => void): () => void;
  /** Keeps time from moving until the returned function is called. Calling it twice is harmless. */
  hold(): () => void;
  /** How many sleepers want time to pass. */
  sleeping(): number;
  /**
   * Waits for something that only the passing of time can bring about. A hold that the caller is under lets go meanwhile, as it
   * does in `sleep`: else a reply that waits for a download would keep the download from ever being done.
   */
  parked<T>(work: () => Promise<T>): Promise<T>;
  /**
   * Work whose answer is kept for all runs of a process, asked for in turn: each answer comes when everything else that is due at
   * this instant has happened, so that a run goes the same way whether it was the first to ask or not.
   */
  inTurn<T>(work: () => Promise<T>): Promise<T>;
  /** No time passes any more and sleepers never wake. */
  stop(): void;
}

/**
 * How virtual time moves on. `jump`: to the next timer, whenever somebody sleeps and nothing is held, and no further than `atMostMs` away:
 * whoever polls waits for seconds, and a stream that is followed is ended by a person. `follow`: with another clock, `speed` times as
 * fast, for tools in other processes that cannot be held.
 */
export type Drive =
  | { readonly kind: 'jump'; readonly atMostMs?: number }
  | { readonly kind: 'follow'; readonly clock: Clock; readonly speed: number };

export interface VirtualClockOptions {
  /** Wall time at monotonic zero, milliseconds since the epoch. */
  readonly epochMs: number;
  readonly startMs?: number;
  readonly drive?: Drive;
  /** Settles ties between timers of one instant, so that seeds explore orders. Default: order of arrival. */
  readonly priority?: () => number;
}

/** This many firings at one instant are a loop that never lets time pass. */
const busyLoopLimit = 20_000;

export function createVirtualClock(options: VirtualClockOptions): VirtualClock {
  const drive = options.drive ?? { kind: 'jump' };
  const farthestMs = drive.kind === 'jump' ? drive.atMostMs : undefined;
  /** What is slept for, where it matters how long. */
  const awaited = new Set<{ readonly atMs: number }>();
  const due = createHeap();
  const context = new AsyncLocalStorage<Hold>();
  let nowMs = options.startMs ?? 0;
  let order = 0;
  let holds = 0;
  let sleepers = 0;
  let scheduled = false;
  let stopped = false;
  let firedHere = 0;
  const followedFrom = drive.kind === 'follow' ? drive.clock.monotonicMs() : 0;
  const followedStart = nowMs;
  let wake = new AbortController();
  let turn: Promise<unknown> = Promise.resolve();

  const read = (): number => {
    if (drive.kind === 'follow' && !stopped)
      nowMs = Math.max(nowMs, followedStart + (drive.clock.monotonicMs() - followedFrom) * drive.speed);
    return nowMs;
  };

  interface Hold {
    state: 'held' | 'parked' | 'released';
  }
  const take = (): Hold => {
    holds += 1;
    return { state: 'held' };
  };
  const release = (hold: Hold) => {
    if (hold.state === 'held') {
      holds -= 1;
      poke();
    }
    hold.state = 'released';
  };

  /** Asks for a look at the timers, one turn from now: whatever is due in this turn comes first. */
  const poke = () => {
    if (scheduled || stopped || due.size() === 0) return;
    if (drive.kind === 'jump' && (holds > 0 || sleepers === 0)) return;
    scheduled = true;
    if (drive.kind === 'jump') setImmediate(jump);
    else void follow(drive.clock, drive.speed);
  };

  const fireNext = () => {
    const next = due.pop();
    if (!next) return;
    if (next.atMs > nowMs) {
      nowMs = next.atMs;
      firedHere = 0;
    }
    firedHere += 1;
    if (firedHere > busyLoopLimit) throw new TkError(simFailure('sim/stuck', { atMs: nowMs, reason: 'busy-loop' }));
    if (!next.cancelled) next.fire();
  };

  const isTooFar = (): boolean => {
    if (farthestMs === undefined) return false;
    for (const { atMs } of awaited) if (atMs - nowMs <= farthestMs) return false;
    return true;
  };

  const jump = () => {
    scheduled = false;
    if (stopped || holds > 0 || sleepers === 0 || isTooFar()) return;
    fireNext();
    poke();
  };

  const follow = async (clock: Clock, speed: number) => {
    for (;;) {
      const next = due.peek();
      if (!next || stopped) break;
      const aheadMs = next.atMs - read();
      if (aheadMs <= 0) {
        fireNext();
        continue;
      }
      wake = new AbortController();
      await clock.sleep(aheadMs / speed, wake.signal).catch(() => {});
    }
    scheduled = false;
  };

  const at = (atMs: number, fire: () => void): (() => void) => {
    const entry: Due = { atMs: Math.max(atMs, read()), priority: options.priority?.() ?? 0, order: order++, fire, cancelled: false };
    const earliest = due.peek();
    due.push(entry);
    if (drive.kind === 'follow' && earliest && entry.atMs < earliest.atMs) wake.abort();
    poke();
    return () => {
      entry.cancelled = true;
    };
  };

  /** Lets the hold that the caller is under go for a while. Returns how to take it again, unless it has ended meanwhile. */
  const park = (): (() => void) => {
    const hold = context.getStore();
    if (hold?.state !== 'held') return () => {};
    hold.state = 'parked';
    holds -= 1;
    return () => {
      if (hold.state !== 'parked') return;
      hold.state = 'held';
      holds += 1;
    };
  };

  /** Somebody waits for this instant: time passes until it comes, or until it is taken back. */
  const after = (ms: number, fire: () => void): (() => void) => {
    // The hold of the work that waits here would keep the very timer from firing that ends it.
    const unpark = park();
    sleepers += 1;
    const waiting = { atMs: read() + ms };
    if (farthestMs !== undefined) awaited.add(waiting);
    let isOver = false;
    const end = () => {
      isOver = true;
      sleepers -= 1;
      awaited.delete(waiting);
      unpark();
    };
    const cancel = at(read() + ms, () => {
      end();
      fire();
    });
    poke();
    return () => {
      if (isOver) return;
      cancel();
      end();
    };
  };

  const whileBusy = async <T>(work: () => Promise<T>): Promise<T> => {
    const hold = take();
    try {
      return await context.run(hold, work);
    } finally {
      // What the caller does with the answer belongs to this instant too.
      setImmediate(() => release(hold));
    }
  };

  return {
    now: () => Math.round(options.epochMs + read()),
    monotonicMs: read,
    at,
    hold() {
      const hold = take();
      return () => release(hold);
    },
    sleeping: () => sleepers,
    stop() {
      stopped = true;
      wake.abort();
    },
    sleep(ms, signal) {
      return new Promise((resolve, reject) => {
        if (signal?.aborted) {
          reject(pauseAborted());
          return;
        }
        const takeBack = after(ms, () => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        });
        const onAbort = () => {
          takeBack();
          reject(pauseAborted());
        };
        signal?.addEventListener('abort', onAbort, { once: true });
      });
    },
    after,
    async parked(work) {
      // Nobody under no hold is waited for: a watch that lasts for ever must not make time pass for ever.
      if (context.getStore()?.state !== 'held') return work();
      const unpark = park();
      sleepers += 1;
      poke();
      try {
        return await work();
      } finally {
        sleepers -= 1;
        unpark();
      }
    },
    whileBusy,
    inTurn: (work) =>
      whileBusy(() => {
        const next = turn.then(async () => {
          const answer = await work();
          await new Promise((resolve) => void setImmediate(resolve));
          return answer;
        });
        turn = next.catch(() => {});
        return next;
      }),
  };
}

/** Every call that ends in time aborts the pause of its deadline. Looking up where would cost more than the rest of it. */
function pauseAborted(): TkError {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return new TkError(baseFailure('run/aborted', { during: 'a pause' }));
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

interface Heap {
  push(entry: Due): void;
  pop(): Due | undefined;
  peek(): Due | undefined;
  size(): number;
}

function createHeap(): Heap {
  const entries: Due[] = [];
  const before = (a: Due, b: Due) => a.atMs - b.atMs || a.priority - b.priority || a.order - b.order;
  const dropCancelled = () => {
    while (entries[0]?.cancelled) removeFirst();
  };
  const removeFirst = () => {
    const last = entries.pop() as Due;
    if (entries.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      const [left, right] = [entries[child], entries[child + 1]];
      if (!left) break;
      if (right && before(right, left) < 0) child += 1;
      if (before(entries[child] as Due, last) >= 0) break;
      entries[index] = entries[child] as Due;
      index = child;
    }
    entries[index] = last;
  };
  return {
    push(entry) {
      let index = entries.length;
      entries.push(entry);
      while (index > 0) {
        const parent = (index - 1) >>> 1;
        if (before(entries[parent] as Due, entry) <= 0) break;
        entries[index] = entries[parent] as Due;
        index = parent;
      }
      entries[index] = entry;
    },
    pop() {
      dropCancelled();
      const first = entries[0];
      if (first) removeFirst();
      return first;
    },
    peek() {
      dropCancelled();
      return entries[0];
    },
    size() {
      dropCancelled();
      return entries.length;
    },
  };
}
