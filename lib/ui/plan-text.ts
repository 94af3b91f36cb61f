import { count } from '../base/index.ts';
import type { Plan, PlannedStep } from '../core/index.ts';
import { renderFailures } from './failure-list.ts';
import { hintsIn } from './sandbox-hints.ts';
import type { Style } from './style.ts';
import { padded, truncated, widthOf } from './width.ts';

export interface PlanTextOptions {
  readonly style: Style;
  readonly columns: number;
  /** What would run it. */
  readonly command: string;
  /** The machines are simulated: commands that are recommended have to stay there. */
  readonly isSandbox?: boolean;
}

/** A plan as text, ending with a line break. */
export function renderPlan(plan: Plan, options: PlanTextOptions): string {
  const { style } = options;
  const { run, skip, unknown, calls } = plan.counts;
  const names = Math.min(60, Math.max(0, ...plan.tasks.flatMap((task) => task.steps.map((step) => widthOf(nameOf(step)) + 2))));
  const lines = [
    ` ${style.bold(plan.goals.join(', '))}: ${count(run, 'step')} would run, ${skip} would be skipped${unknown === 0 ? '' : `, ${unknown} cannot be known yet`}`,
  ];
  let number = 0;
  // A run would end with the same failures, before its first change.
  const isRefused = run === 0 && plan.tasks.some(({ failure }) => failure !== undefined);
  for (const task of plan.tasks) {
    const gathersOnly = task.steps.length === 0 && !task.failure;
    if (gathersOnly) continue;
    lines.push(` ${style.bold(task.title)}`);
    if (task.headline !== undefined) lines.push(`     ${task.headline}`);
    for (const step of task.steps) {
      if (step.decision === 'run') number += 1;
      const mark = step.decision === 'run' ? String(number).padStart(3) : step.decision === 'skip' ? '  –' : '  ?';
      const note = noteOf(step);
      const name = padded(nameOf(step), names);
      const text = `${mark}  ${note === '' ? nameOf(step) : `${name} ${note}`}`;
      const shown = truncated(text, Math.max(20, options.columns - 3));
      lines.push(` ${step.decision === 'run' ? shown : style.dim(shown)}`);
    }
    const failures = task.failure ? [task.failure, ...(task.furtherFailures ?? [])] : [];
    for (const words of renderFailures(failures, { style, severity: 'warning' }))
      lines.push(...words.split('\n').map((line) => `      ${line}`));
  }
  const sum =
    calls === 0
      ? run > 0
        ? 'No mutating call is declared.'
        : unknown > 0
          ? isRefused
            ? 'Nothing would be begun.'
            : 'What would change is not known yet.'
          : 'Nothing would change.'
      : `${count(calls, 'mutating call')}.`;
  lines.push(` ${sum}${(run === 0 && unknown === 0) || isRefused ? '' : ` Run it: ${options.command}`}`);
  const text = `${lines.join('\n')}\n`;
  return hintsIn(options)(text);
}

const nameOf = (step: PlannedStep): string =>
  step.node === undefined || step.title.includes(step.node) ? step.title : `${step.node}  ${step.title}`;

function noteOf(step: PlannedStep): string {
  switch (step.decision) {
    case 'run': {
      // Many would drown the reason; `--json` has every one of them.
      const named = step.calls ?? [];
      const calls = named.length > 2 ? count(named.length, 'call') : named.map((call) => call.call).join(', ');
      return [step.reason, calls === '' ? undefined : calls].filter((part) => part !== undefined).join(' · ');
    }
    case 'skip':
    case 'unknown':
      return step.reason;
  }
}
