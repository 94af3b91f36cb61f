import { type Clock, failureOf, type Files, TkError } from '../base/index.ts';
import type { OpenIntent } from './context.ts';
import { coreFailure } from './failures.ts';
import type { Journal } from './journal.ts';
import { loadRuns, openIntents } from './runs.ts';

/** What `once` steps ask and tell. Keys are stable over runs; every write is on the disk when it resolves. */
export interface IntentLog {
  open(key: string): Promise<OpenIntent | undefined>;
  /** Failure: `journal/write`; then nothing may be done. */
  intend(key: string, target: string | undefined): Promise<OpenIntent>;
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
  let loaded: Promise<Map<string, OpenIntent>> | undefined;
  const known = () => (loaded ??= loadRuns(options.files, options.stateDirectory).then((runs) => new Map(openIntents(runs, identity))));
  const write = async (record: Parameters<Journal['append']>[0]) => {
    try {
      await journal.append(record, { sync: true });
    } catch (error) {
      throw new TkError(coreFailure('journal/write', { path: options.journalFile }, { cause: failureOf(error) }));
    }
  };
  return {
    open: async (key) => (await known()).get(key),
    async intend(key, target) {
      const intents = await known();
      await write({ type: 'intent', key, identity, ...(target === undefined ? {} : { target }) });
      const intent: OpenIntent = { runId: options.run, at: options.clock.now(), ...(target === undefined ? {} : { target }) };
      intents.set(key, intent);
      return intent;
    },
    async finish(key, seen) {
      const intents = await known();
      await write({ type: 'result', key, identity, ...(seen === undefined ? {} : { seen }) });
      intents.delete(key);
    },
  };
}

/** For runs whose tasks only read: a `once` step there is a defect, and is refused before it acts. */
export const noIntents: IntentLog = {
  open: async () => undefined,
  intend: async (key) => {
    throw new TkError(coreFailure('journal/write', { path: key }));
  },
  finish: async () => {},
};
