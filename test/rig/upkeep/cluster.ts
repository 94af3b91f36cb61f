import { join } from 'node:path';
import { createRedactor, type Failure, failureOf, type Json, Secret, TkError, type World } from '../../../lib/base/index.ts';
import { failureClasses } from '../../../lib/cli/failure-classes.ts';
import { registryHost, throughRegistry } from '../../../lib/cli/sandbox/open.ts';
import { sandboxSpecOf } from '../../../lib/cli/sandbox/spec.ts';
import type { EngineEvent, Prompter, Shell } from '../../../lib/core/index.ts';
import {
  createKubeModel,
  createMemoryFiles,
  createMemoryWorld,
  createOperator,
  createRegistry as createChartRegistry,
  type FaultRule,
  type InitialFile,
  type SimulatedKube,
  startCluster,
  type Terms,
  watchInvariants,
} from '../../../lib/sim/index.ts';
import { createSeededRandom } from '../../../lib/sim/random.ts';
import { readJournal } from '../../../lib/core/journal.ts';
import { journalPath } from '../../../lib/core/runs.ts';
import { mortal } from '../swarm/mortal-world.ts';
import type { Product } from './product.ts';
import { plainTextOf } from './said.ts';
import type { Shape } from './shape.ts';

export const root = '/home/user/home-ops';
const stateDirectory = join(root, '.tk/sim');

/** One process of tk. */
export interface Attempt {
  readonly task: string;
  /** `dead`: the process died before it could tell. */
  readonly exit: number | 'dead';
  readonly failures: readonly Failure[];
  readonly changes: number;
  readonly events: readonly EngineEvent[];
  /** Absent: it came to none. */
  readonly run?: string;
}

export interface Asked {
  readonly task: string;
  readonly params?: object;
  readonly terms?: Terms;
  /** What a person types where a name has to be typed. Absent: everything is confirmed. */
  readonly types?: string;
  readonly keepsCordon?: boolean;
}

/** How a process is disturbed, by the number of an operation of its own on files or wires. */
export interface Ends {
  readonly dieAfter?: number | undefined;
  readonly stopAt?: number | undefined;
  /** So many operations after the first Ctrl-C. */
  readonly stopAgainAfter?: number | undefined;
  readonly sleepAt?: number | undefined;
  readonly onOperation?: (operation: number) => void;
  /** A step has begun or ended. */
  readonly onStep?: () => void;
}

export interface RigOptions {
  readonly seed: string;
  readonly files: Readonly<Record<string, InitialFile>>;
  readonly product: Product;
  readonly entries?: readonly (readonly [string, Json])[];
  readonly startMs?: number;
  readonly faults?: readonly FaultRule[];
}

/** A laptop that was closed: longer than the lease of a cluster lasts. */
const sleepMs = 14 * 60_000;

/** Where keys of the cluster may lie on a workstation. */
const secretsMayLieIn = ['talsecret', 'clusterconfig', 'kubeconfig', 'talosconfig', 'age', '/backups/', '/cache/'];

