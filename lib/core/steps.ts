import {
  baseFailure,
  type Clock,
  type Condition,
  eitherOf,
  type Failure,
  failureOf,
  hasCode,
  holds,
  notYet,
  TkError,
  waitFor,
} from '../base/index.ts';
import type { Log, OnceStep, OpenIntent, ProbeActStep, ProbedResult, StepFunction, StepHandle, StepOptions, Wait } from './context.ts';
import type { EventBus } from './event-bus.ts';
import type { StepKind, StepOutcome } from './events.ts';
import type { Evidence } from './evidence.ts';
import { coreFailure } from './failures.ts';
import { guarded, isInterruption, placed } from './guard.ts';
import type { IntentLog } from './intents.ts';
import type { JournalRecord } from './journal.ts';

/** What the steps of one task stand on. */
export interface StepScope {
  readonly task: string;
  readonly taskName: string;
  readonly clock: Clock;
  readonly bus: EventBus;
  readonly intents: IntentLog;
  /** Not awaited: only intents and results wait for the disk. */
  readonly record: (record: JournalRecord) => void;
  /** The task's signal: its deadline, or the second Ctrl-C. */
  readonly signal: AbortSignal;
  /** The first Ctrl-C. */
  readonly stopping: AbortSignal;
  nextStepId(): string;
}

/**
 *  started ──▶ probing ──▶ acting ──▶ ended
 *                 │           │         ▲
 *                 └───────────┴─────────┘   done · skipped · failed · cancelled
 */
type StepState =
  | { readonly state: 'started' }
  | { readonly state: 'probing' }
  | { readonly state: 'acting'; readonly attempt: number }
  | { readonly state: 'ended'; readonly outcome: StepOutcome };

interface RunningStep {
  readonly id: string;
  readonly kind: StepKind;
  /** Titles from the outermost step on. */
  readonly path: readonly string[];
  readonly node?: string;
  phase: StepState;
  hasChildren: boolean;
  skipReason?: string;
}

export interface StepCounts {
  checked: number;
  changes: number;
}

/** The steps of one task: begins them, ends them, knows which are under way. */
export class TaskSteps {
  readonly counts: StepCounts = { checked: 0, changes: 0 };
  /** Whether a step that may change something was begun. */
  touched = false;
  readonly #scope: StepScope;
  readonly #underWay = new Set<Promise<unknown>>();
  #closed = false;

  constructor(scope: StepScope) {
    this.#scope = scope;
  }

