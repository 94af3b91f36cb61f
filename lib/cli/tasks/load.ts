import type { Files } from '../../base/index.ts';
import type { Task } from '../../core/index.ts';
import { loadBuiltInTasks } from './built-in.ts';
import { isOwnCheckout } from './place.ts';
import { loadUserTasks, tasksDigest } from './user.ts';

/**
 * Every task that a run of `wanted` may reach. A repository's own task takes the place of a built-in one of the same name, and may
 * import any other.
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
  const own = isOwnCheckout(root) ? new Map<string, Task>() : await loadUserTasks(files, root);
  const builtIn = await loadBuiltInTasks(own.size > 0 ? undefined : wanted);
  const isAsked = [...own.values()].some((task) => task.definition.inputs !== undefined);
  return { builtIn, own, ...(isAsked ? { source: await tasksDigest(files, root) } : {}) };
}