export async function openRig(options: RigOptions) {
  const { seed, files, product } = options;
  const { loadModel, findRepository, openRepositoryCluster, tasks } = product;
  const { createEngine, createRegistry, withAnswers } = product.core;
  const memory = createMemoryWorld({
    seed,
    files,
    faults: options.faults ?? [],
    ...(options.entries ? { entries: options.entries } : {}),
    ...(options.startMs === undefined ? {} : { startMs: options.startMs }),
  });
  const { kernel } = memory;
  const outer: World = {
    ...memory.world,
    // Keys and ids of the workstation are the same in all histories: what is made of them is made once per process.
    random: createSeededRandom('upkeep', 'workstation'),
    dial: throughRegistry(memory.world.dial),
  };
  const calmFiles = createMemoryFiles(() => 0, files);
  const modelOf = async (world: World) => loadModel(world, await findRepository(world.files, root, { exactly: true }));
  const model = await modelOf({ ...outer, files: calmFiles });
  const spec = sandboxSpecOf(model);
  let kube: SimulatedKube | undefined;
  const talos = startCluster(kernel, memory.network, spec, {
    kube: (one, host) => (kube = createKubeModel(one, host)),
    mounts: () => {
      const charts = createChartRegistry({ clock: kernel.clock, fault: (point, facts) => kernel.fault(point, facts) });
      return [{ host: registryHost, port: 443, handler: charts.handler }];
    },
  });
  const simulated = () => kube as SimulatedKube;
  const journalOf = (run: string) => readJournal(memory.files.durable(journalPath(stateDirectory, run)) ?? '');
  const invariants = watchInvariants(
    kernel,
    spec,
    talos,
    () => kube,
    (run) => {
      const records = journalOf(run).entries.map(({ record }) => record);
      if (records[0]?.type !== 'run') return undefined;
      return records.some((record) => record.type === 'end' && record.exitCode === 0) ? 'over' : 'under-way';
    },
  );
  const operator = createOperator(kernel, talos, simulated());
  let printed = '';
  let terms: Terms = {};

  /** What is left of a run that was stopped. One that failed at its journal has none. */
  const endOf = (run: string, events: readonly EngineEvent[]) => {
    const said = plainTextOf(events);
    const text = memory.files.durable(journalPath(stateDirectory, run));
    if (text === undefined || Object.keys(kernel.faultHits()).some((hit) => hit.startsWith('disk/'))) return { said };
    const { entries, torn } = readJournal(text);
    const last = entries.at(-1)?.record;
    return { said, journal: { isWhole: !torn, ...(last?.type === 'end' ? { exit: last.exitCode } : {}) } };
  };

  /** One process, which may die at an operation, or be asked to stop at one. */
  const attempt = async (asked: Asked, ends: Ends = {}): Promise<Attempt> => {
    terms = asked.terms ?? {};
    invariants.terms(terms);
    const watch = invariants.begin({
      name: asked.task,
      secretsMayLieIn,
      ...(asked.keepsCordon ? { keepsCordon: true } : {}),
      // What a closed laptop adds to the time is nobody's.
      ...(ends.stopAt === undefined || ends.sleepAt !== undefined ? {} : { stops: true }),
    });
    const running: { stop?: () => void; id?: string } = {};
    const process = mortal(watch.observe(outer), ends.dieAfter, (operation) => {
      ends.onOperation?.(operation);
      if (operation === ends.stopAt) running.stop?.();
      if (ends.stopAgainAfter !== undefined && operation === (ends.stopAt ?? Number.NaN) + 1 + ends.stopAgainAfter) running.stop?.();
      return operation === ends.sleepAt ? kernel.clock.sleep(sleepMs) : undefined;
    });
    const events: EngineEvent[] = [];
    const told = (exit: Attempt['exit'], failures: readonly Failure[] = [], changes = 0, unfinished = 0): Attempt => {
      const { id } = running;
      const isStopped = id !== undefined && exit !== 'dead' && events.some(({ event }) => event === 'stopping');
      const tellsCordon = failures.some(({ code }) => code === 'node/still-cordoned');
      const run = id === undefined ? { hasBegun: false } : { runId: id };
      watch.ended({ exit, unfinished, tellsCordon, ...run, ...(isStopped ? endOf(id, events) : {}) });
      return { task: asked.task, exit, failures, changes, events, ...(id === undefined ? {} : { run: id }) };
    };
    const open = async () => {
      const own = await modelOf(process.world);
      return openRepositoryCluster({
        world: process.world,
        model: own,
        settings: product.settings(),
        isSandbox: true,
        cacheDirectory: join(stateDirectory, 'cache'),
      });
    };
    const opened = await Promise.race([open().catch((error: unknown) => ({ error })), process.death]);
    if (opened === 'dead') return told('dead');
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
      prompter: withAnswers(typist, (name) =>
        asked.types === undefined || name !== 'yes' ? undefined : { value: asked.types, from: 'a person' },
      ),
      sinks: [
        (event) => {
          events.push(event);
          if (event.event === 'step-started' || event.event === 'step-finished') ends.onStep?.();
        },
      ],
      stdout: (text) => {
        printed += text;
      },
      failureClasses,
      owner: 'swarm',
    });
    const call = { kind: 'call', task: registry.get(asked.task), params: asked.params ?? {} } as const;
    const run = engine.run([call], { argv: [asked.task], yes: asked.types === undefined });
    running.id = run.id;
    running.stop = () => {
      const before = events.length;
      run.stop('SIGINT');
      watch.signalled('SIGINT', !events.slice(before).some(({ event }) => event === 'stopping'));
    };
    const result = await Promise.race([run.finished, process.death]);
    if (result === 'dead') return told('dead');
    const unfinished = result.failures.some(({ code }) => code === 'run/unfinished') ? 1 : 0;
    return told(result.exitCode, result.failures, result.counts.steps.changes, unfinished);
  };

  return {
    memory,
    model,
    talos,
    kube: simulated,
    invariants,
    operator,
    attempt,
    printed: () => printed,
    /** What the journal tells of a process that died: it may have come to its end without anybody seeing it. */
    journalSaysDone: ({ run }: Attempt): boolean =>
      run !== undefined && journalOf(run).entries.some(({ record }) => record.type === 'end' && record.exitCode === 0),
    terms: () => terms,
    /** What a home has: something behind a budget, something with a volume, where there is room to move them to. */
    settle(shape: Shape): void {
      const { landscape } = simulated();
      const room = shape.workers === 0 ? shape.controlPlanes : shape.workers;
      landscape.storage('driver.longhorn.io', 'longhorn');
      const labels = { app: 'web' };
      const workload = (kind: string, name: string, replicas: number, more: object = {}) =>
        landscape.put({
          apiVersion: 'apps/v1',
          kind,
          metadata: { name, namespace: 'default' },
          spec: {
            replicas,
            ...(kind === 'StatefulSet' ? { serviceName: name } : {}),
            selector: { matchLabels: { ...labels, app: name } },
            template: { metadata: { labels: { app: name } }, spec: { containers: [{ name, image: `example.org/${name}:1` }] } },
            ...more,
          } as never,
        });
      workload('Deployment', 'web', 2);
      workload('StatefulSet', 'database', 1, {
        volumeClaimTemplates: [
          { metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } },
        ],
      });
      if (room < 2) return;
      landscape.put({
        apiVersion: 'policy/v1',
        kind: 'PodDisruptionBudget',
        metadata: { name: 'web', namespace: 'default' },
        spec: { maxUnavailable: 1, selector: { matchLabels: { app: 'web' } } },
      });
    },
  };
}

/** Types the name of the node where it is asked for, and nothing else. */
const typist: Prompter = {
  text: async (question) => ('phrase' in question ? String(question.phrase) : '') as never,
  password: async () => new Secret(''),
  confirm: async () => true as never,
  select: () => Promise.reject(new Error('asked')),
  multiselect: () => Promise.reject(new Error('asked')),
};

const noShell: Shell = () => {
  throw new Error('the stories start no command');
};
