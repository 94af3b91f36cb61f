import { join } from 'node:path';
import { createRedactor, type Failure, type World } from '../../lib/base/index.ts';
import { loadModel } from '../../lib/cli/load-model.ts';
import { openRepositoryCluster } from '../../lib/cli/open-cluster.ts';
import { registryHost, throughRegistry } from '../../lib/cli/sandbox/open.ts';
import { sandboxSpecOf } from '../../lib/cli/sandbox/spec.ts';
import { settingsSchema } from '../../lib/cluster/index.ts';
import { findRepository } from '../../lib/config/index.ts';
import { createEngine, createRegistry, type EngineEvent, type Shell, type Task } from '../../lib/core/index.ts';
import {
  createKubeModel,
  createMemoryWorld,
  createRegistry as createChartRegistry,
  type FaultRule,
  type KubeModel,
  startCluster,
  swarmFaults,
  watchInvariants,
} from '../../lib/sim/index.ts';
import { createSeededRandom } from '../../lib/sim/random.ts';
import { mortal } from './mortal-world.ts';

/** One history of a bootstrap: how big, what goes wrong when, at which operation tk dies in each attempt. All of it from the seed. */
export interface Schedule {
  readonly seed: string;
  readonly controlPlanes: number;
  readonly workers: number;
  readonly talos: string;
  readonly faults: readonly FaultRule[];
  /** Per attempt: after how many operations on files and wires the process dies; undefined: it lives. */
  readonly deaths: readonly (number | undefined)[];
}

export interface Attempt {
  /** `dead`: the process died before it could tell. */
  readonly exit: number | 'dead';
  readonly failures: readonly Failure[];
  readonly changes: number;
  readonly lastEvents: readonly EngineEvent[];
}

export interface Outcome {
  readonly attempts: readonly Attempt[];
  /** What must never be, and was. */
  readonly violations: readonly string[];
  readonly faultHits: Readonly<Record<string, number>>;
  readonly virtualMs: number;
}

const talosVersions = ['v1.12.6', 'v1.13.9', 'v1.14.1'];
const kubernetesOf: Readonly<Record<string, string>> = { 'v1.12.6': 'v1.35.4', 'v1.13.9': 'v1.36.3', 'v1.14.1': 'v1.37.0' };
/** After this nothing goes wrong any more, so that every history can end well. */
const calmAfterMs = 15 * 60_000;
const mostAttempts = 12;

export function scheduleOf(seed: string): Schedule {
  const random = createSeededRandom(seed, 'schedule');
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random.fraction() * values.length)] as T;
  const chance = (probability: number) => random.fraction() < probability;
  return {
    seed,
    controlPlanes: pick([1, 3, 3, 5]),
    workers: Math.floor(random.fraction() * 4),
    talos: pick(talosVersions),
    faults: swarmFaults(random, { calmAfterMs }),
    deaths: Array.from({ length: 4 }, () => (chance(0.4) ? 1 + Math.floor(random.fraction() * 400) : undefined)),
  };
}

const root = '/home/user/home-ops';

