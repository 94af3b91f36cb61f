import type { Failure } from '../base/index.ts';
import type { EngineEvent, RunCounts, RunOutcome, StepOutcome, TaskOutcome, TaskRow } from '../core/index.ts';
import { seenWords } from './seen-words.ts';

/** What a renderer knows of a run: the events so far, folded. */
export interface RunView {
  goals: readonly string[];
  version: string;
  about: string | undefined;
  journal: string | undefined;
  /** In the order of work. */
  readonly tasks: Map<string, TaskView>;
  readonly steps: Map<string, StepView>;
  stopping: 'safely' | 'now' | undefined;
  elapsedMs: number;
  headline: string | undefined;
  readonly rows: Map<string, string>;
  end:
    | {
        readonly outcome: RunOutcome;
        readonly exitCode: number;
        readonly counts: RunCounts;
        readonly failures: readonly Failure[];
        readonly tookMs: number;
      }
    | undefined;
}

export interface TaskView {
  readonly row: TaskRow;
  readonly children: string[];
  /** Outermost steps in the order of their start. */
  readonly steps: string[];
  phase:
    | { readonly state: 'pending' }
    | { readonly state: 'running'; readonly sinceMs: number }
    | { readonly state: 'ended'; readonly outcome: TaskOutcome; readonly tookMs: number };
  /** On the run's clock, from its begin; of the task itself. */
  startedMs: number | undefined;
  endedMs: number | undefined;
  detail: string | undefined;
  waiting: WaitView | undefined;
}

export interface StepView {
  readonly id: string;
  readonly title: string;
  readonly node: string | undefined;
  readonly steps: string[];
  /** Why it is tried again, while it is. */
  retry: string | undefined;
  phase:
    | { readonly state: 'running'; readonly sinceMs: number }
    | { readonly state: 'ended'; readonly outcome: StepOutcome; readonly tookMs: number };
  detail: string | undefined;
  waiting: WaitView | undefined;
}

export interface WaitView {
  readonly waitingFor: string;
  readonly seen: string;
  readonly sinceMs: number;
  readonly deadlineMs: number;
  readonly see: string | undefined;
}

export function newRunView(): RunView {
  return {
    goals: [],
    version: '',
    about: undefined,
    journal: undefined,
    tasks: new Map(),
    steps: new Map(),
    stopping: undefined,
    elapsedMs: 0,
    headline: undefined,
    rows: new Map(),
    end: undefined,
  };
}

/** Changes the view by one event. Unknown tasks and steps are ignored: a renderer must survive a gap. */
export function applyEvent(view: RunView, event: EngineEvent): void {
  view.elapsedMs = event.elapsedMs;
  switch (event.event) {
    case 'run-started':
      view.goals = event.goals;
      view.version = event.version;
      view.about = event.about;
      view.journal = event.journal;
      for (const row of event.rows)
        view.tasks.set(row.task, {
          row,
          children: [],
          steps: [],
          phase: { state: 'pending' },
          startedMs: undefined,
          endedMs: undefined,
          detail: undefined,
          waiting: undefined,
        });
      for (const row of event.rows) if (row.parent !== undefined) view.tasks.get(row.parent)?.children.push(row.task);
      return;
    case 'task-started': {
      const task = view.tasks.get(event.task);
      if (!task) return;
      task.phase = { state: 'running', sinceMs: event.elapsedMs };
      task.startedMs = event.elapsedMs;
      return;
    }
    case 'task-detail': {
      const task = view.tasks.get(event.task);
      if (task) task.detail = event.text;
      return;
    }
    case 'task-finished': {
      const task = view.tasks.get(event.task);
      if (!task) return;
      task.phase = { state: 'ended', outcome: event.outcome, tookMs: event.tookMs };
      task.endedMs = event.elapsedMs;
      task.waiting = undefined;
      return;
    }
    case 'step-started': {
      view.steps.set(event.step, {
        id: event.step,
        title: event.title,
        node: event.node,
        steps: [],
        retry: undefined,
        phase: { state: 'running', sinceMs: event.elapsedMs },
        detail: undefined,
        waiting: undefined,
      });
      const owner = event.parent === undefined ? view.tasks.get(event.task) : view.steps.get(event.parent);
      owner?.steps.push(event.step);
      if (owner) owner.waiting = undefined;
      return;
    }
    case 'step-detail': {
      const step = view.steps.get(event.step);
      if (step) step.detail = event.text;
      return;
    }
    case 'step-retry': {
      const step = view.steps.get(event.step);
      if (step) step.retry = `try ${event.attempt + 1} after ${event.failure.code}`;
      return;
    }
    case 'step-finished': {
      const step = view.steps.get(event.step);
      if (!step) return;
      step.phase = { state: 'ended', outcome: event.outcome, tookMs: event.tookMs };
      step.waiting = undefined;
      return;
    }
    case 'waiting': {
      const owner = event.step === undefined ? view.tasks.get(event.task) : view.steps.get(event.step);
      if (!owner) return;
      owner.waiting = {
        waitingFor: event.waitingFor,
        seen: seenWords(event.seen),
        sinceMs: event.elapsedMs - event.waitedMs,
        deadlineMs: event.deadlineMs,
        see: event.see,
      };
      return;
    }
    case 'report':
      if (event.headline !== undefined) view.headline = event.headline;
      for (const [name, text] of Object.entries(event.rows)) view.rows.set(name, text);
      return;
    case 'stopping':
      view.stopping = event.stage;
      return;
    case 'run-finished':
      view.end = { outcome: event.outcome, exitCode: event.exitCode, counts: event.counts, failures: event.failures, tookMs: event.tookMs };
      view.journal = event.journal ?? view.journal;
      return;
    case 'log':
    case 'warning':
    case 'asked':
      return;
  }
}

