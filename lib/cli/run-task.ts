import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { createRedactor, type World } from '../base/index.ts';
import type { Engine, ParamShape, RunHandle, TaskCall } from '../core/index.ts';
import { createHostWorld, standardError, standardOutput } from '../host/index.ts';
import type * as Ui from '../ui/index.ts';
import type { Renderer } from '../ui/index.ts';
import { loadAnswers } from './answers.ts';
import { type ArgumentShape, type ArgumentValues, type GlobalFlags, parseArguments, shellLine } from './argv.ts';
import { failureClasses } from './failure-classes.ts';
import { openRepository, type OpenedRepository } from './open-repository.ts';
import { type CaughtSignals, catchSignals, type EndSignal, exitCodeOf } from './signals.ts';
import { version } from './version.ts';

export interface TaskRequest {
  readonly name: string;
  readonly params: readonly ParamShape[];
  readonly words: readonly string[];
  /** As typed, for `resume`. */
  readonly argv: readonly string[];
  readonly flags: GlobalFlags;
}

const planFlags = new Set(['--plan', '--dry-run', '--offline', '--json']);

/** Runs one task with everything that it needs. Returns the exit code. */
export async function runTask(request: TaskRequest): Promise<number> {
  const { flags } = request;
  // Held to the end of the process: between the last line of ours and its end there is still time for a signal.
  const signals = catchSignals();
  // Before anything is opened: a misspelt word leaves no trace.
  const values = absolutePaths(parseArguments(request.name, request.words, argumentShapesOf(request.params)), request);
  const redactor = createRedactor();
  const world = createHostWorld();
  const [core, ui, tasks] = await Promise.all([import('../core/index.ts'), import('../ui/index.ts'), import('./tasks/load.ts')]);
  const repository = await openRepository({
    world,
    redactor,
    directory: resolve(flags.directory ?? '.'),
    isExactDirectory: flags.directory !== undefined,
    ...(flags.talconfig === undefined ? {} : { talconfig: resolve(flags.directory ?? '.', flags.talconfig) }),
    isSandbox: flags.sim,
    ...(flags.record === undefined ? {} : { record: { directory: resolve(flags.record), command: wordsWithoutRecord(request.argv) } }),
    isPlan: flags.plan || flags.dryRun,
  });
  try {
    const registry = core.createRegistry();
    const loaded = await tasks.loadTasks(world.files, repository.root, request.name);
    for (const [name, task] of loaded.builtIn) registry.register(name, task);
    for (const [name, task] of loaded.own)
      registry.register(name, task, { shadow: true, ...(loaded.source === undefined ? {} : { source: loaded.source }) });
    const task = registry.get(request.name);
    const colors = usesColors(world);
    const view =
      flags.plan || flags.dryRun
        ? undefined
        : await ui.createRenderer(outputOf(flags, world), {
            stream: world.terminal.stderr,
            clock: world.clock,
            colors,
            simulated: repository.jumpsInTime,
            isSandbox: flags.sim,
          });
    const prompter = ui.createPrompter({
      streams: world.terminal.isInteractive
        ? { stdin: process.stdin, stdout: process.stderr as unknown as typeof process.stdout }
        : undefined,
      suspend: () => view?.suspend(),
      resume: () => view?.resume(),
    });
    const answers = await loadAnswers({
      world,
      file: flags.answers,
      directory: flags.directory ?? '.',
      settings: repository.settings.answers,
    });
    const params = await core.askForMissing(request.name, task, values, {
      answers,
      scope: { cluster: repository.cluster.view },
      ...(world.terminal.isInteractive ? { prompter } : {}),
    });
    const call: TaskCall = { kind: 'call', task, params };
    const engine = core.createEngine({
      world: repository.world,
      registry,
      kit: {
        plan: () => ({ cluster: repository.cluster.view }),
        run: ({ effect, log, signal }) => ({
          cluster: effect === 'read' ? repository.cluster.view : repository.cluster.full,
          $: repository.shell(log, signal),
        }),
      },
      stateDirectory: repository.stateDirectory,
      root: repository.root,
      identity: repository.identity,
      version,
      redactor,
      prompter: core.withAnswers(prompter, answers),
      sinks: view ? [view.sink] : [],
      // With --json standard output is one document, and what a task returns is in it.
      stdout: (text) => {
        if (flags.json) return;
        if (view) view.aside(() => standardOutput.write(text));
        else standardOutput.write(text);
      },
      failureClasses,
      owner: `tk ${request.argv.join(' ')} (process ${process.pid} on ${hostname()})`,
    });
    if (flags.plan || flags.dryRun) return await showPlan(engine, call, request, repository, ui, signals);
    return await runToEnd(engine, call, request, repository, ui, view, signals);
  } finally {
    await repository.close();
  }
}

