import { join } from 'node:path';
import { createRedactor, type Failure, failureOf, type Files, type Json, TkError, type World } from '../../../lib/base/index.ts';
import { failureClasses } from '../../../lib/cli/failure-classes.ts';
import { loadModel } from '../../../lib/cli/load-model.ts';
import { openRepositoryCluster } from '../../../lib/cli/open-cluster.ts';
import { simulatedKube } from '../../../lib/cli/sandbox/kube.ts';
import { registryHost, throughRegistry } from '../../../lib/cli/sandbox/open.ts';
import { sandboxSpecOf } from '../../../lib/cli/sandbox/spec.ts';
import { createVault } from '../../../lib/cli/vault.ts';
import { settingsSchema } from '../../../lib/cluster/index.ts';
import { type ClusterModel, findRepository } from '../../../lib/config/index.ts';
import { createEngine, createRegistry, type EngineEvent, type Shell, type Task } from '../../../lib/core/index.ts';
import {
  createMemoryFiles,
  createMemoryWorld,
  createRegistry as createChartRegistry,
  type FaultHit,
  type InitialFile,
  type SimEvent,
  type SimulatedKube,
  startCluster,
  watchInvariants,
} from '../../../lib/sim/index.ts';
import { createSeededRandom } from '../../../lib/sim/random.ts';
import { watchJournals } from './journal-watch.ts';
import { mortal, type OperationKind } from './mortal-world.ts';
import { sharedCompute } from './shared-compute.ts';
import type { Schedule } from './schedule.ts';
import { stagePromises } from './stage-promises.ts';
import type { Command, Story } from './story.ts';
import { watchWire } from './wire-watch.ts';

/** One process of tk. */
export interface Attempt {
  readonly task: string;
  /** `dead`: the process died before it could tell. */
  readonly exit: number | 'dead';
  readonly failures: readonly Failure[];
  readonly changes: number;
  readonly events: readonly EngineEvent[];
  readonly startedMs: number;
  readonly endedMs: number;
}

/** How a process may end before its time, and who looks on. */
export interface Ends {
  /** The operation at which it dies: `mortal-world.ts`. */
  readonly dieAfter?: number | undefined;
  /** The operation at which somebody presses Ctrl-C. */
  readonly stopAt?: number | undefined;
  /** Nothing fits on the disk as long as this process lives. */
  readonly onFullDisk?: boolean;
  /** Before each operation, and after each that changes the disk. */
  readonly onBoundary?: (kind: OperationKind, isOver: boolean) => void;
}

/** What is there when the first process begins: bare machines and a repository, or what a dead process has left. */
export interface Beginning {
  readonly files: Readonly<Record<string, InitialFile>>;
  readonly entries?: readonly (readonly [string, Json])[];
  readonly startMs?: number;
}

export const root = '/home/user/home-ops';
const stateDirectory = join(root, '.tk/sim');
/** Where keys of the cluster may lie on a workstation. */
const secretsMayLieIn = ['talsecret', 'clusterconfig', 'kubeconfig', 'talosconfig', 'age.key'];
/** The sum of every deadline that a bootstrap of a large cluster has one after the other. */
const longestRunMs = 3 * 3_600_000;

export type Site = Awaited<ReturnType<typeof openSite>>;