/** "reboot cp-2"; the node is named once. */
export const stepTitle = (step: Pick<StepView, 'title' | 'node'>): string =>
  step.node === undefined || step.title.includes(step.node) ? step.title : `${step.title} ${step.node}`;

/** The name under which a task is shown: members of a list are told apart by their params alone. */
export function taskTitle(task: TaskView): string {
  const { name, title, parent } = task.row;
  if (parent === undefined) return title;
  const words = title.slice(name.length + 1);
  if (words === '') return name;
  return words.includes(' ') || !words.includes('=') ? words : words.slice(words.indexOf('=') + 1);
}

export type RowState = 'pending' | 'running' | 'done' | 'skipped' | 'failed' | 'dropped';

/** A task with everything that its lists brought, as one row. */
export function rowState(view: RunView, task: TaskView): RowState {
  const own: RowState = task.phase.state === 'ended' ? endState(task.phase.outcome) : task.phase.state;
  if (own === 'failed' || own === 'running') return own;
  const children = task.children.map((id) => view.tasks.get(id)).filter((child) => child !== undefined);
  const states = new Set(children.map((child) => rowState(view, child)));
  if (states.has('failed')) return 'failed';
  if (own === 'pending' && (states.has('running') || states.has('done') || states.has('skipped'))) return 'running';
  return own;
}

function endState(outcome: TaskOutcome): RowState {
  switch (outcome.state) {
    case 'done':
    case 'skipped':
    case 'failed':
      return outcome.state;
    case 'blocked':
    case 'cancelled':
      return 'dropped';
  }
}

/** From the first start to the last end in this row; undefined before the start. */
export function rowTookMs(view: RunView, task: TaskView): number | undefined {
  const all = [task, ...task.children.map((id) => view.tasks.get(id)).filter((child) => child !== undefined)];
  const starts = all.map((one) => one.startedMs).filter((ms) => ms !== undefined);
  if (starts.length === 0) return undefined;
  const ends = all.map((one) => (one.startedMs === undefined ? 0 : (one.endedMs ?? view.elapsedMs)));
  return Math.max(...ends) - Math.min(...starts);
}

/** Rows of the first level. The one goal that only gathers others is left out: it says nothing of its own. */
export function topRows(view: RunView): readonly TaskView[] {
  const tops = [...view.tasks.values()].filter((task) => task.row.parent === undefined);
  if (tops.length < 2 || view.goals.length !== 1) return tops;
  return tops.filter(
    (task) => task.row.title !== view.goals[0] || task.steps.length > 0 || task.children.length > 0 || rowState(view, task) === 'failed',
  );
}
