import { type Failure, failureOf, type Redactor, TkError, type World } from '../base/index.ts';
import { createEventBus, type EventBus, mapTexts } from './event-bus.ts';
import type { EventSink, RunCounts, RunOutcome, StopSignal, TaskOutcome, TaskRow } from './events.ts';
import { decideOutcome, type FailureClasses } from './exit-code.ts';
import { coreFailure } from './failures.ts';
import { createFingerprints, type Fingerprints } from './fingerprints.ts';
import { buildGraph, type GraphNode, shapeResults, type TaskGraph } from './graph.ts';
import { placed } from './guard.ts';
import { createIntentLog, type IntentLog, noIntents, recollectionsOf } from './intents.ts';
import { type Journal, type JournalRecord, openJournal } from './journal.ts';
import type { TaskCall } from './needs.ts';
import { type Plan, planGraph } from './plan.ts';
import type { Prompter } from './prompter.ts';
import { askOneAtATime } from './questions.ts';
import type { TaskRegistry } from './registry.ts';
import { newRunId } from './run-id.ts';
import { journalPath, pruneRuns } from './runs.ts';
import { type NodeEnd, schedule } from './scheduler.ts';
import { taskWait } from './steps.ts';
import type { Effect } from './task.ts';
import { failuresOfError, type RunningTask, runTask, type TaskRunEnd } from './task-run.ts';

/** Makes what tasks are given besides the engine's own. `plan` must hand out nothing that can change anything. */
export interface KitFactory {
  plan(mode: 'plan' | 'dry-run' | 'run'): object;
  run(task: RunningTask): object;
}

export interface EngineOptions {
  readonly world: Pick<World, 'clock' | 'random' | 'files'>;
  readonly registry: TaskRegistry;
  readonly kit: KitFactory;
  /** Absolute; runs and the lock live in there. Made when the first run that changes something begins. */
  readonly stateDirectory: string;
  /** Absolute; files that tasks declare are named from here. Absent: no task is left out for having the same files. */
  readonly root?: string;
  /** What runs act on (a cluster's identity). Intents of another one are not ours. */
  readonly identity: string;
  readonly version: string;
  readonly redactor: Redactor;
  readonly prompter: Prompter;
  readonly sinks: readonly EventSink[];
  /** Where `ctx.print` goes. */
  readonly stdout: (text: string) => void;
  /** Told to whoever finds the repository locked: command, process, machine, since when. */
  readonly owner: string;
  /** Which exit code the failures of the product's own layers mean. */
  readonly failureClasses?: FailureClasses;
}

export interface RunOptions {
  /** The words that would start the same run again; for `resume`. */
  readonly argv: readonly string[];
  /** One line of what the run is about. */
  readonly about?: string;
  /** Tasks at the same time. Absent: 8. */
  readonly parallel?: number;
  /** Confirmations are given. Missing values are never made up. */
  readonly yes?: boolean;
  readonly keepGoing?: boolean;
  /** Tasks run although their inputs and outputs are as they left them. */
  readonly fresh?: boolean;
  /** How the journal's path is shown. Absent: absolute. */
  readonly shownPath?: (path: string) => string;
}

export interface RunResult {
  readonly run: string;
  readonly outcome: RunOutcome;
  readonly exitCode: number;
  readonly failures: readonly Failure[];
  readonly counts: RunCounts;
  /** What the goals returned, in their order; undefined for those that did not end well. */
  readonly values: readonly unknown[];
}

export interface RunHandle {
  readonly id: string;
  /**
   * First call: begin nothing new, let what runs end. Second call: abort what listens, leave behind what does not. None does anything
   * when all tasks have ended: a run ends with what its journal says.
   */
  stop(signal: StopSignal): void;
  /** Never rejects. */
  readonly finished: Promise<RunResult>;
}

export interface Engine {
  run(goals: readonly TaskCall[], options: RunOptions): RunHandle;
  /** Writes nothing. Failure: `graph/*`, `params/*`, `run/stopped`. */
  plan(
    goals: readonly TaskCall[],
    options: { readonly mode: 'plan' | 'dry-run'; readonly offline: boolean; readonly fresh?: boolean; readonly signal: AbortSignal },
  ): Promise<Plan>;
  /** Everything that the goals need, in order. Failure: `graph/*`, `params/*`. */
  rows(goals: readonly TaskCall[]): readonly TaskRow[];
}

