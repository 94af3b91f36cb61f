import { fdatasync, fsync, mkdirSync, statSync, unlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';

const sync = promisify(fsync);

/** Resolves when everything that was written to an open file is on the disk. Everything else goes on meanwhile. */
export function toDisk(file: number): Promise<void> {
  if (!waitsForMany) return sync(file);
  waitsForMany = false;
  // Read when the first thread is asked for. No child is to take it over.
  process.env['UV_THREADPOOL_SIZE'] = '16';
  try {
    return sync(file);
  } finally {
    delete process.env['UV_THREADPOOL_SIZE'];
  }
}

let waitsForMany = false;

/**
 * Hundreds of files will be written together. A file system brings all that wait for it to the disk at once, and Node has only four
 * threads that wait. Once one of them has worked there are no more.
 */
export function expectManyFiles(): void {
  waitsForMany = process.env['UV_THREADPOOL_SIZE'] === undefined;
}

/** The same for what a file holds and how long it is, whatever else is known about it. */
export const contentToDisk = promisify(fdatasync);

/** As far as that can be done: a file that stays is in nobody's way. */
export function takeAway(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Somebody else's, or gone already.
  }
}

/**
 * Makes a folder, and those around it, where there are none. Node's own way never ends where nothing can be made and nothing is in the
 * way, as below /proc.
 */
export function makeFolder(path: string, mode = 0o777): void {
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    if (isFolder(path)) return;
    const parent = dirname(path);
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT') || isFolder(parent)) throw error;
    makeFolder(parent, mode);
    // Another process may have been as quick.
    if (!isFolder(path)) mkdirSync(path, { mode });
  }
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
