import { join } from 'node:path';
import { createRedactor, type Failure, failureOf, type Secret, TkError, type World } from '../../../lib/base/index.ts';
import { failureClasses } from '../../../lib/cli/failure-classes.ts';
import { loadModel } from '../../../lib/cli/load-model.ts';
import { openRepositoryCluster } from '../../../lib/cli/open-cluster.ts';
import { simulatedKube } from '../../../lib/cli/sandbox/kube.ts';
import { registryHost, throughRegistry } from '../../../lib/cli/sandbox/open.ts';
import { sandboxSpecOf } from '../../../lib/cli/sandbox/spec.ts';
import { createVault } from '../../../lib/cli/vault.ts';
import { settingsSchema, type Vault } from '../../../lib/cluster/index.ts';
import { type ClusterModel, findRepository } from '../../../lib/config/index.ts';
import { createEngine, createRegistry, type EngineEvent, type Shell, type Task } from '../../../lib/core/index.ts';
import {
  createMemoryFiles,
  createMemoryWorld,
  createRegistry as createChartRegistry,
  type SimEvent,
  type SimulatedKube,
  startCluster,
  watchInvariants,
} from '../../../lib/sim/index.ts';
import { createSeededRandom } from '../../../lib/sim/random.ts';
import { type Branch, branchesOf } from './branches.ts';
import { mortal, type OperationKind } from './mortal-world.ts';
import { doneTo } from './deeds.ts';
import { watchIntents } from './intents-watch.ts';
import { type RestState, restOf } from './rest-state.ts';
import { stagePromises } from './stage-promises.ts';
import { watchWire } from './wire-watch.ts';
import { calmAfterMs, type Schedule, undisturbed } from './schedule.ts';
import type { Command, Story } from './story.ts';

/** One process of tk. */
export interface Attempt {
  readonly task: string;
  /** `dead`: the process died before it could tell. */
  readonly exit: number | 'dead';
  readonly failures: readonly Failure[];
  readonly changes: number;
  readonly events: readonly EngineEvent[];
}

export interface History {
  readonly attempts: readonly Attempt[];
  /** What must never be, and was. */
  readonly violations: readonly string[];
  readonly faultHits: Readonly<Record<string, number>>;
  /** Ways out of trouble that were taken. */
  readonly branches: readonly Branch[];
  /** What each attempt did on files and wires, one after the other. */
  readonly operations: readonly (readonly OperationKind[])[];
  /** What the cluster and the workstation came to. */
  readonly rest: RestState;
  readonly fingerprint: string;
  readonly virtualMs: number;
}

const root = '/home/user/home-ops';
/** Where the wall clock of ring A starts. */
const epochMs = 1_767_600_000_000;
const stateDirectory = join(root, '.tk/sim');
/** A person gives up after this many tries of one command. */
const mostAttempts = 12;

