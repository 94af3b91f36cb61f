import { count, formatDuration } from '../base/index.ts';
import { renderFailures } from './failure-list.ts';
import { rowState, rowTookMs, type RunView, stepTitle, taskTitle, topRows } from './run-view.ts';
import type { Style } from './style.ts';
import { folded, padded, widthOf } from './width.ts';

export interface SummaryOptions {
  readonly style: Style;
  readonly wallMs: number;
  readonly simulated: boolean;
  /** Of a terminal: lists are broken between their members. Absent: a log, which has no edge. */
  readonly columns?: number;
}

/** Runs shorter than this need no list of what took longest. */
const longMs = 5000;

/**
 * The block at the end of a run: every failure in full, then how it ended, what took longest, what comes next. Ends with a line
 * break; empty when there is nothing to say.
 */
export function renderSummary(view: RunView, options: SummaryOptions): string {
  const { end } = view;
  if (!end) return '';
  const failures = renderFailures(end.failures, { style: options.style }).map((text) => `${text}\n`);
  const rows = new Map<string, string>();
  const headline = headlineOf(view, options);
  for (const [name, text] of outcomeRows(view)) rows.set(name, text);
  if (end.exitCode === 0 && end.counts.steps.changes > 0 && end.tookMs >= longMs) {
    const longest = longestRows(view);
    if (longest !== '') rows.set('What took longest', longest);
  }
  for (const [name, text] of view.rows) rows.set(name, text);
  if (view.journal !== undefined && end.exitCode !== 0 && end.exitCode !== 6) {
    rows.set('Log', view.journal);
    if (end.outcome === 'interrupted' || end.outcome === 'failed') rows.set('Continue', 'npx tk resume');
  }
  const names = Math.max(0, ...[...rows.keys()].map(widthOf));
  const block = [
    ...(headline === undefined ? [] : headingOf(headline, options.columns).map((line) => ` ${options.style.bold(line)}`)),
    ...[...rows].flatMap(([name, text]) => {
      const [first = '', ...more] = linesOf(text, names + 4, options.columns);
      return [` ${options.style.dim(padded(name, names))}   ${first}`, ...more.map((line) => `${' '.repeat(names + 4)}${line}`)];
    }),
  ];
  return [failures.join('\n'), ...(block.length === 0 ? [] : [`${block.join('\n')}\n`])].filter((part) => part !== '').join('\n');
}

const headingOf = (headline: string, columns: number | undefined): readonly string[] =>
  columns === undefined || columns < 30 ? [headline] : folded(headline, columns - 2, '');

/** Only lists: whatever may be copied, a command or a path, is left to the terminal, which breaks it without a trace. */
const linesOf = (text: string, indent: number, columns: number | undefined): readonly string[] =>
  columns === undefined || columns - indent < 30 || !text.includes(' · ') ? [text] : folded(text, columns - 1 - indent, '');

function headlineOf(view: RunView, options: SummaryOptions): string | undefined {
  const { end } = view;
  if (!end) return undefined;
  const changes = [...view.tasks.values()].some((task) => task.row.effect !== 'read');
  switch (end.outcome) {
    case 'succeeded':
      if (changes && end.counts.steps.changes === 0 && end.counts.steps.checked > 0) {
        const nothing = `Nothing to do: ${count(end.counts.steps.checked, 'step')} checked, 0 changes.`;
        return view.headline === undefined ? nothing : `${view.headline.replace(/\.?$/, '.')} ${nothing}`;
      }
      if (view.headline !== undefined) return view.headline;
      return changes ? `Done: ${count(end.counts.steps.changes, 'change')} in ${timeOf(end.tookMs, options)}.` : undefined;
    case 'differs':
      return view.headline;
    case 'interrupted':
      return 'Stopped.';
    case 'failed':
      return view.tasks.size === 0 ? undefined : `Failed after ${timeOf(end.tookMs, options)}.`;
    case 'needs-human':
      return 'A person has to look first.';
    case 'refused':
      return 'Refused.';
    case 'invalid':
    case 'locked':
      return 'Nothing was touched.';
  }
}

const timeOf = (tookMs: number, options: SummaryOptions): string =>
  options.simulated ? `${formatDuration(tookMs)} (simulated, in ${formatDuration(options.wallMs)})` : formatDuration(tookMs);

/** What was done and what was not, each with its reason; only for runs that did not end well. */
function* outcomeRows(view: RunView): Generator<readonly [string, string]> {
  if (!view.end || view.end.exitCode === 0 || view.end.exitCode === 6) return;
  const named = (...states: string[]) =>
    topRows(view)
      .filter((task) => states.includes(rowState(view, task)))
      .map(taskTitle);
  const done = named('done', 'skipped');
  if (done.length > 0) yield ['Done', someOf(done)];
  const half = [...view.steps.values()]
    .filter((step) => step.phase.state === 'ended' && step.phase.outcome.state === 'cancelled')
    .map(stepTitle);
  if (half.length > 0) yield ['Cut short', someOf(half)];
  const blocked = new Map<string, string[]>();
  for (const task of view.tasks.values()) {
    if (task.phase.state !== 'ended' || (task.phase.outcome.state !== 'blocked' && task.phase.outcome.state !== 'cancelled')) continue;
    const reason =
      task.phase.outcome.state === 'blocked'
        ? `needs ${view.tasks.get(task.phase.outcome.by)?.row.title ?? task.phase.outcome.by}`
        : task.phase.outcome.reason;
    blocked.set(reason, [...(blocked.get(reason) ?? []), task.row.title]);
  }
  if (blocked.size > 0) yield ['Not done', [...blocked].map(([reason, titles]) => `${someOf(titles)} (${reason})`).join('; ')];
}

const mostNamed = 6;
const someOf = (names: readonly string[]): string =>
  names.length <= mostNamed ? names.join(' · ') : `${names.slice(0, mostNamed - 1).join(' · ')} and ${names.length - mostNamed + 1} more`;

function longestRows(view: RunView): string {
  return topRows(view)
    .map((task) => ({ title: taskTitle(task), ms: rowTookMs(view, task) ?? 0 }))
    .filter(({ ms }) => ms >= 1000)
    .sort((a, b) => b.ms - a.ms)
    .slice(0, 3)
    .map(({ title, ms }) => `${title} ${formatDuration(ms)}`)
    .join(' · ');
}
