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
  type SimulatedKube,
  startCluster,
  watchInvariants,
} from '../../../lib/sim/index.ts';
import { createSeededRandom } from '../../../lib/sim/random.ts';
import { mortal } from './mortal-world.ts';
import { calmAfterMs, type Schedule } from './schedule.ts';
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
  readonly virtualMs: number;
}

const root = '/home/user/home-ops';
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

  const attempt = async (command: Command, dieAfter: number | undefined): Promise<Attempt> => {
    const process = mortal(outer, dieAfter);
    const events: EngineEvent[] = [];
    const told = (exit: Attempt['exit'], failures: readonly Failure[] = [], changes = 0): Attempt => ({
      task: command.task,
      exit,
      failures,
      changes,
      events,
    });
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
      sinks: [(event) => void events.push(event)],
      stdout: () => {},
      failureClasses,
      owner: 'swarm',
    });
    const call = { kind: 'call', task: registry.get(command.task), params: command.params ?? {} } as const;
    const result = await Promise.race([engine.run([call], { argv: [command.task], yes: true }).finished, process.death]);
    return result === 'dead' ? told('dead') : told(result.exitCode, result.failures, result.counts.steps.changes);
  };

  const attempts: Attempt[] = [];
  const random = createSeededRandom(schedule.seed, 'crash');
  /** As a person would: again and again, a little later. */
  const insist = async (command: Command): Promise<Attempt | undefined> => {
    const ends = command.ends ?? [0];
    for (let tries = 0; tries < mostAttempts; tries += 1) {
      const last = await attempt(command, schedule.deaths[attempts.length]);
      attempts.push(last);
      for (const failure of last.failures)
        if (failure.code === 'internal/unexpected') violations.push(`a defect: ${JSON.stringify(failure.facts)}`);
      if (typeof last.exit === 'number' && ends.includes(last.exit)) return last;
      if (last.exit === 'dead') memory.files.crash(random);
      await kernel.clock.sleep(1000 + Math.floor(random.fraction() * 60_000));
    }
    return undefined;
  };

  const commands = story.commands(schedule);
  let end: Attempt | undefined;
  for (const command of commands) {
    end = await insist(command);
    if (end) continue;
    violations.push(`no attempt of ${command.task} ended well`);
    break;
  }
  if (end?.exit === 0) {
    // The proof of exit 0 is taken at that very moment, not after the dust has settled.
    const model = await modelOf({ ...outer, files: pushed });
    for (const what of [...invariants.missing(), ...(story.missing?.({ model, schedule }) ?? [])])
      violations.push(`I-17 exit 0, but ${what}`);
    await kernel.clock.sleep(calmAfterMs);
    const again = await attempt(commands.at(-1) as Command, undefined);
    if (again.exit !== 0 || again.changes !== 0)
      violations.push(`a further run ended with ${again.exit} and ${again.changes} changes: ${JSON.stringify(again.failures)}`);
  }
  for (const { invariant, what } of invariants.violations()) violations.push(`${invariant} ${what}`);
  const virtualMs = kernel.clock.monotonicMs();
  await kernel.close();
  return { attempts, violations, faultHits: kernel.faultHits(), virtualMs };
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
