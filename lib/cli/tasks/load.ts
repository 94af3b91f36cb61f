import { type Files, throwIfAny } from '../../base/index.ts';
import type { Task } from '../../core/index.ts';
import { builtInManifest, loadBuiltInTasks } from './built-in.ts';
import { isOwnCheckout } from './place.ts';
import { loadUserTasks, tasksDigest } from './user.ts';

/**
 * Every task that a run of `wanted` may reach. A repository's own task takes the place of a built-in one of the same name, and may
 * import any other.
 *
 * Failure: `usage/task-file` for the wanted task, and for one in the place of a built-in one.
 */
export async function loadTasks(
  files: Files,
  root: string,
  wanted: string,
): Promise<{
  readonly builtIn: ReadonlyMap<string, Task>;
  readonly own: ReadonlyMap<string, Task>;
  /** Digest of what the own tasks are made of, where one of them may be left out for having the same files. */
  readonly source?: string;
}> {
  const { tasks: own, broken } = isOwnCheckout(root) ? { tasks: new Map<string, Task>(), broken: [] } : await loadUserTasks(files, root);
  // A broken file that takes the place of a built-in task would otherwise let that one run in its stead.
  const builtInNames = new Set(builtInManifest().map(({ name }) => name));
  throwIfAny(broken.filter(({ name }) => name === wanted || builtInNames.has(name)).map(({ failure }) => failure));
  const builtIn = await loadBuiltInTasks(own.size > 0 ? undefined : wanted);
  const isAsked = [...own.values()].some((task) => task.definition.inputs !== undefined);
  return { builtIn, own, ...(isAsked ? { source: await tasksDigest(files, root) } : {}) };
}
