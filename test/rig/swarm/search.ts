import { bootstrapStory } from './bootstrap-story.ts';
import { tellHistory } from './history.ts';
import { prepared } from './prepare.ts';
import { scheduleOf } from './schedule.ts';

/** `node search.ts FIRST COUNT MANY` tells histories until so many went wrong, and prints which and how: one JSON document. */
const [first = 0, count = 1, many = 1] = process.argv.slice(2).map(Number);
Error.stackTraceLimit = 0;
const found: { readonly seed: number; readonly violations: readonly string[] }[] = [];
for (let seed = first; seed < first + count && found.length < many; seed += 1) {
  const schedule = scheduleOf(`swarm-${seed}`);
  const { violations } = await tellHistory(bootstrapStory, schedule, await prepared(schedule));
  if (violations.length > 0) found.push({ seed, violations });
}
process.stdout.write(`${JSON.stringify(found)}\n`, () => process.exit(0));
