import type { Condition, Failure, Secret } from '../base/index.ts';
import type { Evidence } from './evidence.ts';
import type { Prompter } from './prompter.ts';

/** Retries one step. A failure that `when` does not accept ends it at once. */
export interface RetryPolicy {
  /** All tries together, the first one included. */
  readonly attempts: number;
  readonly delayMs: number;
  /** Each further delay is this many times longer. Absent: 1. */
  readonly factor?: number;
  readonly maxDelayMs?: number;
  when(failure: Failure): boolean;
}

export interface StepOptions {
  /** The machine that the step is about. */
  readonly node?: string;
  /** The step's signal fires then, and the step fails with `step/deadline`. Absent: the task's own deadline holds. */
  readonly deadlineMs?: number;
  readonly retry?: RetryPolicy;
}

/** What an earlier run, or this one, set out to do and did not report as done. */
export interface OpenIntent {
  readonly runId: string;
  /** Wall time, milliseconds. */
  readonly at: number;
  readonly target?: string;
}

/** What the journals of this repository know of a `once` step. */
export interface Recollection {
  readonly open?: OpenIntent;
  /**
   * The last time it was reported as done. `seen` as the report said; `isOver`: that run, or a later one for the same goals, has ended
   * well, so whoever asks again means a second time. A later intent for the same key does not take it away.
   */
  readonly last?: OpenIntent & { readonly seen?: string; readonly isOver?: boolean };
}

export interface ProbeActStep<T> extends StepOptions {
  /** How long a probe that cannot tell is asked again before that is the answer. Absent: one minute. */
  readonly patienceMs?: number;
  probe(step: StepHandle): Evidence<T> | Promise<Evidence<T>>;
  act(step: StepHandle): T | Promise<T>;
}

/**
 * An act that must never happen twice. The intent is on disk before `act` is called; `probe` alone decides whether it happened.
 * `key` identifies the act over runs; absent: task name, title and node.
 */
export interface OnceStep<T> extends StepOptions {
  readonly key?: string;
  /** On whom it happens. A target that an open intent has recorded wins over this one, and is what `act` receives. */
  readonly target?: string;
  /** As in `ProbeActStep`. */
  readonly patienceMs?: number;
  probe(step: StepHandle, intent: OpenIntent | undefined): Evidence<T> | Promise<Evidence<T>>;
  act(step: StepHandle, target: string | undefined): T | Promise<T>;
  /** Whether this failure of `act` came before anything was sent: then the intent is withdrawn, and nobody probes. */
  changedNothing?(error: unknown): boolean;
}

/** What a step that looks before it acts found or did. */
export type ProbedResult<T> =
  | { readonly state: 'already-done'; readonly seen: string; readonly value: T }
  | { readonly state: 'acted'; readonly value: T };

/** Passed to the body of a step. */
export interface StepHandle {
  /** Short facts beside the title: "20 objects". The last call wins. */
  detail(text: string): void;
  /** The step found nothing to change. It ends as skipped with this reason, and its value still counts. */
  skip(reason: string): void;
  readonly log: Log;
  /** Fires at the step's deadline and on the second signal. */
  readonly signal: AbortSignal;
  readonly wait: Wait;
  /** Steps inside this step. They may still start while the run is stopping, because what runs is let end. */
  readonly step: StepFunction;
}

export interface StepFunction {
  /** An idempotent step: running it again does no harm. */
  <T>(title: string, act: (step: StepHandle) => T | Promise<T>, options?: StepOptions): Promise<T>;
  /** Reads and computes, changes nothing; never counted as a change. */
  pure<T>(title: string, act: (step: StepHandle) => T | Promise<T>, options?: StepOptions): Promise<T>;
  /** Probes first, acts only when not done. Failure: `step/undecidable` when the probe cannot tell. */
  probeAct<T>(title: string, step: ProbeActStep<T>): Promise<ProbedResult<T>>;
  /** Failure: `step/undecidable`, exit 5, when reality cannot tell whether it happened. */
  once<T>(title: string, step: OnceStep<T>): Promise<ProbedResult<T>>;
}

/** Waits on the run's clock and reports what it sees. The first Ctrl-C ends it: waiting changes nothing. */
export interface Wait {
  <T>(condition: Condition<T>): Promise<T>;
}

export interface Log {
  (text: string): void;
  /** A failure that does not end the task is printed in its own words. */
  warn(warning: string | Failure): void;
  debug(text: string): void;
}

/** What a task is given, whatever it is about. The public entry adds its services. */
export interface TaskContext<P = object, N = object> {
  readonly params: P;
  readonly needs: N;
  readonly runId: string;
  readonly step: StepFunction;
  readonly wait: Wait;
  readonly prompt: Prompter;
  readonly log: Log;
  /** Fires at the task's deadline and on the second Ctrl-C. */
  readonly signal: AbortSignal;
  /** Fires on the first Ctrl-C: begin nothing new. Steps and waits listen to it themselves. */
  readonly stopping: AbortSignal;
  /** Short facts beside the task's name: "6 machine configs". The last call wins. */
  detail(text: string): void;
  /** The task as a whole found nothing to do. */
  skip(reason: string): void;
  /**
   * Runs `act` for each item, at most `parallel` at a time (absent: 8). After a failure it starts nothing new, lets what runs end
   * and throws everything that failed. Results are in the order of the items.
   */
  each<T, R>(
    items: readonly T[],
    act: (item: T, index: number) => R | Promise<R>,
    options?: { readonly parallel?: number },
  ): Promise<readonly R[]>;
  /**
   * What is known of a `once` step with this key, before it is begun: whether an earlier run set out to do it, or did it. A hint for
   * what has to be prepared; whether it happened is for the step's own probe to say.
   */
  recall(key: string): Promise<Recollection>;
  /** Keeps a decision of the user's in the journal, on the disk when it resolves: "gate etcd-quorum was overridden", and why. */
  keep(decision: { readonly subject: string; readonly reason: string; readonly node?: string }): Promise<void>;
  /** Runs when the task ends, however it ends; the latest registered first. Its steps may start while the run is stopping. */
  afterwards(title: string, act: (step: StepHandle) => unknown): void;
  /** Lines of the block at the end of the run. */
  report(report: { readonly headline?: string; readonly rows?: Readonly<Record<string, string>> }): void;
  /** The result that somebody may pipe: to standard output, unredacted, never to the journal. */
  print(text: string | Secret<string>): void;
  /** Something compared is not equal: the run ends with exit 6 when nothing failed. */
  differs(): void;
}

/** What the read-only hooks of a task are given. */
export interface ProbeContext<P = object> {
  readonly params: P;
  /** `dry-run` may also ask machines what they would do. */
  readonly mode: 'plan' | 'dry-run' | 'run';
  readonly signal: AbortSignal;
  readonly wait: Wait;
  /** As in `TaskContext`. */
  recall(key: string): Promise<Recollection>;
}

export interface PlanContext<P = object> {
  readonly params: P;
}
