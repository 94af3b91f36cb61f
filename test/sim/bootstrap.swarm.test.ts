import { expect, test } from 'vitest';
import { bootstrapStory } from '../rig/swarm/bootstrap-story.ts';
import { type History, tellHistory } from '../rig/swarm/history.ts';
import { scheduleOf } from '../rig/swarm/schedule.ts';
import { builtInTasks } from '../rig/tasks.ts';

/** `TK_SWARM=1000 vitest run test/sim/bootstrap.swarm` looks at more; `TK_SWARM_FROM=412 TK_SWARM=1` replays one. */
const first = Number(process.env['TK_SWARM_FROM'] ?? 0);
const count = Number(process.env['TK_SWARM'] ?? 12);

test('whatever goes wrong and wherever tk dies, the same command takes the machines to a healthy cluster, etcd bootstrapped once', {
  timeout: 20_000 + count * 5000,
}, async () => {
  const tasks = await builtInTasks();
  const histories: (History & { readonly seed: string })[] = [];
  for (let index = first; index < first + count; index += 1) {
    const seed = `swarm-${index}`;
    histories.push({ seed, ...(await tellHistory(bootstrapStory, scheduleOf(seed), tasks)) });
  }
  const wrong = histories.filter(({ violations }) => violations.length > 0);
  const told = wrong.map(({ seed, violations, attempts }) => ({
    seed,
    violations,
    attempts: attempts.map(({ exit, failures }) => `${exit} ${failures.map(({ code }) => code).join(' ')}`),
  }));
  expect(told).toEqual([]);
  const deaths = histories.flatMap(({ attempts }) => attempts).filter(({ exit }) => exit === 'dead').length;
  const hits = histories.flatMap(({ faultHits }) => Object.values(faultHits)).reduce((sum, one) => sum + one, 0);
  process.stdout.write(`${count} histories from seed swarm-${first}: ${hits} faults, ${deaths} deaths of tk\n`);
  // A swarm in which nothing goes wrong proves nothing.
  if (count >= 12) expect({ faults: hits > count, deaths: deaths > count / 4 }).toEqual({ faults: true, deaths: true });
});

test('the same seed is the same history', async () => {
  const tasks = await builtInTasks();
  const schedule = { ...scheduleOf('twice'), deaths: [40] };
  const [one, other] = [await tellHistory(bootstrapStory, schedule, tasks), await tellHistory(bootstrapStory, schedule, tasks)];
  expect(JSON.stringify(other)).toBe(JSON.stringify(one));
});
