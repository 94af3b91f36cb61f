import { type Clock, failureOf, type Files, TkError } from '../base/index.ts';
import type { OpenIntent, Recollection, TaskContext } from './context.ts';
import { coreFailure } from './failures.ts';
import type { Journal } from './journal.ts';
import { loadRuns, recollections } from './runs.ts';

/** What `once` steps ask and tell. Keys are stable over runs; every write is on the disk when it resolves. */
export interface IntentLog {
  open(key: string): Promise<OpenIntent | undefined>;
  recall(key: string): Promise<Recollection>;
  keep(task: string, decision: Parameters<TaskContext['keep']>[0]): Promise<void>;
  /** Failure: `journal/write`; then nothing may be done. */
  intend(key: string, target: string | undefined): Promise<OpenIntent>;
  /** Nothing was done, for certain. One that cannot be written stays open, and the next run probes. */
  withdraw(key: string): Promise<void>;
  /** `seen`: reality showed the effect, rather than the act having returned. */
  finish(key: string, seen?: string): Promise<void>;
}

export interface IntentLogOptions {
  readonly files: Files;
  readonly clock: Clock;
  readonly stateDirectory: string;
  readonly run: string;
  readonly identity: string;
  readonly journal: Journal;
  readonly journalFile: string;
}

export function createIntentLog(options: IntentLogOptions): IntentLog {
  const { identity, journal } = options;
  // Read once, at the first question: most runs never ask. Safe because the repository's lock is held.
  let loaded: Promise<Map<string, Recollection>> | undefined;
  const known = () => (loaded ??= loadRuns(options.files, options.stateDirectory).then((runs) => new Map(recollections(runs, identity))));
  const write = async (record: Parameters<Journal['append']>[0]) => {
    try {
      await journal.append(record, { sync: true });
    } catch (error) {
      throw new TkError(coreFailure('journal/write', { path: options.journalFile }, { cause: failureOf(error) }));
    }
  };
  return {
    open: async (key) => (await known()).get(key)?.open,
    recall: async (key) => (await known()).get(key) ?? {},
    keep: (task, decision) => write({ type: 'decision', task, ...decision }),
    async intend(key, target) {
      const intents = await known();
      await write({ type: 'intent', key, identity, ...(target === undefined ? {} : { target }) });
      const intent: OpenIntent = { runId: options.run, at: options.clock.now(), ...(target === undefined ? {} : { target }) };
      const last = intents.get(key)?.last;
      intents.set(key, { open: intent, ...(last === undefined ? {} : { last }) });
      return intent;
    },
    async withdraw(key) {
      const intents = await known();
      try {
        await write({ type: 'withdrawn', key, identity });
      } catch (error) {
        if (error instanceof TkError) return;
        throw error;
      }
      const last = intents.get(key)?.last;
      intents.set(key, last === undefined ? {} : { last });
    },
    async finish(key, seen) {
      const intents = await known();
      await write({ type: 'result', key, identity, ...(seen === undefined ? {} : { seen }) });
      const begun = intents.get(key)?.open;
      intents.set(key, {
        last: { ...(begun ?? { runId: options.run }), at: options.clock.now(), ...(seen === undefined ? {} : { seen }) },
      });
    },
  };
}

/** What journals know, for whoever only plans. */
export function recollectionsOf(files: Files, stateDirectory: string, identity: string): IntentLog['recall'] {
  let loaded: Promise<ReadonlyMap<string, Recollection>> | undefined;
  return async (key) => {
    loaded ??= loadRuns(files, stateDirectory).then((runs) => recollections(runs, identity));
    return (await loaded).get(key) ?? {};
  };
}

/** For runs whose tasks only read: a `once` step there is a defect, and is refused before it acts. */
export const noIntents: IntentLog = {
  open: async () => undefined,
  recall: async () => ({}),
  keep: async () => {},
  intend: async (key) => {
    throw new TkError(coreFailure('journal/write', { path: key }));
  },
  withdraw: async () => {},
  finish: async () => {},
};
