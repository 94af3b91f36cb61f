import { crc32 } from 'node:zlib';
import { type AppendFile, type Files, type Json, TkError } from '../base/index.ts';
import { simFailure } from './failures.ts';
import type { StoreChanges } from './store.ts';

/** One durable step: what changed, and the virtual instant at which it was written. */
interface LogEntry {
  readonly ms: number;
  readonly set: { readonly [key: string]: Json };
  readonly gone?: readonly string[];
}

export interface StoreLog {
  /** Resolves when the changes are with the operating system, and with `sync` when they are on the disk. */
  append(changes: StoreChanges, atMs: number, options: { readonly sync: boolean }): Promise<void>;
  close(): Promise<void>;
}

export interface OpenedLog {
  readonly log: StoreLog;
  readonly entries: ReadonlyMap<string, Json>;
  readonly atMs: number;
}

/**
 * Opens the sandbox's log and compacts it to one line. A torn last line is what a killed process leaves and is dropped.
 *
 * Shape: one entry a line, `<crc32 of the rest, 8 hex digits> <JSON>`.
 * Failure: `sim/log-damaged` when a line before the last is not whole.
 */
export async function openLog(files: Files, path: string): Promise<OpenedLog> {
  const entries = new Map<string, Json>();
  let atMs = 0;
  const lines = ((await files.readText(path)) ?? '').split('\n').filter((line) => line !== '');
  for (const [index, line] of lines.entries()) {
    const entry = parseLine(line);
    if (!entry) {
      if (index === lines.length - 1) break;
      throw new TkError(simFailure('sim/log-damaged', { path, line: index + 1 }));
    }
    atMs = entry.ms;
    for (const [key, value] of Object.entries(entry.set)) entries.set(key, value);
    for (const key of entry.gone ?? []) entries.delete(key);
  }
  await files.write(path, renderLine({ ms: atMs, set: Object.fromEntries(entries) }), { mode: 0o600 });
  return { log: createWriter(await files.append(path, { mode: 0o600 })), entries, atMs };
}

/** Calls that arrive while a write is under way share the next one. */
function createWriter(file: AppendFile): StoreLog {
  let waiting: { text: string; sync: boolean; done: (error?: unknown) => void }[] = [];
  let writing: Promise<void> | undefined;
  const drain = async () => {
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      const text = batch.map((entry) => entry.text).join('');
      const error = await file.write(text, { sync: batch.some((entry) => entry.sync) }).then(
        () => undefined,
        (caught: unknown) => caught,
      );
      for (const entry of batch) entry.done(error);
    }
    writing = undefined;
  };
  return {
    append: (changes, atMs, { sync }) =>
      new Promise((resolve, reject) => {
        const set: { [key: string]: Json } = {};
        const gone: string[] = [];
        for (const [key, value] of changes) {
          if (value === undefined) gone.push(key);
          else set[key] = value;
        }
        const text = changes.size === 0 ? '' : renderLine({ ms: atMs, set, ...(gone.length > 0 ? { gone } : {}) });
        waiting.push({ text, sync, done: (error) => (error === undefined ? resolve() : reject(error)) });
        writing ??= drain();
      }),
    async close() {
      await writing;
      await file.close();
    },
  };
}

function renderLine(entry: LogEntry): string {
  const json = JSON.stringify(entry);
  return `${crc32(json).toString(16).padStart(8, '0')} ${json}\n`;
}

function parseLine(line: string): LogEntry | undefined {
  const json = line.slice(9);
  if (line[8] !== ' ' || crc32(json).toString(16).padStart(8, '0') !== line.slice(0, 8)) return undefined;
  return JSON.parse(json) as LogEntry;
}