export function createEngine(options: EngineOptions): Engine {
  const graphOf = (goals: readonly TaskCall[]) => buildGraph(goals, options.registry, options.kit.plan('plan'));
  return {
    run(goals, runOptions) {
      const run = new Run(goals, options, runOptions);
      return { id: run.id, stop: (signal) => run.stop(signal), finished: run.execute() };
    },
    async plan(goals, { mode, offline, fresh, signal }) {
      const { clock } = options.world;
      const silent: EventBus = createEventBus('plan', clock, options.redactor, []);
      const wait = taskWait({ task: 'plan', clock, bus: silent, stopping: new AbortController().signal }, signal);
      const { files } = options.world;
      const fingerprints = fresh ? undefined : fingerprintsOf(options);
      return planGraph(graphOf(goals), {
        mode,
        offline,
        scope: options.kit.plan(mode),
        signal,
        wait,
        recall: recollectionsOf(files, options.stateDirectory, options.identity),
        ...(fingerprints === undefined ? {} : { fingerprints }),
      });
    },
    rows: (goals) => rowsOf(graphOf(goals)),
  };
}

const fingerprintsOf = ({ world, registry, stateDirectory, root, identity, version, redactor }: EngineOptions): Fingerprints | undefined =>
  root === undefined
    ? undefined
    : createFingerprints({
        files: world.files,
        root,
        directory: `${stateDirectory}/cache/fingerprints`,
        redactor,
        salt: [version, identity],
        sourceOf: (name) => registry.sourceOf(name),
      });

const effectOrder: readonly Effect[] = ['read', 'write', 'mutate', 'destroy'];
const keptRuns = 50;

class Run {
  readonly id: string;
  readonly #goals: readonly TaskCall[];
  readonly #engine: EngineOptions;
  readonly #options: RunOptions;
  readonly #bus: EventBus;
  readonly #stopping = new AbortController();
  readonly #aborting = new AbortController();
  readonly #values = new Map<string, unknown>();
  readonly #fingerprints: Fingerprints | undefined;
  readonly #failures: Failure[] = [];
  readonly #tasks = { done: 0, skipped: 0, failed: 0, blocked: 0, cancelled: 0 };
  readonly #steps = { checked: 0, changes: 0 };
  #stoppedBy: StopSignal | undefined;
  #touched = false;
  #differs = false;
  /** What the run came to is on its way into the journal: a signal now changes nothing about it any more. */
  #isDecided = false;
  #lastStep = 0;
  #journal: Journal | undefined;
  #intents: IntentLog = noIntents;

  constructor(goals: readonly TaskCall[], engine: EngineOptions, options: RunOptions) {
    this.id = newRunId(engine.world.clock, engine.world.random);
    this.#goals = goals;
    this.#engine = engine;
    this.#options = options;
    this.#fingerprints = fingerprintsOf(engine);
    this.#bus = createEventBus(this.id, engine.world.clock, engine.redactor, engine.sinks);
  }