  /** `unstoppable`: steps that may begin although the run is stopping, because something that runs needs them to end well. */
  functionFor(
    parent: RunningStep | undefined,
    options: { readonly unstoppable?: boolean; readonly signal?: AbortSignal } = {},
  ): StepFunction {
    const signal = options.signal ?? this.#scope.signal;
    const begin = <T>(title: string, kind: StepKind, step: StepOptions, body: (handle: StepHandle, running: RunningStep) => Promise<T>) =>
      this.#track(this.#run(title, kind, step, { parent, signal, unstoppable: options.unstoppable ?? parent !== undefined }, body));
    const idempotent = <T>(title: string, act: (step: StepHandle) => T | Promise<T>, step: StepOptions = {}) =>
      begin(title, 'idempotent', step, async (handle) => act(handle));
    return Object.assign(idempotent, {
      pure: <T>(title: string, act: (step: StepHandle) => T | Promise<T>, step: StepOptions = {}) =>
        begin(title, 'pure', step, async (handle) => act(handle)),
      probeAct: <T>(title: string, step: ProbeActStep<T>) =>
        begin(title, 'probe-act', step, (handle, running) => this.#probeAct(step, handle, running)),
      once: <T>(title: string, step: OnceStep<T>) => begin(title, 'once', step, (handle, running) => this.#once(step, handle, running)),
    });
  }

  /** Steps that a body started and did not await must end before the task does. Their failures are returned. */
  async settle(): Promise<readonly Failure[]> {
    const failures: Failure[] = [];
    while (this.#underWay.size > 0) {
      for (const result of await Promise.allSettled(this.#underWay)) {
        if (result.status === 'rejected')
          failures.push(...(result.reason instanceof TkError ? result.reason.failures : [failureOf(result.reason)]));
      }
    }
    return failures;
  }

  close(): void {
    this.#closed = true;
  }

  #track<T>(promise: Promise<T>): Promise<T> {
    this.#underWay.add(promise);
    const forget = () => this.#underWay.delete(promise);
    promise.then(forget, forget);
    return promise;
  }

  async #run<T>(
    title: string,
    kind: StepKind,
    options: StepOptions,
    from: { readonly parent: RunningStep | undefined; readonly signal: AbortSignal; readonly unstoppable: boolean },
    body: (handle: StepHandle, running: RunningStep) => Promise<T>,
  ): Promise<T> {
    const { clock, bus, stopping, task } = this.#scope;
    const { parent } = from;
    if (this.#closed) throw new TkError(coreFailure('step/after-end', { task: this.#scope.taskName, step: title }));
    if (from.signal.aborted) throw new TkError(baseFailure('run/aborted', { during: title }));
    if (stopping.aborted && !from.unstoppable) throw new TkError(coreFailure('run/stopped', { at: title }));
    const node = options.node ?? parent?.node;
    const running: RunningStep = {
      id: this.#scope.nextStepId(),
      kind,
      path: [...(parent?.path ?? []), title],
      phase: { state: 'started' },
      hasChildren: false,
      ...(node === undefined ? {} : { node }),
    };
    if (parent) parent.hasChildren = true;
    if (kind !== 'pure') this.touched = true;
    const startedMs = clock.monotonicMs();
    bus.emit({
      event: 'step-started',
      task,
      step: running.id,
      title,
      kind,
      ...(parent ? { parent: parent.id } : {}),
      ...(node === undefined ? {} : { node }),
    });
    this.#record(running, 'started');
    // What only looks is not waited for: the first Ctrl-C ends it in the middle, and nothing is the worse for it.
    const either = kind === 'pure' && !from.unstoppable ? eitherOf(from.signal, stopping) : undefined;
    const signal = either?.signal ?? from.signal;
    try {
      const value = await this.#attempts(running, options, signal, body);
      this.#end(
        running,
        startedMs,
        running.skipReason === undefined ? { state: 'done' } : { state: 'skipped', reason: running.skipReason },
      );
      return value;
    } catch (error) {
      const wasLeft = signal !== from.signal && stopping.aborted && !from.signal.aborted && failureOf(error).code === 'run/aborted';
      const failed = placed(wasLeft ? new TkError(coreFailure('run/stopped', { at: title })) : error, {
        kind: 'step',
        task: this.#scope.taskName,
        step: running.path.join(' › '),
        ...(node === undefined ? {} : { node }),
      });
      const { failure } = failed;
      this.#end(running, startedMs, isInterruption(failure) ? { state: 'cancelled', reason: failure.code } : { state: 'failed', failure });
      throw failed;
    } finally {
      either?.stop();
    }
  }

  async #attempts<T>(
    running: RunningStep,
    options: StepOptions,
    signal: AbortSignal,
    body: (handle: StepHandle, running: RunningStep) => Promise<T>,
  ): Promise<T> {
    const { clock, bus, task, stopping } = this.#scope;
    const { retry } = options;
    const work = async (inner: AbortSignal): Promise<T> => {
      let delayMs = retry?.delayMs ?? 0;
      for (let attempt = 1; ; attempt += 1) {
        running.phase = { state: 'acting', attempt };
        try {
          return await body(this.#handle(running, inner), running);
        } catch (error) {
          const failure = failureOf(error);
          // Asked again after the slow call: the world may have ended this step meanwhile.
          if (!retry || attempt >= retry.attempts || inner.aborted || stopping.aborted || isInterruption(failure) || !retry.when(failure))
            throw error;
          bus.emit({ event: 'step-retry', task, step: running.id, attempt, failure, delayMs });
          const either = eitherOf(inner, stopping);
          await clock.sleep(delayMs, either.signal).finally(either.stop);
          delayMs = Math.min(delayMs * (retry.factor ?? 1), retry.maxDelayMs ?? Number.POSITIVE_INFINITY);
        }
      }
    };
    return guarded({ clock, signal, ...(options.deadlineMs === undefined ? {} : { deadlineMs: options.deadlineMs }) }, work);
  }

  async #probeAct<T>(step: ProbeActStep<T>, handle: StepHandle, running: RunningStep): Promise<ProbedResult<T>> {
    running.phase = { state: 'probing' };
    const evidence = await patiently(running, handle, step.patienceMs, () => step.probe(handle));
    if (evidence.state === 'done') return alreadyDone(evidence, handle);
    if (evidence.state === 'undecidable') throw undecided(running, evidence, undefined);
    running.phase = { state: 'acting', attempt: 1 };
    return { state: 'acted', value: await step.act(handle) };
  }

