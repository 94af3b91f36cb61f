import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createRedactor, type Failure, type Files, Secret, throwIfAny, TkError } from './base/index.ts';
import { loadModel } from './cli/load-model.ts';
import { openRepositoryCluster, shippedTemplates } from './cli/open-cluster.ts';
import { registryHost, throughRegistry } from './cli/sandbox/open.ts';
import { simulatedKube } from './cli/sandbox/kube.ts';
import { sandboxSpecOf } from './cli/sandbox/spec.ts';
import { failureClasses } from './cli/failure-classes.ts';
import { taskNameOf } from './cli/tasks/manifest.ts';
import { isOwnCheckout } from './cli/tasks/place.ts';
import { loadUserTasks } from './cli/tasks/user.ts';
import { type Cluster, type Settings, settingsSchema } from './cluster/index.ts';
import { findRepository } from './config/index.ts';
import {
  coreFailure,
  createEngine,
  createRegistry,
  type EngineEvent,
  type Plan,
  type Prompter,
  type RunOutcome,
  type RunResult,
  type Shell,
  type ShellCommand,
  type ShellOutput,
  type Task,
} from './core/index.ts';
import { createHostWorld } from './host/index.ts';
import {
  createMemoryWorld,
  createRegistry as createChartRegistry,
  type FaultRule,
  type Hand,
  type Landscape,
  type MachineSpec,
  type SimulatedKube,
  startCluster,
} from './sim/index.ts';
import { renderFailures } from './ui/index.ts';
import { defaultKubernetes, newestTalos } from './upstream/tables.ts';

export interface SimulateOptions {
  /** Default 3. */
  readonly controlPlanes?: number;
  /** Default 2. */
  readonly workers?: number;
  /** A minor (`1.14`) or a version. Default: the newest that tk knows. */
  readonly talos?: string;
  readonly kubernetes?: string;
  /** Where the machines stand when the test begins. Default `healthy`: `bootstrap` has run. */
  readonly from?: 'maintenance' | 'healthy';
  /** Files of the repository by relative path. With a cluster.yaml or a talconfig.yaml among them, none is made. */
  readonly files?: Readonly<Record<string, string>>;
  readonly settings?: Settings;
  /** Tasks under their names, besides the built-in ones. Default: those in `tasks/` of the current directory. */
  readonly tasks?: Readonly<Record<string, Task>>;
  /** The machine as it stands there in truth, where that differs from what the inventory says: another disk, another network card. */
  readonly hardware?: (machine: MachineSpec) => MachineSpec;
  /** What goes wrong on the wire, in the machines, in Kubernetes and on the disk of the workstation. */
  readonly faults?: readonly FaultRule[];
  /** The same seed gives the same run, down to the byte. */
  readonly seed?: string;
  /** What a person at the terminal would answer, by the name of the question. Others fail with `prompt/no-terminal`. */
  readonly answers?: Readonly<Record<string, string | boolean | readonly string[]>>;
}

export interface TkOptions {
  /** Gives the confirmations, and types the name where one has to be typed. Default true. */
  readonly yes?: boolean;
  /** Ctrl-C, once, after so much simulated time. */
  readonly ctrlCAfterMs?: number;
}

export interface SimulatedRun {
  readonly outcome: RunOutcome;
  readonly exitCode: number;
  /** What the task returned; undefined when it did not end well. */
  readonly value: unknown;
  readonly counts: RunResult['counts'];
  readonly failures: readonly Failure[];
  /** The failures as a person would read them. */
  readonly text: string;
  /** What the task printed to standard output. */
  readonly printed: string;
  readonly events: readonly EngineEvent[];
}

/** What a command answers that a task starts with `$`. */
export interface CommandAnswer {
  succeeds(stdout?: string): void;
  fails(exitCode?: number, stderr?: string): void;
}