export async function runSchedule(schedule: Schedule, tasks: ReadonlyMap<string, Task>): Promise<Outcome> {
  const memory = createMemoryWorld({
    seed: schedule.seed,
    faults: schedule.faults,
    files: { [join(root, 'talos/talconfig.yaml')]: talconfigOf(schedule) },
  });
  const violations: string[] = [];
  const settings = settingsSchema.parse({});
  const stateDirectory = join(root, '.tk/sim');
  const outer: World = { ...memory.world, dial: throughRegistry(memory.world.dial) };
  const model = await loadModel(outer, await findRepository(outer.files, root, { exactly: true }));
  let kube: KubeModel | undefined;
  const spec = sandboxSpecOf(model);
  const talos = startCluster(memory.kernel, memory.network, spec, {
    kube: (kernel, host) => (kube = createKubeModel(kernel, host)),
    mounts: (kernel) => {
      const charts = createChartRegistry({ clock: kernel.clock, fault: (point, facts) => kernel.fault(point, facts) });
      return [{ host: registryHost, port: 443, handler: charts.handler }];
    },
  });

  const invariants = watchInvariants(memory.kernel, spec, talos, () => kube);

  const attempt = async (dieAfter: number | undefined): Promise<Attempt> => {
    const process = mortal(outer, dieAfter);
    const cluster = await Promise.race([
      openRepositoryCluster({ world: process.world, model, settings, isSandbox: true, cacheDirectory: join(stateDirectory, 'cache') }),
      process.death,
    ]);
    if (cluster === 'dead') return { exit: 'dead', failures: [], changes: 0, lastEvents: [] };
    const registry = createRegistry();
    for (const [name, task] of tasks) registry.register(name, task);
    const events: EngineEvent[] = [];
    const engine = createEngine({
      world: process.world,
      registry,
      kit: {
        plan: () => ({ cluster: cluster.view }),
        run: ({ effect }) => ({ cluster: effect === 'read' ? cluster.view : cluster.full, $: noShell }),
      },
      stateDirectory,
      identity: cluster.identity,
      version: 'swarm',
      redactor: createRedactor(),
      prompter: nobody,
      sinks: [(event) => void events.push(event)],
      stdout: () => {},
      owner: 'swarm',
    });
    const run = engine.run([{ kind: 'call', task: registry.get('bootstrap'), params: {} }], { argv: [], yes: true });
    const result = await Promise.race([run.finished, process.death]);
    if (result === 'dead') return { exit: 'dead', failures: [], changes: 0, lastEvents: events.slice(-20) };
    return { exit: result.exitCode, failures: result.failures, changes: result.counts.steps.changes, lastEvents: events.slice(-20) };
  };

  const attempts: Attempt[] = [];
  let missing: readonly string[] = [];
  const random = createSeededRandom(schedule.seed, 'crash');
  for (let index = 0; index < mostAttempts; index += 1) {
    const last = await attempt(schedule.deaths[index]);
    attempts.push(last);
    for (const failure of last.failures)
      if (failure.code === 'internal/unexpected') violations.push(`a defect: ${JSON.stringify(failure.facts)}`);
    if (last.exit === 0) {
      missing = invariants.missing();
      break;
    }
    if (last.exit === 'dead') memory.files.crash(random);
    await memory.kernel.clock.sleep(1000 + Math.floor(random.fraction() * 60_000));
  }
  if (attempts.at(-1)?.exit !== 0) violations.push('no attempt ended well');
  else {
    // The proof of exit 0 is taken at that very moment, not after the dust has settled.
    for (const what of missing) violations.push(`I-17 exit 0, but ${what}`);
    await memory.kernel.clock.sleep(calmAfterMs);
    const again = await attempt(undefined);
    if (again.exit !== 0 || again.changes !== 0)
      violations.push(`a further run ended with ${again.exit} and ${again.changes} changes: ${JSON.stringify(again.failures)}`);
  }
  for (const { invariant, what } of invariants.violations()) violations.push(`${invariant} ${what}`);
  const virtualMs = memory.kernel.clock.monotonicMs();
  await memory.kernel.close();
  return { attempts, violations, faultHits: memory.kernel.faultHits(), virtualMs };
}

function talconfigOf({ controlPlanes, workers, talos }: Schedule): string {
  const node = (hostname: string, controlPlane: boolean, last: number) => ({
    hostname,
    controlPlane,
    ipAddress: `192.168.42.${last}`,
    installDisk: '/dev/nvme0n1',
    networkInterfaces: [
      {
        deviceSelector: { hardwareAddr: `02:00:00:00:42:${last}` },
        dhcp: true,
        ...(controlPlane ? { vip: { ip: '192.168.42.120' } } : {}),
      },
    ],
  });
  return JSON.stringify({
    clusterName: 'swarm',
    talosVersion: talos,
    kubernetesVersion: kubernetesOf[talos],
    endpoint: 'https://192.168.42.120:6443',
    nodes: [
      ...Array.from({ length: controlPlanes }, (_, index) => node(`cp-${index + 1}`, true, index + 10)),
      ...Array.from({ length: workers }, (_, index) => node(`worker-${index + 1}`, false, index + 20)),
    ],
  });
}

const nobody = {
  text: () => Promise.reject(new Error('asked')),
  password: () => Promise.reject(new Error('asked')),
  confirm: () => Promise.reject(new Error('asked')),
  select: () => Promise.reject(new Error('asked')),
  multiselect: () => Promise.reject(new Error('asked')),
};

const noShell: Shell = () => {
  throw new Error('bootstrap starts no command');
};