/** Tells one history, from bare machines to its end. The same schedule gives the same history. */
export async function tellHistory(story: Story, schedule: Schedule, tasks: ReadonlyMap<string, Task>): Promise<History> {
  const files = Object.fromEntries(Object.entries(await story.files(schedule)).map(([path, text]) => [join(root, path), text]));
  const memory = createMemoryWorld({ seed: schedule.seed, faults: schedule.faults, files });
  const { kernel } = memory;
  const violations: string[] = [];
  const outer: World = {
    ...memory.world,
    // Keys and ids of the workstation are the same in all histories: what is made of them is made once per process.
    random: createSeededRandom('swarm', 'workstation'),
    dial: throughRegistry(memory.world.dial),
  };
  // What was pushed lies on a Git server: a bad sector of the workstation is not in it.
  const pushed = createMemoryFiles(() => 0, files);
  const spec = sandboxSpecOf(await modelOf({ ...outer, files: pushed }));
  let kube: SimulatedKube | undefined;
  const talos = startCluster(kernel, memory.network, spec, {
    kube: (one, host) => (kube = simulatedKube(one, host, pushed, root)),
    mounts: () => {
      const charts = createChartRegistry({ clock: kernel.clock, fault: (point, facts) => kernel.fault(point, facts) });
      return [{ host: registryHost, port: 443, handler: charts.handler }];
    },
  });
  const invariants = watchInvariants(kernel, spec, talos, () => kube);

  const report = (what: string) => void (violations.includes(what) || violations.push(what));
  const wire = watchWire(kernel, spec, report);
  const promises = stagePromises({ talos, kube: () => kube, files: memory.files, root, report });
  watchIntents(kernel, memory.files, stateDirectory, report);
  const happened: SimEvent[] = [];
  kernel.onEvent((event) => void happened.push(event));
  let printed = '';
  const operations: OperationKind[][] = [];

  const attempt = async (
    command: Command,
    ends: { readonly dieAfter?: number | undefined; readonly stopAt?: number | undefined } = {},
  ): Promise<Attempt> => {
    const watch = invariants.begin({ name: command.task, secretsMayLieIn, budgetMs: longestRunMs });
    const running: { stop?: () => void } = {};
    const tooLong = new AbortController();
    const number = operations.push([]) - 1;
    const process = mortal(watch.observe(wire.observe(outer)), ends.dieAfter, (operation, kind) => {
      operations[number]?.push(kind);
      if (operation === ends.stopAt) running.stop?.();
    });
    const events: EngineEvent[] = [];
    const told = (exit: Attempt['exit'], failures: readonly Failure[] = [], changes = 0): Attempt => {
      watch.ended({ exit, unfinished: failures.some(({ code }) => code === 'run/unfinished') ? 1 : 0 });
      for (const failure of failures) invariants.inspect(failure.code, JSON.stringify(failure));
      return { task: command.task, exit, failures, changes, events };
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
      watch.signalled('SIGINT');
      run.stop('SIGINT');
    };
    // Whoever waits longer than this waits for ever.
    const forEver = kernel.clock.sleep(longestRunMs + 60_000, tooLong.signal).then(
      () => 'for ever' as const,
      () => new Promise<never>(() => {}),
    );
    const result = await Promise.race([run.finished, process.death, forEver]);
    tooLong.abort('ended');
    if (result === 'for ever') return told('dead');
    return result === 'dead' ? told('dead') : told(result.exitCode, result.failures, result.counts.steps.changes);
  };

  const attempts: Attempt[] = [];
  const random = createSeededRandom(schedule.seed, 'crash');
  /** As a person would: again and again, a little later. */
  const insist = async (command: Command): Promise<Attempt | undefined> => {
    const ends = command.ends ?? [0];
    for (let tries = 0; tries < mostAttempts; tries += 1) {
      const deed = doneTo(memory.files, schedule.deeds[attempts.length]);
      await deed.do();
      const last = await attempt(command, { dieAfter: schedule.deaths[attempts.length], stopAt: schedule.stops[attempts.length] });
      attempts.push(last);
      for (const failure of last.failures)
        if (failure.code === 'internal/unexpected') violations.push(`a defect: ${JSON.stringify(failure.facts)}`);
      if (typeof last.exit === 'number' && ends.includes(last.exit)) return last;
      await deed.undo();
      if (last.exit === 'dead') {
        memory.files.crash(random);
        // What a person moved is not what a power cut left.
        if (schedule.deeds.slice(0, attempts.length).every((deed) => deed === undefined)) invariants.afterCrash(memory.files.copy());
      }
      await kernel.clock.sleep(1000 + Math.floor(random.fraction() * 60_000));
    }
    return undefined;
  };

  const commands = story.commands(schedule);
  let end: Attempt | undefined;
  for (const command of commands) {
    end = await insist(command);
    if (end) continue;
    invariants.gaveUp(command.task, attempts.at(-1)?.failures.map(({ code }) => code) ?? []);
    break;
  }
  if (end?.exit === 0) {
    // The proof of exit 0 is taken at that very moment, not after the dust has settled.
    // A machine that lost its power after it was looked at last is nobody's lie.
    const verifiedMs = startOf(end, 'bootstrap:verify');
    const offSince = happened
      .filter(({ kind, atMs }) => kind === 'talos/power-off' && atMs >= verifiedMs)
      .map(({ facts }) => String(facts.node));
    const model = await modelOf({ ...outer, files: pushed });
    const missing = invariants.missing().filter((what) => !offSince.some((node) => what.startsWith(`${node} `)));
    invariants.claimedDone([...missing, ...(story.missing?.({ model, schedule }) ?? [])]);
    await kernel.clock.sleep(calmAfterMs);
    invariants.claimedDone(invariants.missing());
    const again = await attempt(commands.at(-1) as Command);
    if (again.exit !== 0 || again.changes !== 0)
      violations.push(`a further run ended with ${again.exit} and ${again.changes} changes: ${JSON.stringify(again.failures)}`);
    if (isDisturbed(schedule)) invariants.cameTo((await calmly(story, schedule, tasks)).rest.cluster);
  }
  for (const { events } of attempts) invariants.inspect('what a run told', JSON.stringify(events));
  invariants.inspect('standard output', printed);
  const left = memory.files.snapshot();
  for (const { invariant, what } of invariants.violations()) violations.push(`${invariant} ${what}`);
  const virtualMs = kernel.clock.monotonicMs();
  await kernel.close();
  return {
    attempts,
    violations,
    faultHits: kernel.faultHits(),
    branches: branchesOf({ attempts, happened, journals: journalsIn(left) }),
    operations,
    rest: restOf({ cluster: invariants.endState(), files: memory.files.copy(), talos, kube, root }),
    fingerprint: invariants.fingerprint(),
    virtualMs,
  };
}