export interface SimulatedRepository extends AsyncDisposable {
  /** Runs a task by its name, as `tk` would. Params are those of its schema. `yes` gives the confirmations (default true). */
  tk(name: string, params?: object, options?: TkOptions): Promise<SimulatedRun>;
  /** What the task would do, as `tk --plan` would say it. */
  plan(name: string, params?: object, mode?: 'plan' | 'dry-run'): Promise<Plan>;
  /** What happens to the machines without any call of tk's: power, alarms, another operator. */
  readonly hand: Hand;
  /** What lives in the cluster besides Flux, and has a say when machines go away: storage, tuppr, budgets, cordons of people. */
  readonly landscape: Landscape;
  /** Lets simulated time pass. */
  pass(ms: number): Promise<void>;
  /** Commands without an answer make their task fail. */
  command(name: string): CommandAnswer;
  /** Every command that was started, as its arguments. */
  readonly commands: readonly (readonly string[])[];
  readonly cluster: Cluster;
  /** The repository's files in memory, below `root`. */
  readonly files: Files;
  readonly root: string;
}

const root = '/home/user/home-ops';

/**
 * A repository with a simulated cluster, in memory and in virtual time: minutes pass in milliseconds, nothing is dialled, written
 * or started outside of the test.
 */
export async function simulate(options: SimulateOptions = {}): Promise<SimulatedRepository> {
  const answers = new Map<string, ShellOutput>();
  const commands: (readonly string[])[] = [];
  const memory = createMemoryWorld({
    seed: options.seed ?? 'simulate',
    ...(options.faults === undefined ? {} : { faults: options.faults }),
    files: {
      ...(await shippedFiles(options)),
      ...Object.fromEntries(Object.entries({ ...inputsOf(options), ...options.files }).map(([path, text]) => [join(root, path), text])),
    },
  });
  const world = { ...memory.world, dial: throughRegistry(memory.world.dial) };
  const repository = await findRepository(world.files, root, { exactly: true });
  const model = await loadModel(world, repository);
  const described = sandboxSpecOf(model);
  const { hardware } = options;
  const spec = hardware === undefined ? described : { ...described, machines: described.machines.map(hardware) };
  let kube: SimulatedKube | undefined;
  const simulated = startCluster(memory.kernel, memory.network, spec, {
    kube: (kernel, host) => (kube = simulatedKube(kernel, host, world.files, root)),
    mounts: (kernel) => {
      const charts = createChartRegistry({ clock: kernel.clock, fault: (point, facts) => kernel.fault(point, facts) });
      return [{ host: registryHost, port: 443, handler: charts.handler }];
    },
  });
  const stateDirectory = join(root, '.tk/sim');
  const settings = options.settings ?? settingsSchema.parse({});
  const redactor = createRedactor();
  const cacheDirectory = join(stateDirectory, 'cache');
  const cluster = await openRepositoryCluster({ world, model, settings, isSandbox: true, cacheDirectory, redactor });
  const registry = createRegistry();
  for (const [name, task] of await builtInTasks()) registry.register(name, task);
  for (const [name, task] of await ownTasks(options)) registry.register(name, task, { shadow: true });

  const openEngine = (events: EngineEvent[], print: (text: string) => void, yes = false) =>
    createEngine({
      world,
      registry,
      kit: {
        plan: () => ({ cluster: cluster.view }),
        run: ({ effect }) => ({ cluster: effect === 'read' ? cluster.view : cluster.full, $: shellOf(answers, commands) }),
      },
      stateDirectory,
      root,
      identity: cluster.identity,
      version: 'simulate',
      redactor,
      prompter: answering(options.answers ?? {}, yes),
      sinks: [(event) => events.push(event)],
      stdout: print,
      failureClasses,
      owner: 'a test',
    });
  const tk = async (name: string, params: object = {}, { yes = true, ctrlCAfterMs }: TkOptions = {}): Promise<SimulatedRun> => {
    const events: EngineEvent[] = [];
    let printed = '';
    const engine = openEngine(
      events,
      (text) => {
        printed += text;
      },
      yes,
    );
    const running = engine.run([{ kind: 'call', task: registry.get(name), params }], { argv: [name], yes });
    const timer = new AbortController();
    if (ctrlCAfterMs !== undefined)
      world.clock.sleep(ctrlCAfterMs, timer.signal).then(
        () => running.stop('SIGINT'),
        () => {},
      );
    const result = await running.finished;
    timer.abort();
    return {
      outcome: result.outcome,
      exitCode: result.exitCode,
      value: result.values[0],
      counts: result.counts,
      failures: result.failures,
      text: renderFailures(result.failures).join('\n\n'),
      printed,
      events,
    };
  };

  if (options.from !== 'maintenance') {
    const bootstrapped = await tk('bootstrap');
    const [first, ...rest] = bootstrapped.failures;
    if (first) throw new TkError(first, ...rest);
  }
  return {
    tk,
    plan: (name, params = {}, mode = 'plan') =>
      openEngine([], () => {}).plan([{ kind: 'call', task: registry.get(name), params }], {
        mode,
        offline: false,
        signal: new AbortController().signal,
      }),
    hand: simulated.hand,
    get landscape() {
      if (kube === undefined) throw new Error('the cluster has no Kubernetes');
      return kube.landscape;
    },
    pass: (ms) => world.clock.sleep(ms),
    command: (name) => ({
      succeeds: (stdout = '') => void answers.set(name, { stdout, stderr: '', exitCode: 0 }),
      fails: (exitCode = 1, stderr = '') => void answers.set(name, { stdout: '', stderr, exitCode }),
    }),
    commands,
    cluster: cluster.full,
    files: world.files,
    root,
    [Symbol.asyncDispose]: () => memory.kernel.close(),
  };
}

