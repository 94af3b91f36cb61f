import { bootstrapStory } from './bootstrap-story.ts';
import { tellHistory } from './history.ts';
import { prepared } from './prepare.ts';
import { kubernetesOf, scheduleOf, undisturbed } from './schedule.ts';

/** What one cluster came to, to be held against what its shape says. */
export interface Bootstrapped {
  readonly shape: string;
  readonly exits: readonly (number | 'dead')[];
  readonly violations: readonly string[];
  readonly members: readonly string[];
  /** By name: its kubelet, and what is wrong with it. */
  readonly nodes: Readonly<Record<string, string>>;
  readonly acts: Readonly<Record<string, number>>;
}

/** `node shapes.ts 3+8 v1.14.1 …` bootstraps clusters of these shapes and versions: one JSON document. */
const asked = process.argv.slice(2);
const told: Bootstrapped[] = [];
for (let index = 0; index < asked.length; index += 2) {
  const [shape = '', talos = ''] = asked.slice(index, index + 2);
  const [controlPlanes = 1, workers = 0] = shape.split('+').map(Number);
  const schedule = undisturbed({ ...scheduleOf(`${shape} ${talos}`), controlPlanes, workers, talos, tree: false, isAskedAgain: false });
  if (kubernetesOf[talos] === undefined) throw new Error(`no Kubernetes is known for Talos ${talos}`);
  const { attempts, violations, rest } = await tellHistory(bootstrapStory, schedule, await prepared(schedule));
  const { members, nodes, acts } = rest.cluster;
  told.push({ shape: `${shape} ${talos}`, exits: attempts.map(({ exit }) => exit), violations, members, nodes, acts });
}
process.stdout.write(`${JSON.stringify(told)}\n`, () => process.exit(0));