  async #once<T>(step: OnceStep<T>, handle: StepHandle, running: RunningStep): Promise<ProbedResult<T>> {
    const { intents, taskName } = this.#scope;
    const key = step.key ?? [taskName, ...running.path, ...(running.node === undefined ? [] : [running.node])].join(' › ');
    const intent = await intents.open(key);
    running.phase = { state: 'probing' };
    const before = await patiently(running, handle, step.patienceMs, () => step.probe(handle, intent));
    if (before.state === 'done') {
      if (intent) await intents.finish(key, before.seen);
      return alreadyDone(before, handle);
    }
    if (before.state === 'undecidable') throw undecided(running, before, intent);
    const target = intent?.target ?? step.target;
    // On disk before the act: whoever finds it without a result asks reality, and never acts blindly.
    const mine = await intents.intend(key, target);
    running.phase = { state: 'acting', attempt: 1 };
    try {
      const value = await step.act(handle, target);
      await intents.finish(key);
      return { state: 'acted', value };
    } catch (error) {
      if (step.changedNothing?.(error) === true) {
        await intents.withdraw(key);
        throw error;
      }
      // A reply that was lost and an act that was refused look the same from here. Reality knows the difference.
      const after = await this.#probeAfter(step, handle, running, mine);
      if (after?.state === 'done') {
        await intents.finish(key, after.seen);
        handle.detail(after.seen);
        return { state: 'acted', value: after.value };
      }
      if (after?.state === 'undecidable' && !isInterruption(failureOf(error))) throw undecided(running, after, mine, failureOf(error));
      throw error;
    }
  }

  /** Undefined when the probe itself fails: then the act's own failure is the one to tell. */
  async #probeAfter<T>(step: OnceStep<T>, handle: StepHandle, running: RunningStep, intent: OpenIntent): Promise<Evidence<T> | undefined> {
    if (handle.signal.aborted) return undefined;
    try {
      return await patiently(running, handle, step.patienceMs, () => step.probe(handle, intent));
    } catch {
      return undefined;
    }
  }

  #handle(running: RunningStep, signal: AbortSignal): StepHandle {
    const { bus, task } = this.#scope;
    return {
      detail: (text) => void bus.emit({ event: 'step-detail', task, step: running.id, text }),
      skip: (reason) => {
        running.skipReason = reason;
      },
      log: taskLog(bus, task, running.id),
      signal,
      wait: taskWait(this.#scope, signal, running.id),
      step: this.functionFor(running, { signal }),
    };
  }

  #end(running: RunningStep, startedMs: number, outcome: StepOutcome): void {
    const { bus, clock, task } = this.#scope;
    running.phase = { state: 'ended', outcome };
    if (!running.hasChildren && (outcome.state === 'done' || outcome.state === 'skipped')) {
      this.counts.checked += 1;
      if (outcome.state === 'done' && running.kind !== 'pure') this.counts.changes += 1;
    }
    bus.emit({ event: 'step-finished', task, step: running.id, outcome, tookMs: Math.round(clock.monotonicMs() - startedMs) });
    this.#record(running, outcome.state, outcome.state === 'failed' ? outcome.failure : undefined);
  }

  #record(running: RunningStep, state: 'started' | StepOutcome['state'], failure?: Failure): void {
    this.#scope.record({
      type: 'step',
      task: this.#scope.task,
      title: running.path.join(' › '),
      state,
      ...(running.node === undefined ? {} : { node: running.node }),
      ...(failure === undefined ? {} : { failure }),
    });
  }
}

