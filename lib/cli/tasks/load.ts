import type { Files } from '../../base/index.ts';
import type { Task } from '../../core/index.ts';
import { loadBuiltInTasks } from './built-in.ts';
import { isOwnCheckout } from './place.ts';
import { loadUserTasks } from './user.ts';

/** Every task that a run may reach. A repository's own task takes the place of a built-in one of the same name. */
export async function loadTasks(
  files: Files,
  root: string,
): Promise<{ readonly builtIn: ReadonlyMap<string, Task>; readonly own: ReadonlyMap<string, Task> }> {
  const [builtIn, own] = await Promise.all([
    loadBuiltInTasks(),
    isOwnCheckout(root) ? new Map<string, Task>() : loadUserTasks(files, root),
  ]);
  return { builtIn, own };
}
