import { expect, test } from 'vitest';
import type { SimulatedRun } from 'talos-tk/testing';
import { simulate } from 'talos-tk/testing';

/** `cp-1 drain: 2 pods moved`, in the order in which steps ended. */
function stepsOf(run: SimulatedRun): readonly string[] {
  const steps = new Map<string, { title: string; node: string; detail: string }>();
  const lines: string[] = [];
  for (const event of run.events) {
    if (event.event === 'step-started') steps.set(event.step, { title: event.title, node: event.node ?? '', detail: '' });
    if (event.event === 'step-detail') (steps.get(event.step) as { detail: string }).detail = event.text;
    if (event.event === 'step-finished') {
      const { title, node, detail } = steps.get(event.step) as { title: string; node: string; detail: string };
      const outcome = event.outcome.state === 'done' ? detail : event.outcome.state === 'skipped' ? `– ${event.outcome.reason}` : event.outcome.state;
      lines.push([node === title ? '' : node, title].filter(Boolean).join(' ') + (outcome === '' ? '' : `: ${outcome}`));
    }
  }
  return lines;
}

for (const talos of ['v1.12.6', 'v1.13.5', 'v1.14.0']) {
  test(`all nodes of ${talos}`, { timeout: 60_000 }, async () => {
    await using rig = await simulate({ controlPlanes: 3, workers: 2, talos });
    const to = { 'v1.12.6': 'v1.12.11', 'v1.13.5': 'v1.13.9', 'v1.14.0': 'v1.14.1' }[talos];
    const run = await rig.tk('talos:upgrade', { to });
    console.log(run.text, run.outcome, run.counts, stepsOf(run).join('\n'), run.events.filter(e=>e.event==='report').map(e=>JSON.stringify(e)).join());
    const again = await rig.tk('talos:upgrade', { to });
    console.log(again.text, again.outcome, again.counts, stepsOf(again).join('\n'));
    expect(run.exitCode).toBe(0);
  });
}
