import {
  closeSync,
  fchmodSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  rmdirSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, sep } from 'node:path';
import { type AppendFile, type Clock, type DirectoryEntry, type Files, type FileStat, TkError } from '../base/index.ts';
import { hostFailure } from './failures.ts';
import { contentToDisk, makeFolder, takeAway, toDisk } from './to-disk.ts';

/**
 * The files of this machine. What the operating system answers at once is asked for at once: handing it to another thread and hearing
 * back costs ten times as much, and a command that generates six machine configs looks at a hundred files. Only what waits for the disk
 * does so beside everything else.
 */
export function createHostFiles(clock: Clock): Files {
  const attempt = <T>(operation: string, path: string, work: () => Promise<T> | T): Promise<T> =>
    clock.whileBusy(async () => {
      try {
        return await work();
      } catch (error) {
        throw fileError(operation, path, error);
      }
    });
  return {
    read: (path) => attempt('read', path, () => orAbsent(() => new Uint8Array(readFileSync(path)))),
    readText: (path) => attempt('read', path, () => orAbsent(() => readFileSync(path, 'utf8'))),
    stat: (path) =>
      attempt('stat', path, (): FileStat | undefined => {
        const found = orAbsent(() => lstatSync(path, { throwIfNoEntry: false }));
        return found && { kind: kindOf(found), sizeBytes: found.size, mode: found.mode & 0o777, modifiedMs: found.mtimeMs };
      }),
    list: (path) =>
      attempt('list', path, (): readonly DirectoryEntry[] => {
        const entries = orAbsent(() => readdirSync(path, { withFileTypes: true })) ?? [];
        return entries.map((entry) => ({ name: entry.name, kind: kindOf(entry) })).sort((a, b) => (a.name < b.name ? -1 : 1));
      }),
    write: (path, content, options) => attempt('write', path, () => writeAtomically(path, content, options?.mode)),
    append: (path, options) => attempt('append', path, () => openForAppending(path, options?.mode, attempt)),
    remove: (path) =>
      attempt('remove', path, () => {
        const found = orAbsent(() => lstatSync(path, { throwIfNoEntry: false }));
        if (found?.isDirectory()) rmdirSync(path);
        else if (found) unlinkSync(path);
      }),
    removeTree: (path) => attempt('remove', path, () => rmSync(path, { recursive: true, force: true })),
    makeDirectory: (path, options) =>
      attempt('make-directory', path, () => {
        makeFolder(path, options?.mode);
      }),
    realPath: (path) => attempt('resolve', path, () => orAbsent(() => realpathSync.native(path))),
    lock: (path, owner) => attempt('lock', path, async () => (await import('./lock.ts')).acquireLock(path, owner)),
  };
}

function orAbsent<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

/**
 * A temporary file beside the target gets the content, reaches the disk, and takes the target's place; then the directory
 * reaches the disk too. The temporary file is private from its first byte, whatever mode it ends with.
 */
async function writeAtomically(path: string, content: Uint8Array | string, mode: number | undefined): Promise<void> {
  const directory = dirname(path);
  sweep(directory);
  const finalMode = mode ?? modeOf(path);
  const temporary = `${directory}${sep}.${basename(path)}.${process.pid}-${temporarySuffix()}.tk-tmp`;
  const begin = () => openSync(temporary, 'wx', finalMode === undefined ? 0o666 : privateMode);
  let file = orAbsent(begin);
  if (file === undefined) {
    // Somebody took the folder away since it was swept.
    makeFolder(directory);
    file = begin();
  }
  try {
    try {
      writeFileSync(file, content);
      // The temporary file was made with these very rights, and a umask only takes away what others may do.
      if (finalMode !== undefined && finalMode !== privateMode) fchmodSync(file, finalMode);
      await toDisk(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (error) {
    takeAway(temporary);
    throw error;
  }
  await syncDirectory(directory);
}

const privateMode = 0o600;

/** Eight hexadecimal digits: only a name, so that node:crypto need not be loaded for it. */
const temporarySuffix = (): string =>
  Math.floor(Math.random() * 2 ** 32)
    .toString(16)
    .padStart(8, '0');

const swept = new Set<string>();

/**
 * What a killed process left half written: it may hold secrets, and no later write would take its place. Once per folder, which is
 * made where there is none.
 */
function sweep(directory: string): void {
  if (swept.has(directory)) return;
  makeFolder(directory);
  swept.add(directory);
  for (const name of readdirSync(directory)) {
    const pid = /^\..+\.(\d+)-[0-9a-f]{8}\.tk-tmp$/.exec(name)?.[1];
    if (pid !== undefined && !isRunning(Number(pid))) takeAway(join(directory, name));
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errnoOf(error) === 'EPERM';
  }
}

function modeOf(path: string): number | undefined {
  try {
    return statSync(path).mode & 0o777;
  } catch {
    return undefined;
  }
}

/** Windows cannot open directories; there a rename is as durable as it gets. */
function syncDirectory(directory: string): Promise<void> {
  if (process.platform === 'win32') return Promise.resolve();
  let syncing = syncingOf.get(directory);
  if (!syncing) syncingOf.set(directory, (syncing = { running: undefined, next: undefined }));
  const one = syncing;
  one.next ??= (async () => {
    await one.running?.catch(() => {});
    // Whoever comes from here on may have renamed too late for this one.
    one.running = one.next;
    one.next = undefined;
    await syncNow(directory);
  })();
  return one.next;
}

/** Files that are written together wait for one look at their directory, as long as it begins after the last of their renames. */
const syncingOf = new Map<string, { running: Promise<void> | undefined; next: Promise<void> | undefined }>();

async function syncNow(directory: string): Promise<void> {
  const file = openSync(directory, 'r');
  try {
    await toDisk(file);
  } finally {
    closeSync(file);
  }
}

type Attempt = <T>(operation: string, path: string, work: () => Promise<T> | T) => Promise<T>;

async function openForAppending(path: string, mode: number | undefined, attempt: Attempt): Promise<AppendFile> {
  makeFolder(dirname(path));
  const isNew = modeOf(path) === undefined;
  const file = openSync(path, 'a', mode ?? 0o666);
  // The entry of a new file reaches the disk beside the first text that has to.
  const placed = isNew ? syncDirectory(dirname(path)) : Promise.resolve();
  placed.catch(() => {});
  // One write after another: two appends under way at once could interleave.
  let last: Promise<void> = Promise.resolve();
  const inOrder = (work: () => Promise<void>): Promise<void> => {
    const next = last.then(work);
    last = next.catch(() => {});
    return next;
  };
  return {
    write: (text, options) =>
      attempt('append', path, () =>
        inOrder(async () => {
          writeFileSync(file, text);
          if (options?.sync) await Promise.all([contentToDisk(file), placed]);
        }),
      ),
    close: () => attempt('close', path, () => inOrder(async () => closeSync(file))),
  };
}

interface Kinds {
  isFile(): boolean;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
}

function kindOf(entry: Kinds): FileStat['kind'] {
  if (entry.isFile()) return 'file';
  if (entry.isDirectory()) return 'directory';
  return entry.isSymbolicLink() ? 'link' : 'other';
}

function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}

function fileError(operation: string, path: string, error: unknown): unknown {
  const errno = errnoOf(error);
  return errno === undefined || error instanceof TkError ? error : new TkError(hostFailure('host/file', { operation, path, errno }));
}
