import { baseFailure, type Files, type Json, type Random, TkError } from '../base/index.ts';
import { createVirtualClock, type Drive, type VirtualClock } from './clock.ts';
import { createFaultPlan, type FaultRule } from './faults.ts';
import type { SimEvent, SimKernel, SimModel, SimTimer } from './kernel.ts';
import { openLog, type StoreLog } from './log.ts';
import { createSeededRandom } from './random.ts';
import { createMemoryStore, type MemoryStore } from './store.ts';

export interface KernelHandle extends SimKernel {
  readonly clock: VirtualClock;
  /** Whether the state lies on a disk. */
  readonly isDurable: boolean;
  /** Writes what changed without waiting for the disk: enough to survive a killed process. For replies that only read. */
  flush(): Promise<void>;
  /** Hits of faults by `point kind`. */
  faultHits(): Readonly<Record<string, number>>;
  /** Told of every hit, when it happens. */
  onFault(listener: (hit: FaultHit) => void): void;
  /** All that is stored, timers included, in the order of the keys: another kernel can begin with it. */
  entries(): readonly (readonly [string, Json])[];
  /** Stops time and closes the log. */
  close(): Promise<void>;
}

export interface FaultHit {
  readonly point: string;
  readonly kind: string;
  readonly atMs: number;
  /** What the point asked about: the machine, the path. */
  readonly facts: { readonly [fact: string]: Json };
  /** What it was told: how late, for how long. */
  readonly told: { readonly [fact: string]: Json };
}

export interface KernelOptions {
  readonly seed: string;
  /** Wall time at virtual zero, milliseconds since the epoch; kept with the state, so only the first opening uses it. */
  readonly epochMs: number;
  readonly faults?: readonly FaultRule[];
  readonly drive?: Drive;
  /** State to begin with, and the virtual instant that it is of. */
  readonly entries?: Iterable<readonly [string, Json]>;
  readonly startMs?: number;
  /** Shuffles timers of one instant, by the seed. */
  readonly shuffleTies?: boolean;
}

/** A kernel that keeps everything in memory and forgets it at the end. */
export function createKernel(options: KernelOptions): KernelHandle {
  return assemble(options, undefined, options.entries ?? [], options.startMs ?? 0);
}

/**
 * A kernel whose state lies in `path`: opened again it finds every committed change, and time goes on from the last of them.
 *
 * Failure: `sim/log-damaged`; whatever `files` raises.
 */
export async function openKernel(options: KernelOptions, files: Files, path: string): Promise<KernelHandle> {
  const { log, entries, atMs } = await openLog(files, path);
  const loaded = [...entries];
  // Two openings never begin at the same moment, be it that nothing happened in the first: runs are known by when they began.
  return assemble(options, log, loaded, loaded.length === 0 ? atMs : atMs + 1);
}

const timerPrefix = 'kernel/timers/';

function assemble(
  options: KernelOptions,
  log: StoreLog | undefined,
  loaded: Iterable<readonly [string, Json]>,
  startMs: number,
): KernelHandle {
  let waiting: (() => void)[] = [];
  const wakeWaiting = () => {
    if (waiting.length === 0) return;
    const woken = waiting;
    waiting = [];
    for (const resolve of woken) resolve();
  };
  const store: MemoryStore = createMemoryStore(wakeWaiting, log !== undefined);
  store.load(loaded);

  const openings = (store.get<number>('kernel/openings') ?? 0) + 1;
  const epochMs = store.get<number>('kernel/epoch') ?? options.epochMs;
  store.set('kernel/openings', openings);
  store.set('kernel/epoch', epochMs);

  // A reopened kernel must not draw again what it drew before it was killed.
  const seed = openings === 1 ? options.seed : `${options.seed}#${openings}`;
  const streams = new Map<string, Random>();
  const random = (stream: string): Random => {
    let found = streams.get(stream);
    if (!found) {
      found = createSeededRandom(seed, stream);
      streams.set(stream, found);
    }
    return found;
  };
  const ties = random('kernel/ties');
  const clock = createVirtualClock({
    epochMs,
    startMs,
    ...(options.drive ? { drive: options.drive } : {}),
    ...(options.shuffleTies ? { priority: () => ties.fraction() } : {}),
  });
  const faults = createFaultPlan(options.faults ?? [], random('kernel/faults'));
  const models = new Map<string, SimModel>();
  const listeners: ((event: SimEvent) => void)[] = [];
  const faultListeners: ((hit: FaultHit) => void)[] = [];

  // --- timers: a stored record each, and a place in the clock's queue while this process lives
  let timerNumber = Number(store.keys(timerPrefix).at(-1)?.slice(timerPrefix.length) ?? 0);
  const queued = new Map<string, { timer: SimTimer; cancel: () => void }>();
  const queue = (key: string, timer: SimTimer) => {
    const cancel = clock.at(timer.atMs, () => {
      queued.delete(key);
      store.delete(key);
      const model = models.get(timer.model);
      if (!model)
        throw new TkError(baseFailure('internal/unexpected', { message: `a timer for \`${timer.model}\`, which is not registered` }));
      model.onTimer(timer);
    });
    queued.set(key, { timer, cancel });
  };
  for (const key of store.keys(timerPrefix)) queue(key, store.get(key) as unknown as SimTimer);

  const write = async (sync: boolean): Promise<void> => {
    const changes = store.takeChanges();
    if (!log || (changes.size === 0 && !sync)) return;
    await clock.whileBusy(() => log.append(changes, clock.monotonicMs(), { sync }));
  };

  return {
    clock,
    isDurable: log !== undefined,
    random,
    store,
    schedule(timer) {
      timerNumber += 1;
      const key = `${timerPrefix}${String(timerNumber).padStart(10, '0')}`;
      store.set(key, timer as unknown as Json);
      queue(key, timer);
    },
    cancel(model, kind, key) {
      for (const [stored, { timer, cancel }] of queued) {
        if (timer.model !== model || timer.kind !== kind || (key !== undefined && timer.key !== key)) continue;
        cancel();
        queued.delete(stored);
        store.delete(stored);
      }
    },
    register(model) {
      models.set(model.name, model);
    },
    emit(event) {
      const stamped = { ...event, atMs: clock.monotonicMs() };
      for (const listener of listeners) listener(stamped);
    },
    onEvent(listener) {
      listeners.push(listener);
    },
    changed: (signal) =>
      clock.parked(
        () =>
          new Promise((resolve, reject) => {
            const onAbort = () => reject(new TkError(baseFailure('run/aborted', { during: 'a stream' })));
            if (signal.aborted) {
              onAbort();
              return;
            }
            signal.addEventListener('abort', onAbort, { once: true });
            waiting.push(() => {
              signal.removeEventListener('abort', onAbort);
              resolve();
            });
          }),
      ),
    commit: () => write(true),
    flush: () => write(false),
    fault(point, facts) {
      const hit = faults.ask(point, facts, clock.monotonicMs());
      if (hit)
        for (const listener of faultListeners) listener({ point, kind: hit.kind, atMs: clock.monotonicMs(), facts, told: hit.facts });
      return hit;
    },
    faultHits: () => faults.hits(),
    onFault: (listener) => void faultListeners.push(listener),
    entries: () => store.entries(),
    async close() {
      await write(true);
      clock.stop();
      await log?.close();
    },
  };
}
