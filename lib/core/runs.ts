import { type Files, TkError } from '../base/index.ts';
import type { OpenIntent, Recollection } from './context.ts';
import { coreFailure } from './failures.ts';
import { type JournalEntry, readJournal } from './journal.ts';
import { isRunId } from './run-id.ts';

/** One run as its journal tells it. `end` is absent when it was cut off. */
export interface RecordedRun {
  readonly id: string;
  readonly startedMs: number;
  readonly goals: readonly string[];
  readonly argv: readonly string[];
  readonly identity: string;
  readonly version: string;
  readonly entries: readonly JournalEntry[];
  readonly torn: boolean;
  readonly end?: { readonly outcome: string; readonly exitCode: number; readonly atMs: number };
}

export const journalPath = (stateDirectory: string, run: string): string => `${stateDirectory}/runs/${run}/journal.jsonl`;

/** All runs, the newest first. A run without a readable first line is left out: it cannot have done anything. */
export async function loadRuns(files: Files, stateDirectory: string): Promise<readonly RecordedRun[]> {
  const directories = (await files.list(`${stateDirectory}/runs`)).filter((entry) => entry.kind === 'directory' && isRunId(entry.name));
  const runs: RecordedRun[] = [];
  for (const { name } of directories.toReversed()) {
    const run = recordedRun(name, (await files.readText(journalPath(stateDirectory, name))) ?? '');
    if (run) runs.push(run);
  }
  return runs;
}

function recordedRun(id: string, text: string): RecordedRun | undefined {
  const { entries, torn } = readJournal(text);
  const [first] = entries;
  if (first?.record.type !== 'run') return undefined;
  const last = entries.at(-1);
  const { goals, argv, identity, version } = first.record;
  return {
    id,
    startedMs: first.atMs,
    goals,
    argv,
    identity,
    version,
    entries,
    torn,
    ...(last?.record.type === 'end' ? { end: { outcome: last.record.outcome, exitCode: last.record.exitCode, atMs: last.atMs } } : {}),
  };
}

/**
 * What earlier runs set out to do and what they reported as done, by key. A later intent for the same key takes the place of an
 * earlier one, because it was written only after reality had said that nothing had happened yet; the first recorded target stays.
 */
export function recollections(runs: readonly RecordedRun[], identity: string): ReadonlyMap<string, Recollection> {
  const known = new Map<string, Recollection>();
  const goalsOf = new Map(runs.map(({ id, goals }) => [id, JSON.stringify(goals)]));
  for (const run of runs.toReversed()) {
    for (const { atMs, record } of run.entries) {
      if (record.type !== 'intent' && record.type !== 'withdrawn' && record.type !== 'result') continue;
      if (record.identity !== identity) continue;
      const { open, last } = known.get(record.key) ?? {};
      if (record.type === 'withdrawn') {
        known.set(record.key, last === undefined ? {} : { last });
      } else if (record.type === 'intent') {
        const target = record.target ?? open?.target;
        const intent: OpenIntent = { runId: run.id, at: atMs, ...(target === undefined ? {} : { target }) };
        known.set(record.key, { open: intent, ...(last === undefined ? {} : { last }) });
      } else {
        const done = {
          runId: run.id,
          at: atMs,
          ...(open?.target === undefined ? {} : { target: open.target }),
          ...(run.end?.exitCode === 0 ? { isOver: true } : {}),
        };
        known.set(record.key, { last: { ...done, ...(record.seen === undefined ? {} : { seen: record.seen }) } });
      }
    }
    // Asked for the same and ended well: what an earlier run had left over is done with.
    if (run.end?.exitCode !== 0) continue;
    for (const [key, { last, ...rest }] of known)
      if (last && !last.isOver && goalsOf.get(last.runId) === goalsOf.get(run.id))
        known.set(key, { ...rest, last: { ...last, isOver: true } });
  }
  return known;
}

/** The intents of earlier runs that no later line reports as done. */
export function openIntents(runs: readonly RecordedRun[], identity: string): ReadonlyMap<string, OpenIntent> {
  return new Map([...recollections(runs, identity)].flatMap(([key, { open }]) => (open === undefined ? [] : [[key, open] as const])));
}

/** Removes what is older than the newest `keep` runs, the oldest first, except runs that an open intent still points to. */
export async function pruneRuns(files: Files, stateDirectory: string, keep: number): Promise<void> {
  // Counted before anything is read: most runs end with nothing to remove.
  if ((await files.list(`${stateDirectory}/runs`)).length <= keep) return;
  const runs = await loadRuns(files, stateDirectory);
  const identities = new Set(runs.map((run) => run.identity));
  const needed = new Set([...identities].flatMap((identity) => [...openIntents(runs, identity).values()].map((intent) => intent.runId)));
  for (const run of runs.slice(keep).toReversed()) {
    if (!needed.has(run.id)) await files.removeTree(`${stateDirectory}/runs/${run.id}`);
  }
}

/**
 * The run that `resume` starts again: the named one, or the newest when it did not end well.
 *
 * Failure: `journal/no-run`.
 */
export function runToResume(runs: readonly RecordedRun[], wanted?: string): RecordedRun {
  const [newest] = runs;
  const found = wanted === undefined ? (newest?.end?.exitCode === 0 ? undefined : newest) : runs.find((run) => run.id === wanted);
  if (!found) throw new TkError(coreFailure('journal/no-run', wanted === undefined ? {} : { wanted }));
  return found;
}
