import { TkError } from '../base/index.ts';
import { coreFailure } from './failures.ts';

export interface FailOptions {
  /** Why, when it is known. */
  readonly because?: string;
  /** The next command or act. */
  readonly help?: string;
}

/** Ends the task with these words: `if (full) fail('the NAS is full', { help: 'prune old snapshots' })`. Exit 1. */
export function fail(message: string, options: FailOptions = {}): never {
  throw new TkError(coreFailure('task/failed', { message, ...options }));
}

/** Ends the task because it must not be done now. Exit 3. */
export function refuse(message: string, options: FailOptions = {}): never {
  throw new TkError(coreFailure('task/refused', { message, ...options }));
}

/** Ends the task because only a person can tell what is right. Exit 5. */
export function needsHuman(message: string, options: FailOptions = {}): never {
  throw new TkError(coreFailure('task/needs-human', { message, ...options }));
}