const patience = { defaultMs: 60_000, intervalMs: 5000 };

/** Asks again while the probe cannot tell: a machine that restarts is silent for a while, and that proves nothing. */
async function patiently<T>(
  running: RunningStep,
  handle: StepHandle,
  patienceMs: number | undefined,
  probe: () => Evidence<T> | Promise<Evidence<T>>,
): Promise<Evidence<T>> {
  let last = await probe();
  if (last.state !== 'undecidable') return last;
  try {
    return await handle.wait<Evidence<T>>({
      description: `certainty about "${running.path.at(-1) ?? ''}"`,
      deadlineMs: patienceMs ?? patience.defaultMs,
      intervalMs: patience.intervalMs,
      async check() {
        last = await probe();
        return last.state === 'undecidable' ? notYet(last.seen) : holds(last);
      },
    });
  } catch (error) {
    if (hasCode(error, 'wait/timeout')) return last;
    throw error;
  }
}

function alreadyDone<T>(evidence: Extract<Evidence<T>, { state: 'done' }>, handle: StepHandle): ProbedResult<T> {
  handle.skip(evidence.seen);
  return { state: 'already-done', seen: evidence.seen, value: evidence.value };
}

function undecided(
  running: RunningStep,
  evidence: Extract<Evidence<never>, { state: 'undecidable' }>,
  intent: OpenIntent | undefined,
  cause?: Failure,
): TkError {
  const facts = {
    step: running.path.join(' › '),
    seen: evidence.seen,
    ...(evidence.help === undefined ? {} : { help: evidence.help }),
    ...(intent === undefined ? {} : { intendedBy: intent.runId }),
    ...(intent?.target === undefined ? {} : { target: intent.target }),
  };
  return new TkError(coreFailure('step/undecidable', facts, cause === undefined ? {} : { cause }));
}

export function taskLog(bus: EventBus, task: string, step?: string): Log {
  const at = step === undefined ? { task } : { task, step };
  const say = (level: 'info' | 'warn' | 'debug') => (text: string) => void bus.emit({ event: 'log', ...at, level, text });
  const warn = (warning: string | Failure) =>
    void bus.emit(
      typeof warning === 'string' ? { event: 'log', ...at, level: 'warn', text: warning } : { event: 'warning', ...at, failure: warning },
    );
  return Object.assign(say('info'), { warn, debug: say('debug') });
}

/** An unchanged sight is told again after this long, so that a log shows that the run still lives. */
const repeatMs = 30_000;

export function taskWait(scope: Pick<StepScope, 'task' | 'clock' | 'bus' | 'stopping'>, signal: AbortSignal, step?: string): Wait {
  return async <T>(condition: Condition<T>): Promise<T> => {
    let told: { readonly seen: string; readonly atMs: number } | undefined;
    const either = eitherOf(signal, scope.stopping);
    try {
      return await waitFor(condition, scope.clock, either.signal, ({ waitingFor, seen, elapsedMs, deadlineMs }) => {
        if (told?.seen === seen && elapsedMs - told.atMs < repeatMs) return;
        told = { seen, atMs: elapsedMs };
        scope.bus.emit({
          event: 'waiting',
          task: scope.task,
          waitingFor,
          seen,
          waitedMs: Math.round(elapsedMs),
          deadlineMs,
          ...(step === undefined ? {} : { step }),
          ...(condition.see === undefined ? {} : { see: condition.see }),
        });
      });
    } catch (error) {
      if (scope.stopping.aborted && !signal.aborted && failureOf(error).code === 'run/aborted')
        throw new TkError(coreFailure('run/stopped', { at: condition.description }));
      throw error;
    } finally {
      either.stop();
    }
  };
}
