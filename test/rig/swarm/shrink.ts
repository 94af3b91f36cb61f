import type { Task } from '../../../lib/core/index.ts';
import { type History, tellHistory } from './history.ts';
import type { Schedule } from './schedule.ts';
import type { Story } from './story.ts';

/** What kind of thing went wrong: the invariant, or the first words. */
const kindOf = ({ violations }: History): string => violations[0]?.split(' ', 1)[0] ?? '';

/**
 * The smallest schedule found that goes wrong in the same way: faults, deaths and stops are left out, then workers, as long as it
 * does. At most `budget` histories are told.
 */
export async function shrink(story: Story, schedule: Schedule, tasks: ReadonlyMap<string, Task>, budget = 60): Promise<Schedule> {
  const wanted = kindOf(await tellHistory(story, schedule, tasks));
  let left = budget;
  let smallest = schedule;
  const isStillWrong = async (candidate: Schedule): Promise<boolean> => {
    if (left <= 0) return false;
    left -= 1;
    if (kindOf(await tellHistory(story, candidate, tasks)) !== wanted) return false;
    smallest = candidate;
    return true;
  };
  // Halves first, then quarters, then one by one: most faults have nothing to do with it.
  for (let size = Math.ceil(smallest.faults.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let at = 0; at < smallest.faults.length; ) {
      const without = { ...smallest, faults: [...smallest.faults.slice(0, at), ...smallest.faults.slice(at + size)] };
      if (!(await isStillWrong(without))) at += size;
    }
  }
  for (const ends of ['deaths', 'stops'] as const) {
    for (let index = 0; index < smallest[ends].length; index += 1) {
      if (smallest[ends][index] === undefined) continue;
      await isStillWrong({ ...smallest, [ends]: smallest[ends].map((operation, at) => (at === index ? undefined : operation)) });
    }
  }
  if (smallest.workers > 0) await isStillWrong({ ...smallest, workers: 0 });
  if (smallest.tree) await isStillWrong({ ...smallest, tree: false });
  return smallest;
}