/** Where keys of the cluster may lie on a workstation. */
const secretsMayLieIn = ['talsecret', 'clusterconfig', 'kubeconfig', 'talosconfig', 'age.key'];

/** The sum of every deadline that a bootstrap of a large cluster has one after the other. */
const longestRunMs = 3 * 3_600_000;

const isDisturbed = ({ faults, deaths, stops, deeds }: Schedule): boolean =>
  faults.length > 0 || [...deaths, ...stops, ...deeds].some((one) => one !== undefined);

const calm = new Map<string, Promise<History>>();

/** The same story with nothing going wrong; told once per process. */
function calmly(story: Story, schedule: Schedule, tasks: ReadonlyMap<string, Task>): Promise<History> {
  const { controlPlanes, workers, talos, tree } = schedule;
  const key = JSON.stringify([story.name, controlPlanes, workers, talos, tree]);
  const known = calm.get(key) ?? tellHistory(story, undisturbed({ ...schedule, seed: `calm ${key}` }), tasks);
  calm.set(key, known);
  return known;
}

/** On the virtual clock; 0 when this run had no such task. */
function startOf({ events }: Attempt, name: string): number {
  const [first] = events;
  const started = events.find((event) => event.event === 'task-started' && event.task === name);
  return started === undefined || first === undefined ? 0 : started.atMs - epochMs;
}

const journalsIn = (files: Readonly<Record<string, string>>): readonly string[] =>
  Object.entries(files)
    .filter(([path]) => path.endsWith('/journal.jsonl'))
    .map(([, text]) => text);

/** What a process does before its engine runs. */
async function open(world: World) {
  const model = await modelOf(world);
  const settings = settingsSchema.parse({});
  return openRepositoryCluster({
    world,
    model,
    settings,
    isSandbox: true,
    vault: rememberingVault(createVault(world, root)),
    chartMemo,
    cacheDirectory: join(stateDirectory, 'cache'),
  });
}

/** Renders of all histories of this process. */
const chartMemo = new Map<string, Promise<string>>();

/** Every history opens the same files with the same key. */
function rememberingVault(vault: Vault): Vault {
  return {
    ...vault,
    decrypt: async (file) => {
      const key = `${file.path}\0${file.text}`;
      const known = decrypted.get(key) ?? (await vault.decrypt(file));
      decrypted.set(key, known);
      return known;
    },
  };
}

const decrypted = new Map<string, Secret<string>>();

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
