import { type AppendFile, crc32, type Failure, type Files, type Json, remembered } from '../base/index.ts';

/** What a run puts on disk. Only `once` steps ever read it back to decide something. */
export type JournalRecord =
  | {
      readonly type: 'run';
      readonly run: string;
      readonly version: string;
      readonly goals: readonly string[];
      /** The words that would start the same run again. */
      readonly argv: readonly string[];
      /** What the run acts on, so that intents of another target are never mistaken for ours. */
      readonly identity: string;
    }
  | { readonly type: 'task'; readonly task: string; readonly state: 'started' | 'done' | 'skipped' | 'failed' | 'blocked' | 'cancelled' }
  | {
      readonly type: 'step';
      readonly task: string;
      readonly title: string;
      readonly node?: string;
      readonly state: 'started' | 'done' | 'skipped' | 'failed' | 'cancelled';
      readonly failure?: Failure;
    }
  /** On disk before the act begins. */
  | { readonly type: 'intent'; readonly key: string; readonly identity: string; readonly target?: string }
  /** The act ended before anything was done. */
  | { readonly type: 'withdrawn'; readonly key: string; readonly identity: string }
  /** Reality was seen to hold the act's effect. */
  | { readonly type: 'result'; readonly key: string; readonly identity: string; readonly seen?: string }
  /** Something that a person decided against what the run would have done by itself. */
  | { readonly type: 'decision'; readonly task: string; readonly subject: string; readonly reason: string; readonly node?: string }
  | { readonly type: 'end'; readonly outcome: string; readonly exitCode: number };

export interface JournalEntry {
  readonly atMs: number;
  readonly record: JournalRecord;
}

export interface Journal {
  /** Lines stay in the order of the calls. `sync` resolves only when this line and all before it are on the disk. */
  append(record: JournalRecord, options?: { readonly sync?: boolean }): Promise<void>;
  close(): Promise<void>;
}

/**
 * Each line is `<checksum> <json>`. The checksum covers the line's text and, as its seed, the checksum of the line before: a line
 * that was torn, changed, moved or taken from another journal does not fit its place.
 */
export async function openJournal(files: Files, path: string, now: () => number): Promise<Journal> {
  const file: AppendFile = await files.append(path, { mode: 0o600 });
  let previous = 0;
  let tail: Promise<void> = Promise.resolve();
  return {
    append(record, options = {}) {
      const text = JSON.stringify({ atMs: now(), record } satisfies JournalEntry);
      previous = crc32(text, previous);
      const line = `${hex(previous)} ${text}\n`;
      // A write that failed must fail everything behind it: a line after a hole could not be read.
      tail = tail.then(() => file.write(line, options));
      tail.catch(() => {});
      return tail;
    },
    async close() {
      await tail.catch(() => {});
      await file.close();
    },
  };
}

export interface ReadJournal {
  readonly entries: readonly JournalEntry[];
  /** Whether lines after the last good one were left out: the run was cut off while it wrote. */
  readonly torn: boolean;
}

/**
 * Reads up to the first line that does not fit. Never fails: what cannot be read did not happen. A journal that has ended is read by
 * every run after it, and by several in one.
 */
export const readJournal = remembered(read, { keyOf: (text) => text, limit: 20 });

function read(text: string): ReadJournal {
  const entries: JournalEntry[] = [];
  let previous = 0;
  let rest = text;
  while (rest !== '') {
    const end = rest.indexOf('\n');
    if (end === -1) return { entries, torn: true };
    const line = rest.slice(0, end);
    const body = line.slice(9);
    const sum = crc32(body, previous);
    if (line[8] !== ' ' || line.slice(0, 8) !== hex(sum)) return { entries, torn: true };
    const entry = parsed(body);
    if (!entry) return { entries, torn: true };
    entries.push(entry);
    previous = sum;
    rest = rest.slice(end + 1);
  }
  return { entries, torn: false };
}

const hex = (sum: number): string => sum.toString(16).padStart(8, '0');

function parsed(body: string): JournalEntry | undefined {
  try {
    const value = JSON.parse(body) as Json;
    if (typeof value !== 'object' || value === null || !('record' in value)) return undefined;
    return value as unknown as JournalEntry;
  } catch {
    return undefined;
  }
}
