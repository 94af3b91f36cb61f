import type { Clock, TerminalStream } from '../../../lib/base/index.ts';
import type { EngineEvent, EventBody, TaskRow } from '../../../lib/core/index.ts';
import { applyEvent, newRunView, type RunView } from '../../../lib/ui/run-view.ts';

/** A terminal that remembers what was written. */
export function memoryStream(
  options: { readonly isTty?: boolean; readonly columns?: number; readonly rows?: number } = {},
): TerminalStream & { readonly text: () => string } {
  let written = '';
  return {
    isTty: options.isTty ?? false,
    columns: options.columns ?? 80,
    rows: options.rows ?? 24,
    write: (text) => {
      written += text;
    },
    text: () => written,
  };
}

/** A clock that stands still. */
export const stillClock: Clock = {
  now: () => 0,
  monotonicMs: () => 0,
  sleep: () => new Promise(() => {}),
  whileBusy: (work) => work(),
};

export const row = (title: string, more: Partial<TaskRow> = {}): TaskRow => ({
  task: title,
  name: title.split(' ')[0] ?? title,
  title,
  summary: '',
  effect: 'mutate',
  after: [],
  ...more,
});

/** Events of one run, one second apart. */
export function eventsOf(bodies: readonly EventBody[]): EngineEvent[] {
  return bodies.map((body, index) => ({
    schema: 1,
    sequence: index + 1,
    run: '01J',
    atMs: index * 1000,
    elapsedMs: index * 1000,
    ...body,
  }));
}

export function viewOf(bodies: readonly EventBody[]): RunView {
  const view = newRunView();
  for (const event of eventsOf(bodies)) applyEvent(view, event);
  return view;
}

/** A run like those that people will see: lists, steps, waits. */
export const bootstrapRows: readonly TaskRow[] = [
  row('configure'),
  row('talos:apply-node node=cp-1', { parent: 'talos:apply' }),
  row('talos:apply-node node=worker-1', { parent: 'talos:apply' }),
  row('talos:apply'),
  row('bootstrap:apps'),
  row('bootstrap:verify', { effect: 'read' }),
  row('bootstrap'),
];

export const started = (rows: readonly TaskRow[] = bootstrapRows, goals: readonly string[] = ['bootstrap']): EventBody => ({
  event: 'run-started',
  goals,
  version: '0.1.0',
  about: 'tk 0.1.0 · home-ops · 2 nodes',
  rows,
  journal: '.tk/runs/01J/journal.jsonl',
});

export const taskStarted = (task: string): EventBody => ({ event: 'task-started', task });
export const taskDone = (task: string, changes = 1): EventBody => ({
  event: 'task-finished',
  task,
  outcome: { state: 'done', changes },
  tookMs: 1500,
});
export const stepStarted = (
  task: string,
  step: string,
  title: string,
  more: { readonly node?: string; readonly parent?: string } = {},
): EventBody => ({
  event: 'step-started',
  task,
  step,
  title,
  kind: 'idempotent',
  ...more,
});
export const stepDone = (task: string, step: string): EventBody => ({
  event: 'step-finished',
  task,
  step,
  outcome: { state: 'done' },
  tookMs: 38_000,
});