/** A talconfig.yaml for the machines that were asked for, unless the test brought inputs of its own. */
function inputsOf({
  controlPlanes = 3,
  workers = 2,
  talos = newestTalos,
  kubernetes,
  files = {},
}: SimulateOptions): Readonly<Record<string, string>> {
  if (Object.keys(files).some((path) => /(?:^|\/)(?:cluster|talconfig)\.ya?ml$/.test(path))) return {};
  const minor = talos.replace(/^v/, '').split('.').slice(0, 2).join('.');
  const isMinor = /^v?\d+\.\d+$/.test(talos);
  const talosVersion = isMinor ? (newestTalos.startsWith(`v${minor}.`) ? newestTalos : `v${minor}.0`) : talos;
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
  const talconfig = {
    clusterName: 'simulated',
    talosVersion,
    kubernetesVersion: kubernetes ?? defaultKubernetes[minor],
    endpoint: 'https://192.168.42.120:6443',
    nodes: [
      ...Array.from({ length: controlPlanes }, (_, index) => node(`cp-${index + 1}`, true, index + 10)),
      ...Array.from({ length: workers }, (_, index) => node(`worker-${index + 1}`, false, index + 20)),
    ],
  };
  // JSON is YAML.
  return { 'talos/talconfig.yaml': JSON.stringify(talconfig, undefined, 2) };
}

/** The templates that come with tk, for a test that brings inputs and no templates. */
async function shippedFiles({ files = {} }: SimulateOptions): Promise<Readonly<Record<string, string>>> {
  if (!Object.hasOwn(files, 'cluster.yaml') || Object.keys(files).some((path) => path.startsWith('templates/'))) return {};
  const host = createHostWorld().files;
  // Beside the sources, or beside `dist/`.
  const places = ['../templates/config', '../../templates/config'].map((place) => join(import.meta.dirname, place));
  const found: Record<string, string> = {};
  const walk = async (from: string, to: string): Promise<void> => {
    for (const { name, kind } of await host.list(from)) {
      if (kind === 'directory') await walk(join(from, name), join(to, name));
      else found[join(to, name)] = (await host.readText(join(from, name))) ?? '';
    }
  };
  for (const place of places) await walk(place, shippedTemplates);
  return found;
}

