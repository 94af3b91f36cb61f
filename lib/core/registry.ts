import { suggestionFor, TkError } from '../base/index.ts';
import { coreFailure } from './failures.ts';
import type { Task } from './task.ts';

/**
 * Tasks under their names. A name that is registered again with `shadow` replaces the first task everywhere, also where other
 * tasks need the first one: so a copied and changed task is the one that runs.
 */
export interface TaskRegistry {
  /** Failure: `task/duplicate` unless `shadow`. */
  register(
    name: string,
    task: Task,
    options?: { readonly shadow?: boolean /** Digest of the files that it is made of. */; readonly source?: string },
  ): void;
  /** Undefined where nobody knows. */
  sourceOf(name: string): string | undefined;
  /** Undefined for a task that was never registered. */
  nameOf(task: Task): string | undefined;
  /** Failure: `task/unknown`. */
  get(name: string): Task;
  has(name: string): boolean;
  /** Sorted by name. */
  entries(): readonly (readonly [string, Task])[];
}

export function createRegistry(): TaskRegistry {
  const byName = new Map<string, Task>();
  const names = new Map<Task, string>();
  const sources = new Map<string, string>();
  return {
    register(name, task, options = {}) {
      if (byName.has(name) && !options.shadow) throw new TkError(coreFailure('task/duplicate', { task: name }));
      byName.set(name, task);
      names.set(task, name);
      if (options.source !== undefined) sources.set(name, options.source);
    },
    sourceOf: (name) => sources.get(name),
    nameOf: (task) => names.get(task),
    get(name) {
      const task = byName.get(name);
      if (task) return task;
      const suggestion = suggestionFor(name, byName.keys());
      throw new TkError(coreFailure('task/unknown', { task: name, ...(suggestion ? { suggestion } : {}) }));
    },
    has: (name) => byName.has(name),
    entries: () => [...byName].sort(([a], [b]) => (a < b ? -1 : 1)),
  };
}
