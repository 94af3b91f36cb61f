import type { SimulatedRun } from '../../lib/testing.ts';

/** `cp-1 drain: 2 pods moved`, one line for each step, in the order in which steps ended. */
export function stepsOf(run: SimulatedRun): readonly string[] {
  const steps = new Map<string, { readonly title: string; readonly node: string; detail: string }>();
  const lines: string[] = [];
  for (const event of run.events) {
    if (event.event === 'step-started') steps.set(event.step, { title: event.title, node: event.node ?? '', detail: '' });
    const step = 'step' in event && typeof event.step === 'string' ? steps.get(event.step) : undefined;
    if (event.event === 'step-detail' && step) step.detail = event.text;
    if (event.event !== 'step-finished' || !step) continue;
    const { outcome } = event;
    const end = outcome.state === 'done' ? step.detail : outcome.state === 'skipped' ? `– ${outcome.reason}` : outcome.state;
    lines.push([[step.node === step.title ? '' : step.node, step.title].filter(Boolean).join(' '), end].filter(Boolean).join(': '));
  }
  return lines;
}

/** The block at the end of a run. */
export function reportOf(run: SimulatedRun): Readonly<Record<string, string>> {
  return Object.assign({}, ...run.events.map((event) => (event.event === 'report' ? event.rows : {}))) as Record<string, string>;
}