/** Sources in the checkout, compiled files in the package: both lie beside this file. */
async function builtInTasks(): Promise<ReadonlyMap<string, Task>> {
  const directory = join(import.meta.dirname, '../tasks');
  const { files } = createHostWorld();
  const tasks = new Map<string, Task>();
  const walk = async (below: string): Promise<void> => {
    for (const entry of await files.list(join(directory, below))) {
      const path = below === '' ? entry.name : `${below}/${entry.name}`;
      const name = entry.kind === 'directory' ? undefined : taskNameOf(path);
      if (entry.kind === 'directory') await walk(path);
      else if (name !== undefined)
        tasks.set(name, ((await import(pathToFileURL(join(directory, path)).href)) as { readonly default: Task }).default);
    }
  };
  await walk('');
  return tasks;
}

async function ownTasks({ tasks }: SimulateOptions): Promise<Iterable<readonly [string, Task]>> {
  if (tasks) return Object.entries(tasks);
  const { files } = createHostWorld();
  const here = (await files.realPath('.')) ?? '.';
  if (isOwnCheckout(here)) return [];
  const own = await loadUserTasks(files, here);
  throwIfAny(own.broken.map(({ failure }) => failure));
  return own.tasks;
}

/** Words of the template are arguments; each value is exactly one, a list as many as it has members. */
function wordsOf(pieces: TemplateStringsArray, values: readonly unknown[]): readonly string[] {
  const words: string[] = [];
  let open: string | undefined;
  for (const [index, piece] of pieces.entries()) {
    for (const part of piece.split(/(\s+)/)) {
      if (part === '') continue;
      if (/^\s/.test(part)) {
        if (open !== undefined) words.push(open);
        open = undefined;
      } else open = (open ?? '') + part;
    }
    const value = values[index];
    if (index >= values.length) continue;
    if (Array.isArray(value)) {
      const [first = '', ...rest] = value.map(String);
      const [last, ...middle] = [...rest].reverse();
      if (last !== undefined) words.push((open ?? '') + first, ...middle.reverse());
      open = last ?? (open ?? '') + first;
    } else open = (open ?? '') + String(value);
  }
  if (open !== undefined) words.push(open);
  return words;
}

function shellOf(answers: ReadonlyMap<string, ShellOutput>, commands: (readonly string[])[]): Shell {
  return (pieces, ...values) => {
    const words = wordsOf(pieces, values);
    commands.push(words);
    return answered(words[0] ?? '', answers.get(words[0] ?? ''), false);
  };
}

function answered(command: string, answer: ShellOutput | undefined, nothrow: boolean): ShellCommand {
  const settled = async (): Promise<ShellOutput> => {
    if (!answer)
      throw new TkError(
        coreFailure('task/failed', { message: `the test has no answer for \`${command}\``, help: `rig.command('${command}').succeeds()` }),
      );
    if (answer.exitCode !== 0 && !nothrow) {
      const because = answer.stderr.trim();
      throw new TkError(
        coreFailure('task/failed', {
          message: `${command} ended with exit code ${answer.exitCode}`,
          ...(because === '' ? {} : { because }),
        }),
      );
    }
    return answer;
  };
  const promise = settled();
  promise.catch(() => {});
  const text = async () => (await promise).stdout.replace(/\n$/, '');
  return Object.assign(promise, {
    nothrow: () => answered(command, answer, true),
    quiet: () => answered(command, answer, nothrow),
    timeout: () => answered(command, answer, nothrow),
    text,
    json: async <T>() => JSON.parse(await text()) as T,
    lines: async () => (await text()).split('\n'),
  });
}

function answering(answers: NonNullable<SimulateOptions['answers']>, yes: boolean): Prompter {
  const answerTo = async ({ name, message }: { readonly name: string; readonly message: string }): Promise<never> => {
    if (Object.hasOwn(answers, name)) return answers[name] as never;
    throw new TkError(coreFailure('prompt/no-terminal', { name, message, confirmation: false }));
  };
  return {
    text: answerTo,
    password: async (question) => new Secret(String(await answerTo(question))),
    confirm: async (question) => (yes && !Object.hasOwn(answers, question.name) ? true : answerTo(question)),
    select: answerTo,
    multiselect: answerTo,
  };
}
