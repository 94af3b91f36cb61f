import { afterOn, type Clock, type Failure, failureOf, Secret, TkError } from '../base/index.ts';
import type { TaskContext } from './context.ts';
import { eachOf } from './each.ts';
import type { EventBus } from './event-bus.ts';
import type { TaskOutcome } from './events.ts';
import type { GraphNode } from './graph.ts';
import { guarded, isInterruption, placed } from './guard.ts';
import type { IntentLog } from './intents.ts';
import type { JournalRecord } from './journal.ts';
import type { Prompter } from './prompter.ts';
import { type StepCounts, type StepScope, taskLog, TaskSteps, taskWait } from './steps.ts';
import type { Effect } from './task.ts';

/** Given to the composition root when it makes the services of one task. */
export interface RunningTask {
  readonly id: string;
  readonly name: string;
  readonly params: object;
  readonly effect: Effect;
  readonly signal: AbortSignal;
  readonly log: TaskContext['log'];
}

export interface TaskRunOptions {
  readonly run: string;
  readonly clock: Clock;
  readonly bus: EventBus;
  readonly intents: IntentLog;
  readonly record: (record: JournalRecord) => void;
  readonly prompter: Prompter;
  readonly stdout: (text: string) => void;
  /** The first and the second signal. */
  readonly stopping: AbortSignal;
  readonly aborting: AbortSignal;
  nextStepId(): string;
  servicesFor(task: RunningTask): object;
}

export interface TaskRunEnd {
  readonly outcome: TaskOutcome;
  readonly value: unknown;
  readonly counts: StepCounts;
  readonly touched: boolean;
  readonly differs: boolean;
}

/** Each piece of work registered with `afterwards` has this long. */
const afterwardsMs = 300_000;
/** All of it together has this long once the second signal has come: the run is over within two seconds. */
const hurriedMs = 1500;

/** Runs one task to its end: body, steps that it left running, work registered for afterwards. Never rejects. */
export async function runTask(node: GraphNode, needs: unknown, options: TaskRunOptions): Promise<TaskRunEnd> {
  const { clock, bus } = options;
  const { definition } = node.task;
  const failures: Failure[] = [];
  const cleanups: { readonly title: string; readonly act: Parameters<TaskContext['afterwards']>[1] }[] = [];
  const counts: StepCounts = { checked: 0, changes: 0 };
  let touched = false;
  let skipReason: string | undefined;
  let differs = false;
  let value: unknown;

  const gather = async (steps: TaskSteps, body: () => Promise<void>) => {
    try {
      await body();
    } catch (error) {
      failures.push(...placed(error, { kind: 'step', task: node.title }).failures);
    }
    // A failure that the body has passed on already is the same object with the same place; it is told once.
    for (const failure of await steps.settle()) if (!failures.some((known) => sameFailure(known, failure))) failures.push(failure);
    steps.close();
    counts.checked += steps.counts.checked;
    counts.changes += definition.effect === 'read' ? 0 : steps.counts.changes;
    touched ||= steps.touched && definition.effect !== 'read';
  };
  const scopeWith = (signal: AbortSignal, stopping: AbortSignal): StepScope => ({
    task: node.id,
    taskName: node.title,
    clock,
    bus,
    intents: options.intents,
    record: options.record,
    signal,
    stopping,
    nextStepId: options.nextStepId,
  });

  await guarded(
    { clock, signal: options.aborting, ...(definition.deadlineMs === undefined ? {} : { deadlineMs: definition.deadlineMs }) },
    async (signal) => {
      const scope = scopeWith(signal, options.stopping);
      const steps = new TaskSteps(scope);
      const log = taskLog(bus, node.id);
      const context: TaskContext = {
        params: node.params,
        needs: needs as object,
        runId: options.run,
        step: steps.functionFor(undefined),
        wait: taskWait(scope, signal),
        prompt: options.prompter,
        log,
        signal,
        stopping: options.stopping,
        detail: (text) => void bus.emit({ event: 'task-detail', task: node.id, text }),
        skip: (reason) => {
          skipReason = reason;
        },
        each: (items, act, limits = {}) => eachOf(items, act, { parallel: limits.parallel ?? 8, stopping: options.stopping }),
        recall: (key) => options.intents.recall(key),
        keep: (decision) => options.intents.keep(node.id, decision),
        afterwards: (title, act) => void cleanups.push({ title, act }),
        report: ({ headline, rows = {} }) =>
          void bus.emit({ event: 'report', task: node.id, rows, ...(headline === undefined ? {} : { headline }) }),
        print: (text) => options.stdout(text instanceof Secret ? text.reveal() : text),
        differs: () => {
          differs = true;
        },
      };
      await gather(steps, async () => {
        const services = options.servicesFor({ id: node.id, name: node.name, params: node.params, effect: definition.effect, signal, log });
        // Getters stay getters: a service that must not exist in some mode says so when it is touched.
        const whole = Object.defineProperties(context, Object.getOwnPropertyDescriptors(services));
        value = await (definition.run as (context: object) => unknown).call(definition, whole);
      });
    },
  ).catch((error: unknown) => {
    failures.push(...placed(error, { kind: 'step', task: node.title }).failures);
  });

  if (cleanups.length > 0) {
    const never = new AbortController().signal;
    const hurry = hurryAfter(clock, options.aborting);
    for (const { title, act } of cleanups.toReversed()) {
      const steps = new TaskSteps(scopeWith(hurry.over, never));
      await gather(steps, () =>
        steps
          .functionFor(undefined)(title, act, { deadlineMs: afterwardsMs })
          .then(() => {}),
      );
    }
    hurry.takeBack();
  }
  return { outcome: outcomeOf(failures, skipReason, counts), value, counts, touched, differs };
}

/** `over` fires a moment after the second signal, whenever that comes. */
function hurryAfter(clock: Clock, aborting: AbortSignal): { readonly over: AbortSignal; takeBack(): void } {
  const over = new AbortController();
  let takeTimerBack = () => {};
  const start = () => {
    takeTimerBack = afterOn(clock, hurriedMs, () => over.abort());
  };
  if (aborting.aborted) start();
  else aborting.addEventListener('abort', start, { once: true });
  return {
    over: over.signal,
    takeBack() {
      aborting.removeEventListener('abort', start);
      takeTimerBack();
    },
  };
}

function outcomeOf(failures: readonly Failure[], skipReason: string | undefined, counts: StepCounts): TaskOutcome {
  const real = failures.filter((failure) => !isInterruption(failure));
  if (real.length > 0) return { state: 'failed', failures: real };
  const [interruption] = failures;
  if (interruption)
    return {
      state: 'cancelled',
      reason: interruption.code === 'prompt/cancelled' ? 'the question was not answered' : 'the run was stopped',
    };
  // Whatever a body says: a task that changed something was not skipped.
  if (skipReason !== undefined && counts.changes === 0) return { state: 'skipped', reason: skipReason };
  return { state: 'done', changes: counts.changes };
}

const sameFailure = (a: Failure, b: Failure): boolean => a === b || (a.code === b.code && JSON.stringify(a) === JSON.stringify(b));

export const failuresOfError = (error: unknown): readonly Failure[] => (error instanceof TkError ? error.failures : [failureOf(error)]);
