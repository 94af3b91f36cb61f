import { bootstrapStory } from './bootstrap-story.ts';
import { tellHistory } from './history.ts';
import { prepared } from './prepare.ts';
import { scheduleOf } from './schedule.ts';

/** `node search.ts FIRST COUNT` tells histories until one goes wrong, and prints which and how: one JSON document. */
const [first = 0, count = 1] = process.argv.slice(2).map(Number);
Error.stackTraceLimit = 0;
let found: { readonly seed: number; readonly violations: readonly string[] } | undefined;
for (let seed = first; seed < first + count && !found; seed += 1) {
  const schedule = scheduleOf(`swarm-${seed}`);
  const { violations } = await tellHistory(bootstrapStory, schedule, await prepared(schedule));
  if (violations.length > 0) found = { seed, violations };
}
process.stdout.write(`${JSON.stringify(found ?? { seed: null, violations: [] })}\n`, () => process.exit(0));