  stop(signal: StopSignal): void {
    if (this.#aborting.signal.aborted || this.#isDecided) return;
    const stage = this.#stoppedBy === undefined ? 'safely' : 'now';
    this.#stoppedBy ??= signal;
    this.#bus.emit({ event: 'stopping', signal, stage });
    if (stage === 'safely') this.#stopping.abort();
    else this.#aborting.abort();
  }

  async execute(): Promise<RunResult> {
    const { clock } = this.#engine.world;
    const startedMs = clock.monotonicMs();
    let isComplete = false;
    let graph: TaskGraph | undefined;
    try {
      graph = buildGraph(this.#goals, this.#engine.registry, this.#engine.kit.plan('run'));
      isComplete = await this.#underLock(graph);
    } catch (error) {
      this.#failures.push(...failuresOfError(error));
    }
    const decided = this.#decide(isComplete);
    const counts: RunCounts = { tasks: { ...this.#tasks }, steps: { ...this.#steps } };
    this.#bus.emit({
      event: 'run-finished',
      ...decided,
      counts,
      failures: this.#told(),
      tookMs: Math.round(clock.monotonicMs() - startedMs),
      ...this.#shownJournal(),
    });
    const values = (graph?.goals ?? []).map((goal) => this.#values.get(goal));
    return { run: this.id, ...decided, failures: this.#told(), counts, values };
  }

  /** Whether every task ended well. */
  async #underLock(graph: TaskGraph): Promise<boolean> {
    const changes = [...graph.nodes.values()].some((node) => effectOrder.indexOf(node.task.definition.effect) > 0);
    if (!changes) return this.#started(graph);
    const { files } = this.#engine.world;
    const path = `${this.#engine.stateDirectory}/lock`;
    await this.#makeStateDirectory();
    const lock = await files.lock(path, this.#engine.redactor.redact(this.#engine.owner));
    if ('heldBy' in lock) throw new TkError(coreFailure('lock/held', { heldBy: lock.heldBy, path: this.#shown(path) }));
    try {
      return await this.#journaled(graph);
    } finally {
      await lock.release();
    }
  }

  /** What goes to whoever prints it: no key of the cluster in it, whatever a task or a remote end has put into its words. */
  #told(): readonly Failure[] {
    return mapTexts(this.#failures, (text) => this.#engine.redactor.redact(text)) as readonly Failure[];
  }

  async #makeStateDirectory(): Promise<void> {
    const { files } = this.#engine.world;
    const directory = this.#engine.stateDirectory;
    await files.makeDirectory(directory, { mode: 0o700 });
    const ignore = `${directory}/.gitignore`;
    if ((await files.stat(ignore)) === undefined) await files.write(ignore, '*\n');
  }

  async #journaled(graph: TaskGraph): Promise<boolean> {
    const { world, stateDirectory, version, identity } = this.#engine;
    const path = journalPath(stateDirectory, this.id);
    try {
      const journal = await openJournal(world.files, path, () => world.clock.now());
      const clean = (text: string) => this.#engine.redactor.redact(text);
      this.#journal = {
        append: (record, options) => journal.append(mapTexts(record, clean) as JournalRecord, options),
        close: () => journal.close(),
      };
      const goals = graph.goals.map((id) => graph.nodes.get(id)?.title ?? id);
      await this.#journal.append({ type: 'run', run: this.id, version, goals, argv: this.#options.argv, identity }, { sync: true });
      this.#intents = createIntentLog({
        files: world.files,
        clock: world.clock,
        stateDirectory,
        run: this.id,
        identity,
        journal: this.#journal,
        journalFile: this.#shown(path),
      });
    } catch (error) {
      throw new TkError(coreFailure('journal/write', { path: this.#shown(path) }, { cause: failureOf(error) }));
    }
    let isComplete = false;
    try {
      isComplete = await this.#started(graph);
      return isComplete;
    } finally {
      await this.#endJournal(isComplete);
    }
  }

  async #endJournal(isComplete: boolean): Promise<void> {
    const { files } = this.#engine.world;
    const end = this.#decide(isComplete);
    this.#isDecided = true;
    try {
      await this.#journal?.append({ type: 'end', ...end }, { sync: true });
      await this.#journal?.close();
      await pruneRuns(files, this.#engine.stateDirectory, keptRuns);
    } catch (error) {
      // The work is done and was told; only its record is short. A resume probes anyway.
      this.#bus.emit({ event: 'log', level: 'warn', text: `the journal could not be finished: ${failureOf(error).code}` });
    }
  }

  #decide(isComplete: boolean): { readonly outcome: RunOutcome; readonly exitCode: number } {
    const end = { failures: this.#failures, isComplete, touched: this.#touched, differs: this.#differs };
    return decideOutcome({ ...end, ...(this.#stoppedBy === undefined ? {} : { stoppedBy: this.#stoppedBy }) }, this.#engine.failureClasses);
  }

  async #started(graph: TaskGraph): Promise<boolean> {
    const { about } = this.#options;
    this.#bus.emit({
      event: 'run-started',
      goals: graph.goals.map((id) => graph.nodes.get(id)?.title ?? id),
      version: this.#engine.version,
      rows: rowsOf(graph),
      ...(about === undefined ? {} : { about }),
      ...this.#shownJournal(),
    });
    await this.#confirm(graph);
    const states = await schedule(graph, {
      parallel: this.#options.parallel ?? 8,
      keepGoing: this.#options.keepGoing ?? false,
      locksOf: (node) => locksOf(node),
      start: (node) => this.#runNode(node),
      dropped: (node, state) => this.#dropped(node, state),
      stopping: this.#stopping.signal,
    });
    const unfinished = [...states].filter(([, state]) => state.state === 'waiting' || state.state === 'ready' || state.state === 'running');
    if (unfinished.length > 0) this.#failures.push(coreFailure('run/unfinished', { tasks: unfinished.map(([id]) => id) }));
    return [...states.values()].every((state) => state.state === 'done');
  }

  /** All questions come before the first change. */
  async #confirm(graph: TaskGraph): Promise<void> {
    const scope = this.#engine.kit.plan('run');
    const prompter = this.#prompter();
    for (const node of graph.nodes.values()) {
      const { confirm } = node.task.definition;
      const question = (confirm as ((params: object, scope: object) => { message: string; phrase?: string } | undefined) | undefined)?.(
        node.params,
        scope,
      );
      // A word that has to be typed is no yes: for what cannot be undone somebody says what it is about.
      if (!question || (this.#options.yes && question.phrase === undefined)) continue;
      const granted = await prompter.confirm({ name: 'yes', ...question });
      if (!granted) throw new TkError(coreFailure('confirm/declined', { task: node.title, message: question.message }));
    }
  }

  async #runNode(node: GraphNode): Promise<NodeEnd> {
    const { clock } = this.#engine.world;
    const startedMs = clock.monotonicMs();
    this.#bus.emit({ event: 'task-started', task: node.id });
    this.#record({ type: 'task', task: node.id, state: 'started' });
    const needs = shapeResults(node.wants, (id) => this.#values.get(id));
    const end = await this.#unlessUnchanged(node, needs, (stdout) =>
      runTask(node, needs, {
        run: this.id,
        clock,
        bus: this.#bus,
        intents: this.#intents,
        record: (record) => this.#record(record),
        prompter: this.#prompter(node.id),
        stdout,
        stopping: this.#stopping.signal,
        aborting: this.#aborting.signal,
        nextStepId: () => `s${(this.#lastStep += 1)}`,
        servicesFor: (task) => this.#engine.kit.run(task),
      }),
    );
    const { outcome } = end;
    this.#tasks[outcome.state] += 1;
    this.#steps.checked += end.counts.checked;
    this.#steps.changes += end.counts.changes;
    this.#touched ||= end.touched;
    this.#differs ||= end.differs;
    if (outcome.state === 'failed') this.#failures.push(...outcome.failures);
    this.#bus.emit({ event: 'task-finished', task: node.id, outcome, tookMs: Math.round(clock.monotonicMs() - startedMs) });
    this.#record({ type: 'task', task: node.id, state: outcome.state });
    switch (outcome.state) {
      case 'done':
      case 'skipped':
        this.#values.set(node.id, end.value);
        return { state: 'done', value: end.value };
      case 'failed':
        return { state: 'failed' };
      case 'blocked':
      case 'cancelled':
        return { state: 'cancelled', reason: outcome.state === 'cancelled' ? outcome.reason : outcome.by };
    }
  }

  /** The body of a task, unless what it declares to read and write is as its last good run left it. */
  async #unlessUnchanged(
    node: GraphNode,
    needs: unknown,
    body: (stdout: (text: string) => void) => Promise<TaskRunEnd>,
  ): Promise<TaskRunEnd> {
    const fingerprint = this.#fingerprints?.of(node);
    if (fingerprint === undefined) return body(this.#engine.stdout);
    try {
      const freshness = this.#options.fresh ? undefined : await fingerprint.freshness(needs);
      if (freshness?.state === 'unchanged') {
        const outcome: TaskOutcome = { state: 'skipped', reason: freshness.reason };
        return { outcome, value: freshness.value, counts: { checked: 1, changes: 0 }, touched: false, differs: false };
      }
      const begun = await fingerprint.begin(needs);
      let hasPrinted = false;
      const end = await body((text) => {
        hasPrinted = true;
        this.#engine.stdout(text);
      });
      // What somebody may pipe, and a difference that ends with 6, have to be there the next time too.
      const endedWell = end.outcome.state === 'done' || end.outcome.state === 'skipped';
      if (endedWell && !end.differs && !hasPrinted) await fingerprint.keep(begun, this.id, end.value);
      return end;
    } catch (error) {
      const failures = placed(error, { kind: 'step', task: node.title }).failures;
      return {
        outcome: { state: 'failed', failures },
        value: undefined,
        counts: { checked: 0, changes: 0 },
        touched: false,
        differs: false,
      };
    }
  }

  #dropped(node: GraphNode, outcome: Extract<TaskOutcome, { state: 'blocked' | 'cancelled' }>): void {
    this.#tasks[outcome.state] += 1;
    this.#bus.emit({ event: 'task-finished', task: node.id, outcome, tookMs: 0 });
    this.#record({ type: 'task', task: node.id, state: outcome.state });
  }

  #record(record: JournalRecord): void {
    this.#journal?.append(record).catch(() => {});
  }

  #prompter(task?: string): Prompter {
    return askOneAtATime(this.#engine.prompter, this.#questionLock, this.#stopping.signal, (question) => {
      this.#bus.emit({ event: 'asked', ...question, ...(task === undefined ? {} : { task }) });
    });
  }

  readonly #questionLock = { tail: Promise.resolve() as Promise<unknown> };

  #shownJournal(): { readonly journal?: string } {
    return this.#journal === undefined ? {} : { journal: this.#shown(journalPath(this.#engine.stateDirectory, this.id)) };
  }

  #shown(path: string): string {
    return this.#options.shownPath?.(path) ?? path;
  }
}

function locksOf(node: GraphNode): readonly string[] {
  const { locks } = node.task.definition;
  return typeof locks === 'function' ? (locks as (params: object) => readonly string[])(node.params) : (locks ?? []);
}

function rowsOf(graph: TaskGraph): readonly TaskRow[] {
  return [...graph.nodes.values()].map((node) => ({
    task: node.id,
    name: node.name,
    title: node.title,
    summary: node.task.definition.summary,
    effect: node.task.definition.effect,
    after: [...node.after],
    ...(node.listedBy === undefined ? {} : { parent: node.listedBy }),
  }));
}
