import { fdatasync, fsync, unlinkSync } from 'node:fs';
import { promisify } from 'node:util';

/** Resolves when everything that was written to an open file is on the disk. Everything else goes on meanwhile. */
export const toDisk = promisify(fsync);

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
