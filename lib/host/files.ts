import { type FileHandle, lstat, mkdir, open, readdir, readFile, realpath, rename, rm, rmdir, stat, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type AppendFile, type Clock, type DirectoryEntry, type Files, type FileStat, TkError } from '../base/index.ts';
import { hostFailure } from './failures.ts';

export function createHostFiles(clock: Clock): Files {
  const attempt = <T>(operation: string, path: string, work: () => Promise<T>): Promise<T> =>
    clock.whileBusy(async () => {
      try {
        return await work();
      } catch (error) {
        throw fileError(operation, path, error);
      }
    });
  const orAbsent = async <T>(work: Promise<T>): Promise<T | undefined> => {
    try {
      return await work;
    } catch (error) {
      if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined;
      throw error;
    }
  };
  return {
    read: (path) => attempt('read', path, async () => orAbsent(readFile(path).then((bytes) => new Uint8Array(bytes)))),
    readText: (path) => attempt('read', path, () => orAbsent(readFile(path, 'utf8'))),
    stat: (path) =>
      attempt('stat', path, async (): Promise<FileStat | undefined> => {
        const found = await orAbsent(lstat(path));
        return found && { kind: kindOf(found), sizeBytes: found.size, mode: found.mode & 0o777, modifiedMs: found.mtimeMs };
      }),
    list: (path) =>
      attempt('list', path, async (): Promise<readonly DirectoryEntry[]> => {
        const entries = (await orAbsent(readdir(path, { withFileTypes: true }))) ?? [];
        return entries.map((entry) => ({ name: entry.name, kind: kindOf(entry) })).sort((a, b) => (a.name < b.name ? -1 : 1));
      }),
    write: (path, content, options) => attempt('write', path, () => writeAtomically(path, content, options?.mode)),
    append: (path, options) => attempt('append', path, () => openForAppending(path, options?.mode, attempt)),
    remove: (path) =>
      attempt('remove', path, async () => {
        const found = await orAbsent(lstat(path));
        if (found) await (found.isDirectory() ? rmdir(path) : unlink(path));
      }),
    removeTree: (path) => attempt('remove', path, () => rm(path, { recursive: true, force: true })),
    makeDirectory: (path, options) =>
      attempt('make-directory', path, async () => {
        await mkdir(path, { recursive: true, ...(options?.mode === undefined ? {} : { mode: options.mode }) });
      }),
    realPath: (path) => attempt('resolve', path, () => orAbsent(realpath(path))),
    lock: (path, owner) => attempt('lock', path, async () => (await import('./lock.ts')).acquireLock(path, owner)),
  };
}

/**
 * A temporary file beside the target gets the content, reaches the disk, and takes the target's place; then the directory
 * reaches the disk too. The temporary file is private from its first byte, whatever mode it ends with.
 */
async function writeAtomically(path: string, content: Uint8Array | string, mode: number | undefined): Promise<void> {
  const directory = dirname(path);
  await sweep(directory);
  const finalMode = mode ?? (await modeOf(path));
  const temporary = join(directory, `.${basename(path)}.${process.pid}-${temporarySuffix()}.tk-tmp`);
  const begin = () => open(temporary, 'wx', finalMode === undefined ? 0o666 : privateMode);
  const handle = await begin().catch(async (error: unknown) => {
    // Somebody took the folder away since it was swept.
    if (errnoOf(error) !== 'ENOENT') throw error;
    await mkdir(directory, { recursive: true });
    return begin();
  });
  try {
    try {
      await handle.writeFile(content);
      // The temporary file was made with these very rights, and a umask only takes away what others may do.
      if (finalMode !== undefined && finalMode !== privateMode) await handle.chmod(finalMode);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await unlink(temporary).catch(() => {});
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
async function sweep(directory: string): Promise<void> {
  if (swept.has(directory)) return;
  await mkdir(directory, { recursive: true });
  swept.add(directory);
  for (const name of await readdir(directory)) {
    const pid = /^\..+\.(\d+)-[0-9a-f]{8}\.tk-tmp$/.exec(name)?.[1];
    if (pid !== undefined && !isRunning(Number(pid))) await unlink(join(directory, name)).catch(() => {});
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

async function modeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).mode & 0o777;
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
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

type Attempt = <T>(operation: string, path: string, work: () => Promise<T>) => Promise<T>;

async function openForAppending(path: string, mode: number | undefined, attempt: Attempt): Promise<AppendFile> {
  await mkdir(dirname(path), { recursive: true });
  const isNew = (await modeOf(path)) === undefined;
  const handle: FileHandle = await open(path, 'a', mode ?? 0o666);
  if (isNew) await syncDirectory(dirname(path));
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
          await handle.appendFile(text);
          if (options?.sync) await handle.datasync();
        }),
      ),
    close: () => attempt('close', path, () => inOrder(() => handle.close())),
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
