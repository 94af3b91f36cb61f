import type { Files } from '../../base/index.ts';
import type { Task } from '../../core/index.ts';
import { loadBuiltInTasks } from './built-in.ts';
import { isOwnCheckout } from './place.ts';
import { loadUserTasks } from './user.ts';

/**
 * Every task that a run of `wanted` may reach. A repository's own task takes the place of a built-in one of the same name, and may
 * import any other.
 */
export async function loadTasks(
  files: Files,
  root: string,
  wanted: string,
): Promise<{ readonly builtIn: ReadonlyMap<string, Task>; readonly own: ReadonlyMap<string, Task> }> {
  const own = isOwnCheckout(root) ? new Map<string, Task>() : await loadUserTasks(files, root);
  return { builtIn: await loadBuiltInTasks(own.size > 0 ? undefined : wanted), own };
}
