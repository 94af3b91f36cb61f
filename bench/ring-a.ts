// Prints what histories cost in ring A, and how many runs of tk one core gets through: real tasks, memory and virtual time, from bare
// machines to a healthy cluster, or work on a cluster that runs, each followed by the run that finds nothing to do. Nothing here gates
// anything. Upgrades: bench/upgrades.ts.
//
//   node --conditions=talos-tk-source --max-semi-space-size=64 bench/ring-a.ts [HISTORIES]
import { bootstrapStory } from '../test/rig/swarm/bootstrap-story.ts';
import { tellHistory } from '../test/rig/swarm/history.ts';
import { type Schedule, scheduleOf, undisturbed } from '../test/rig/swarm/schedule.ts';
import { builtInTasks } from '../test/rig/tasks.ts';
import { tellUpkeep } from '../test/rig/upkeep/history.ts';
import { loadProduct } from '../test/rig/upkeep/product.ts';
import { drawUpkeep } from '../test/rig/upkeep/schedule.ts';
import { stories } from '../test/rig/upkeep/stories.ts';
import { bareNodeMs } from './bare-node.ts';

// As the swarm's own processes have it: failures are told by the thousand, and nobody looks where they were made.
Error.stackTraceLimit = 0;
const histories = Number(process.argv[2] ?? 40);
const tasks = await builtInTasks();

const cpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

interface Told {
  readonly attempts: readonly { readonly exit: number | 'dead' }[];
  readonly violations: readonly string[];
}

/** Tells them twice; the second time, when everything that histories share is there, counts. */
async function told<S extends { readonly seed: string }>(
  name: string,
  schedules: readonly S[],
  tell: (schedule: S) => Promise<Told>,
): Promise<void> {
  for (const schedule of schedules) await tell(schedule);
  let runs = 0;
  const started = cpuMs();
  for (const schedule of schedules) {
    const { attempts, violations } = await tell(schedule);
    if (violations.length > 0) process.stdout.write(`${schedule.seed}: ${violations.join('; ')}\n`);
    // One more: the run after the end, which must find nothing to do.
    runs += attempts.length + (attempts.at(-1)?.exit === 0 ? 1 : 0);
  }
  const ms = cpuMs() - started;
  const each = ms / schedules.length;
  process.stdout.write(
    `${name.padEnd(40)} ${`${each.toFixed(0)} ms`.padStart(9)} ${(each / bareNodeMs).toFixed(2).padStart(8)}  ${((runs * 1000) / ms).toFixed(0)} runs a second on one core\n`,
  );
}

const row = (name: string, schedules: readonly Schedule[]) =>
  told(name, schedules, (schedule) => tellHistory(bootstrapStory, schedule, tasks));

process.stdout.write(`${'what'.padEnd(40)} ${'cpu each'.padStart(9)} ${'× node'.padStart(8)}\n`);
const calm = (controlPlanes: number, workers: number) =>
  Array.from({ length: histories / 4 }, (_, index) =>
    undisturbed({ ...scheduleOf(`bench-${index}`), controlPlanes, workers, talos: 'v1.14.1', tree: false }),
  );
await row('bootstrap of one machine', calm(1, 0));
await row('bootstrap of three and one', calm(3, 1));
const drawn = Array.from({ length: histories }, (_, index) => scheduleOf(`swarm-${index}`));
await row(
  'histories with faults and crashes',
  drawn.filter(({ tree }) => !tree),
);
await row(
  'the same with a Flux tree',
  drawn.filter(({ tree }) => tree),
);
const product = await loadProduct();
const every = stories.map(({ name }) => name);
await told(
  'upkeep with faults and crashes',
  Array.from({ length: histories }, (_, index) => drawUpkeep(`upkeep-${index}`, every)),
  (upkeep) => tellUpkeep(upkeep, product),
);
