import type { Failure } from '../base/index.ts';
import type { Effect } from './task.ts';

/** How a task or step ended. `blocked` and `cancelled` are consequences, never errors of their own. */
export type TaskOutcome =
  | { readonly state: 'done'; readonly changes: number }
  | { readonly state: 'skipped'; readonly reason: string }
  | { readonly state: 'failed'; readonly failures: readonly Failure[] }
  | { readonly state: 'blocked'; readonly by: string }
  | { readonly state: 'cancelled'; readonly reason: string };

export type StepOutcome =
  | { readonly state: 'done' }
  | { readonly state: 'skipped'; readonly reason: string }
  | { readonly state: 'failed'; readonly failure: Failure }
  | { readonly state: 'cancelled'; readonly reason: string };

export type StepKind = 'pure' | 'idempotent' | 'probe-act' | 'once';

/** One row of the run, known before anything starts. */
export interface TaskRow {
  readonly task: string;
  readonly name: string;
  readonly title: string;
  readonly summary: string;
  readonly effect: Effect;
  readonly after: readonly string[];
  /** The row under which this one is shown: it came from a list of that one's needs. */
  readonly parent?: string;
}

export type RunOutcome = 'succeeded' | 'failed' | 'invalid' | 'refused' | 'locked' | 'needs-human' | 'differs' | 'interrupted';

export interface RunCounts {
  readonly tasks: {
    readonly done: number;
    readonly skipped: number;
    readonly failed: number;
    readonly blocked: number;
    readonly cancelled: number;
  };
  readonly steps: { readonly checked: number; readonly changes: number };
}

export type StopSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

/** Everything that a run says. Plain JSON, without secrets and control characters; `schema` changes when a reader would have to. */
export type EngineEvent = EventHead & EventBody;

export interface EventHead {
  readonly schema: 1;
  /** From 1, without gaps in one run. */
  readonly sequence: number;
  readonly run: string;
  /** Wall time of the run's clock, milliseconds since the epoch. */
  readonly atMs: number;
  /** Since the run began, on its monotonic clock. */
  readonly elapsedMs: number;
}

export type EventBody =
  | {
      readonly event: 'run-started';
      readonly goals: readonly string[];
      readonly version: string;
      /** The first line on the screen: program, version, what the run is about; from the composition root. */
      readonly about?: string;
      readonly rows: readonly TaskRow[];
      /** Where the journal is, as it may be shown; absent when the run only reads. */
      readonly journal?: string;
    }
  | { readonly event: 'task-started'; readonly task: string }
  | { readonly event: 'task-detail'; readonly task: string; readonly text: string }
  | { readonly event: 'task-finished'; readonly task: string; readonly outcome: TaskOutcome; readonly tookMs: number }
  | {
      readonly event: 'step-started';
      readonly task: string;
      readonly step: string;
      readonly parent?: string;
      readonly title: string;
      readonly kind: StepKind;
      readonly node?: string;
    }
  | { readonly event: 'step-detail'; readonly task: string; readonly step: string; readonly text: string }
  | {
      readonly event: 'step-retry';
      readonly task: string;
      readonly step: string;
      readonly attempt: number;
      readonly failure: Failure;
      readonly delayMs: number;
    }
  | {
      readonly event: 'step-finished';
      readonly task: string;
      readonly step: string;
      readonly outcome: StepOutcome;
      readonly tookMs: number;
    }
  | {
      readonly event: 'waiting';
      readonly task: string;
      readonly step?: string;
      readonly waitingFor: string;
      readonly seen: string;
      readonly waitedMs: number;
      readonly deadlineMs: number;
      readonly see?: string;
    }
  | {
      readonly event: 'log';
      readonly task?: string;
      readonly step?: string;
      readonly level: 'info' | 'warn' | 'debug';
      readonly text: string;
    }
  /** Something is not right and the task goes on; `log.warn(failure)`. */
  | { readonly event: 'warning'; readonly task?: string; readonly step?: string; readonly failure: Failure }
  | { readonly event: 'asked'; readonly task?: string; readonly name: string; readonly message: string }
  | { readonly event: 'report'; readonly task: string; readonly headline?: string; readonly rows: { readonly [name: string]: string } }
  | { readonly event: 'stopping'; readonly signal: StopSignal; readonly stage: 'safely' | 'now' }
  | {
      readonly event: 'run-finished';
      readonly outcome: RunOutcome;
      readonly exitCode: number;
      readonly counts: RunCounts;
      readonly failures: readonly Failure[];
      readonly tookMs: number;
      readonly journal?: string;
    };

export type EventSink = (event: EngineEvent) => void;