/** Paths on the command line are those of the directory in which it was typed. */
function absolutePaths(values: ArgumentValues, { params, flags }: TaskRequest): ArgumentValues {
  const paths = new Set(params.filter((shape) => shape.isPath).map((shape) => shape.name));
  const from = (value: string) => resolve(flags.directory ?? '.', value);
  return new Map([...values].map(([name, given]) => [name, paths.has(name) ? given.map(from) : given]));
}

/** Where a recording lies is nobody's business who reads it. */
const wordsWithoutRecord = (argv: readonly string[]): string =>
  argv
    .filter(
      (word, index) =>
        word !== '--record' && !word.startsWith('--record=') && argv[index - 1] !== '--record' && !(index === 0 && word === 'run'),
    )
    .join(' ');

/** Aliases are further names of one param for the splitter, which does not know that they are one. */
function argumentShapesOf(params: readonly ParamShape[]): readonly ArgumentShape[] {
  return params.flatMap((shape) => [
    { name: shape.name, kind: shape.kind, ...(shape.position === undefined ? {} : { position: shape.position }) },
    ...shape.aliases.map((alias) => ({ name: alias, kind: shape.kind })),
  ]);
}

async function showPlan(
  engine: Engine,
  call: TaskCall,
  request: TaskRequest,
  repository: OpenedRepository,
  ui: typeof Ui,
  signals: CaughtSignals,
): Promise<number> {
  const { flags } = request;
  const { world } = repository;
  const stopping = new AbortController();
  let received: EndSignal | undefined;
  signals.tell((signal) => {
    received ??= signal;
    stopping.abort();
  });
  try {
    if (!flags.offline && engine.rows([call]).some(({ name }) => name === 'configure')) await repository.renderAhead(stopping.signal);
    const plan = await engine.plan([call], {
      mode: flags.dryRun ? 'dry-run' : 'plan',
      offline: flags.offline,
      fresh: flags.fresh,
      signal: stopping.signal,
    });
    standardOutput.write(
      flags.json
        ? `${JSON.stringify(plan)}\n`
        : ui.renderPlan(plan, {
            style: ui.styleWith(usesColors(world)),
            // Only a screen has an edge.
            columns: world.terminal.stdout.isTty ? world.terminal.stdout.columns : Number.POSITIVE_INFINITY,
            command: `npx tk ${shellLine(request.argv.filter((word) => !planFlags.has(word)))}`,
            isSandbox: flags.sim,
          }),
    );
    return plan.tasks.some((task) => task.failure !== undefined) ? 2 : 0;
  } catch (error) {
    if (received === undefined) throw error;
    standardError.write(' Stopped. A plan changes nothing.\n');
    return exitCodeOf(received);
  }
}

async function runToEnd(
  engine: Engine,
  call: TaskCall,
  request: TaskRequest,
  repository: OpenedRepository,
  ui: typeof Ui,
  view: Renderer | undefined,
  signals: CaughtSignals,
): Promise<number> {
  const run: RunHandle = engine.run([call], {
    argv: request.argv,
    yes: request.flags.yes,
    fresh: request.flags.fresh,
    about: repository.about,
    shownPath: repository.shownPath,
  });
  signals.tell((signal) => run.stop(signal));
  const result = await run.finished;
  signals.closing(result.exitCode);
  await view?.close();
  const broken = repository.brokenBy();
  if (request.flags.output !== 'json') {
    // What the machines answered is only a consequence of it.
    if (broken) standardError.write(`\n${ui.renderFailure(broken, { style: ui.styleWith(usesColors(repository.world)) })}\n`);
    for (const note of repository.notes()) standardError.write(`${note}\n`);
  }
  if (request.flags.json)
    standardOutput.write(
      `${JSON.stringify({ schema: 1, run: result.run, outcome: result.outcome, exitCode: result.exitCode, counts: result.counts, failures: result.failures, value: jsonOf(result.values[0]) })}\n`,
    );
  return result.exitCode;
}

/** What a task returned, without what has no place in a document: secrets, functions, circles. */
function jsonOf(value: unknown): unknown {
  try {
    return JSON.parse(JSON.stringify(value ?? null));
  } catch {
    return null;
  }
}

/** `auto` where something other than a person reads. */
function outputOf({ output }: GlobalFlags, { env }: World): GlobalFlags['output'] {
  if (output !== 'auto') return output;
  if (env.get('GITHUB_ACTIONS') === 'true') return 'github';
  return env.get('TERM') === 'dumb' ? 'plain' : 'auto';
}

/** https://no-color.org; FORCE_COLOR is what CI systems set that show colours without a terminal. */
function usesColors({ env, terminal }: World): boolean {
  if (env.get('NO_COLOR')) return false;
  const forced = env.get('FORCE_COLOR');
  return forced !== undefined ? forced !== '0' : terminal.stderr.isTty && env.get('TERM') !== 'dumb';
}
