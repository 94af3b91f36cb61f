import type { Task } from '../../../lib/core/index.ts';
import { builtInTasks } from '../tasks.ts';
import { bootstrapStory } from './bootstrap-story.ts';
import { tellHistory } from './history.ts';
import { type Schedule, scheduleOf, undisturbed } from './schedule.ts';

let isWarm: 'cold' | 'small' | 'whole' = 'cold';

/**
 * A process in which histories are told: the tasks, with nothing in it that would let a history go another way when it is told first,
 * alone or after others. Virtual time does not wait for modules that are loaded when they are first needed, and not for the
 * platform's other threads: so everything is loaded before, and the cryptography of SOPS is made to do without threads.
 */
export async function prepared(first: Schedule, tasks?: ReadonlyMap<string, Task>): Promise<ReadonlyMap<string, Task>> {
  const all = tasks ?? (await builtInTasks());
  if (isWarm === 'cold') crypto.subtle.importKey = () => Promise.reject(new DOMException('the swarm has one thread', 'NotSupportedError'));
  if (isWarm === 'cold' || (isWarm === 'small' && first.tree)) {
    isWarm = first.tree ? 'whole' : 'small';
    await tellHistory(bootstrapStory, undisturbed({ ...scheduleOf('warm'), controlPlanes: 1, workers: 0, tree: first.tree }), all);
  }
  return all;
}
