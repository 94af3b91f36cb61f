import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { isTask, type Task } from '../../lib/core/index.ts';
import { projectRoot } from '../rig/process.ts';
import { type Outcome, runSchedule, scheduleOf } from '../rig/swarm.ts';

/** `TK_SWARM=1000 vitest run test/sim/bootstrap.swarm` looks at more; `TK_SWARM_FROM=412 TK_SWARM=1` replays one. */
const first = Number(process.env['TK_SWARM_FROM'] ?? 0);
const count = Number(process.env['TK_SWARM'] ?? 12);

async function builtInTasks(): Promise<ReadonlyMap<string, Task>> {
  const tasks = new Map<string, Task>();
  const directory = join(projectRoot, 'tasks');
  for (const file of await readdir(directory, { recursive: true })) {
    if (!file.endsWith('.ts')) continue;
    const { default: task } = (await import(pathToFileURL(join(directory, file)).href)) as { readonly default: unknown };
    if (isTask(task)) tasks.set(file.slice(0, -3).replaceAll('/', ':'), task);
  }
  return tasks;
}

test('whatever goes wrong and wherever tk dies, the same command takes the machines to a healthy cluster, etcd bootstrapped once', {
  timeout: 20_000 + count * 5000,
}, async () => {
  const tasks = await builtInTasks();
  const outcomes: (Outcome & { readonly seed: string })[] = [];
  for (let index = first; index < first + count; index += 1) {
    const seed = `swarm-${index}`;
    outcomes.push({ seed, ...(await runSchedule(scheduleOf(seed), tasks)) });
  }
  const wrong = outcomes.filter(({ violations }) => violations.length > 0);
  const told = wrong.map(({ seed, violations, attempts }) => ({
    seed,
    violations,
    attempts: attempts.map(({ exit, failures }) => `${exit} ${failures.map(({ code }) => code).join(' ')}`),
  }));
  expect(told).toEqual([]);
  const deaths = outcomes.flatMap(({ attempts }) => attempts).filter(({ exit }) => exit === 'dead').length;
  const hits = outcomes.flatMap(({ faultHits }) => Object.values(faultHits)).reduce((sum, one) => sum + one, 0);
  process.stdout.write(`${count} histories from seed swarm-${first}: ${hits} faults, ${deaths} deaths of tk\n`);
  // A swarm in which nothing goes wrong proves nothing.
  if (count >= 12) expect({ faults: hits > count, deaths: deaths > count / 4 }).toEqual({ faults: true, deaths: true });
});

test('the same seed is the same history', async () => {
  const tasks = await builtInTasks();
  const schedule = { ...scheduleOf('twice'), deaths: [40] };
  const [one, other] = [await runSchedule(schedule, tasks), await runSchedule(schedule, tasks)];
  expect(JSON.stringify(other)).toBe(JSON.stringify(one));
});