/** Machines, a workstation with the story's repository, and everybody who watches them. The same schedule gives the same site. */
export async function openSite(story: Story, schedule: Schedule, tasks: ReadonlyMap<string, Task>, from?: Beginning) {
  const repository = Object.fromEntries(Object.entries(await story.files(schedule)).map(([path, text]) => [join(root, path), text]));
  const { files = repository, ...state } = from ?? {};
  const memory = createMemoryWorld({ seed: schedule.seed, faults: schedule.faults, files, ...state });
  const { kernel } = memory;
  let isFull = false;
  const outer: World = {
    ...memory.world,
    compute: sharedCompute(kernel),
    files: fillable(memory.files, () => isFull),
    // Keys and ids of the workstation are the same in all histories: what is made of them is made once per process.
    random: createSeededRandom('swarm', from === undefined ? 'workstation' : 'the same workstation, later'),
    dial: throughRegistry(memory.world.dial),
  };
  // What was pushed lies on a Git server: a bad sector of the workstation is not in it.
  const pushed = createMemoryFiles(() => 0, repository);
  // Read in every history, whatever the process has read before: then what the product remembers of it is the same in all.
  const model = await modelOf({ ...outer, files: pushed });
  const spec = sandboxSpecOf(model);
  let kube: SimulatedKube | undefined;
  const talos = startCluster(kernel, memory.network, spec, {
    kube: (one, host) => (kube = simulatedKube(one, host, pushed, root)),
    mounts: () => {
      const charts = createChartRegistry({ clock: kernel.clock, fault: (point, facts) => kernel.fault(point, facts) });
      return [{ host: registryHost, port: 443, handler: charts.handler }];
    },
  });
  const invariants = watchInvariants(kernel, spec, talos, () => kube);
  const violations: string[] = [];
  const report = (what: string) => void (violations.includes(what) || violations.push(what));
  const wire = watchWire(kernel, spec, report);
  const promises = stagePromises({ talos, kube: () => kube, files: memory.files, root, report });
  const journals = watchJournals(kernel, memory.files, stateDirectory, report);
  const happened: SimEvent[] = [];
  kernel.onEvent((event) => void happened.push(event));
  const faults: FaultHit[] = [];
  kernel.onFault((hit) => void faults.push(hit));
  const operations: OperationKind[][] = [];
  let printed = '';

  const attempt = async (command: Command, ends: Ends = {}): Promise<Attempt> => {
    const watch = invariants.begin({ name: command.task, secretsMayLieIn, budgetMs: longestRunMs });
    const running: { stop?: () => void } = {};
    const tooLong = new AbortController();
    const number = operations.push([]) - 1;
    const startedMs = kernel.clock.monotonicMs();
    isFull = ends.onFullDisk === true;
    const { onBoundary } = ends;
    const process = mortal(
      watch.observe(wire.observe(outer)),
      ends.dieAfter,
      (operation, kind) => {
        operations[number]?.push(kind);
        onBoundary?.(kind, false);
        if (operation === ends.stopAt) running.stop?.();
      },
      onBoundary && ((kind) => void ((kind === 'write' || kind === 'append') && onBoundary(kind, true))),
    );
    const events: EngineEvent[] = [];
    const told = (exit: Attempt['exit'], failures: readonly Failure[] = [], changes = 0): Attempt => {
      isFull = false;
      watch.ended({ exit, unfinished: failures.some(({ code }) => code === 'run/unfinished') ? 1 : 0 });
      for (const failure of failures) invariants.inspect(failure.code, JSON.stringify(failure));
      return { task: command.task, exit, failures, changes, events, startedMs, endedMs: kernel.clock.monotonicMs() };
    };
    const opened = await Promise.race([open(process.world).catch((error: unknown) => ({ error })), process.death]);
    if (opened === 'dead') return told('dead');
    // Before the engine runs, all that goes wrong is told and ends with 2.
    if ('error' in opened) return told(2, opened.error instanceof TkError ? opened.error.failures : [failureOf(opened.error)]);
    const registry = createRegistry();
    for (const [name, task] of tasks) registry.register(name, task);
    const engine = createEngine({
      world: process.world,
      registry,
      kit: {
        plan: () => ({ cluster: opened.view }),
        run: ({ effect }) => ({ cluster: effect === 'read' ? opened.view : opened.full, $: noShell }),
      },
      stateDirectory,
      identity: opened.identity,
      version: 'swarm',
      redactor: createRedactor(),
      prompter: nobody,
      sinks: [(event) => void events.push(event), (event) => void promises.check(event)],
      stdout: (text) => {
        printed += text;
      },
      failureClasses,
      owner: 'swarm',
    });
    const call = { kind: 'call', task: registry.get(command.task), params: command.params ?? {} } as const;
    const run = engine.run([call], { argv: [command.task], yes: true });
    running.stop = () => {
      const before = events.length;
      run.stop('SIGINT');
      watch.signalled('SIGINT', !events.slice(before).some(({ event }) => event === 'stopping'));
    };
    // Whoever waits longer than this waits for ever.
    const forEver = kernel.clock.sleep(longestRunMs + 60_000, tooLong.signal).then(
      () => 'for ever' as const,
      () => new Promise<never>(() => {}),
    );
    const result = await Promise.race([run.finished, process.death, forEver]);
    tooLong.abort('ended');
    if (result === 'for ever' || result === 'dead') return told('dead');
    return told(result.exitCode, result.failures, result.counts.steps.changes);
  };

  return {
    memory,
    model,
    talos,
    kube: () => kube,
    invariants,
    happened,
    faults: faults as readonly FaultHit[],
    operations,
    attempt,
    /** A power cut: what was not on the disk is gone. */
    crash(random: ReturnType<typeof createSeededRandom>): void {
      memory.files.crash(random);
      journals.afterCrash();
    },
    printed: () => printed,
    /** What must never be, and was. */
    violations: (): readonly string[] => [...violations, ...invariants.violations().map(({ invariant, what }) => `${invariant} ${what}`)],
  };
}

/** A disk on which, while it is full, nothing is written; what lies on it can be read. */
function fillable(files: Files, isFull: () => boolean): Files {
  const full = (operation: string, path: string) => {
    if (isFull()) throw new TkError({ code: 'host/file', facts: { operation, path, errno: 'ENOSPC' } });
  };
  return {
    ...files,
    write: async (path, content, options) => (full('write', path), files.write(path, content, options)),
    append: async (path, options) => (full('append', path), files.append(path, options)),
    makeDirectory: async (path, options) => (full('mkdir', path), files.makeDirectory(path, options)),
  };
}

/** What a process does before its engine runs. */
async function open(world: World) {
  const model = await modelOf(world);
  const settings = settingsSchema.parse({});
  return openRepositoryCluster({
    world,
    model,
    settings,
    isSandbox: true,
    vault: createVault(world, root),
    cacheDirectory: join(stateDirectory, 'cache'),
  });
}

async function modelOf(world: World): Promise<ClusterModel> {
  return loadModel(world, await findRepository(world.files, root, { exactly: true }));
}

const nobody = {
  text: () => Promise.reject(new Error('asked')),
  password: () => Promise.reject(new Error('asked')),
  confirm: () => Promise.reject(new Error('asked')),
  select: () => Promise.reject(new Error('asked')),
  multiselect: () => Promise.reject(new Error('asked')),
};

const noShell: Shell = () => {
  throw new Error('the stories start no command');
};
