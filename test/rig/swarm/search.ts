import { builtInTasks } from '../tasks.ts';
import { bootstrapStory } from './bootstrap-story.ts';
import { tellHistory } from './history.ts';
import { scheduleOf } from './schedule.ts';

/** `node search.ts FIRST COUNT` tells histories until one goes wrong, and prints which and how: one JSON document. */
const [first, count] = process.argv.slice(2).map(Number) as [number, number];
Error.stackTraceLimit = 0;
const tasks = await builtInTasks();
let found: { readonly seed: number; readonly violations: readonly string[] } | undefined;
for (let seed = first; seed < first + count && !found; seed += 1) {
  const { violations } = await tellHistory(bootstrapStory, scheduleOf(`swarm-${seed}`), tasks);
  if (violations.length > 0) found = { seed, violations };
}
process.stdout.write(`${JSON.stringify(found ?? { seed: null, violations: [] })}\n`, () => process.exit(0));
