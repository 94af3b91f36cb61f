import { formatDuration } from '../base/index.ts';
import type { EngineEvent, StepOutcome, TaskOutcome } from '../core/index.ts';
import { codesOf, renderFailure } from './failure-text.ts';
import { type RunView, stepTitle } from './run-view.ts';
import { seenWords } from './seen-words.ts';

/** What an event is in a log: lines without colours. `task` is absent for lines of the run itself. */
export interface PlainLines {
  readonly task?: string;
  readonly lines: readonly string[];
}

/** The view must have taken the event in already. */
export function plainLinesOf(view: RunView, event: EngineEvent): PlainLines {
  const titleOf = (task: string) => view.tasks.get(task)?.row.title ?? task;
  const path = (task: string, step: string | undefined) => {
    const found = step === undefined ? undefined : view.steps.get(step);
    return found ? `${titleOf(task)} › ${stepTitle(found)}` : titleOf(task);
  };
  switch (event.event) {
    case 'run-started':
      return { lines: [event.about ?? `tk ${event.version}`] };
    case 'task-started':
      return { task: event.task, lines: [`❯ ${titleOf(event.task)}`] };
    case 'task-finished': {
      const detail = view.tasks.get(event.task)?.detail;
      return { task: event.task, lines: [`${ended(event.outcome, titleOf(event.task), detail, event.tookMs, (task) => titleOf(task))}`] };
    }
    case 'step-finished': {
      const step = view.steps.get(event.step);
      return { task: event.task, lines: [`  ${ended(event.outcome, path(event.task, event.step), step?.detail, event.tookMs, titleOf)}`] };
    }
    case 'step-retry':
      return {
        task: event.task,
        lines: [
          `  ${path(event.task, event.step)}: try ${event.attempt} failed with ${event.failure.code}, again in ${formatDuration(event.delayMs)}`,
        ],
      };
    case 'waiting': {
      const leftMs = Math.max(0, event.deadlineMs - event.waitedMs);
      const see = event.see === undefined ? '' : `; see more: ${event.see}`;
      return {
        task: event.task,
        lines: [
          `  ${path(event.task, event.step)}: waiting for ${event.waitingFor}: ${seenWords(event.seen)} (${formatDuration(event.waitedMs)}, deadline in ${formatDuration(leftMs)}${see})`,
        ],
      };
    }
    case 'log': {
      if (event.level === 'debug') return { lines: [] };
      const at = event.task === undefined ? '' : `${path(event.task, event.step)}: `;
      return {
        ...(event.task === undefined ? {} : { task: event.task }),
        lines: [`  ${at}${event.level === 'warn' ? 'warning: ' : ''}${event.text}`],
      };
    }
    case 'warning':
      return {
        ...(event.task === undefined ? {} : { task: event.task }),
        lines: renderFailure(event.failure, { severity: 'warning' }).split('\n'),
      };
    case 'asked':
      return { lines: [`? ${event.message}`] };
    case 'stopping':
      return {
        lines: [
          event.stage === 'safely'
            ? `${event.signal}: stopping; what runs is let end, a second signal aborts`
            : `${event.signal}: aborting`,
        ],
      };
    case 'task-detail':
    case 'step-detail':
    case 'step-started':
    case 'report':
    case 'run-finished':
      return { lines: [] };
  }
}

function ended(
  outcome: TaskOutcome | StepOutcome,
  title: string,
  detail: string | undefined,
  tookMs: number,
  titleOf: (task: string) => string,
): string {
  // Work that took no time at all on a simulated clock.
  const took = tookMs === 0 ? '' : ` (${formatDuration(tookMs)})`;
  switch (outcome.state) {
    case 'done':
      return `✔ ${title}${detail === undefined ? '' : `: ${detail}`}${took}`;
    case 'skipped':
      return `– ${title}: ${outcome.reason}`;
    case 'failed': {
      const codes = codesOf('failure' in outcome ? [outcome.failure] : outcome.failures);
      return `✖ ${title}: ${codes}${took}`;
    }
    case 'blocked':
      return `◌ ${title}: needs ${titleOf(outcome.by)}`;
    case 'cancelled':
      return `◌ ${title}: ${outcome.reason}`;
  }
}
