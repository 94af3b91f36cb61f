import { expect, test } from 'vitest';
import { createRenderer } from '../../../lib/ui/index.ts';
import { hintsForSandbox } from '../../../lib/ui/sandbox-hints.ts';
import { eventsOf, memoryStream, started, stepStarted, stillClock, taskStarted } from './rig.ts';

test('a command that is recommended in a sandbox stays there, whatever stands behind it', () => {
  const hints = [
    'npx tk talos:dmesg NODE=cp-1; no other machine was touched after it',
    'npx tk upgrade:plan --to-kubernetes v1.37.0 names the steps',
    'npx tk talos:etcd-defrag && npx tk talos:etcd-disarm',
    'npx tk talos:health --sim',
    'npx tk resume 01J',
    '(npx tk sim:up lets talosctl and kubectl in)',
    'npx tk sops encrypt FILE',
    'kubectl get nodes; or --drain skip',
  ];
  expect(hints.map(hintsForSandbox)).toEqual([
    'npx tk talos:dmesg --sim NODE=cp-1; no other machine was touched after it',
    'npx tk upgrade:plan --sim --to-kubernetes v1.37.0 names the steps',
    'npx tk talos:etcd-defrag --sim && npx tk talos:etcd-disarm --sim',
    'npx tk talos:health --sim',
    'npx tk resume 01J',
    '(npx tk sim:up lets talosctl and kubectl in)',
    'npx tk sops encrypt FILE',
    'kubectl get nodes; or --drain skip',
  ]);
});

test.each(['plain', 'github', 'auto'] as const)('%s shows it so, and only in a sandbox', async (kind) => {
  const shown = async (isSandbox: boolean) => {
    const stream = memoryStream();
    const renderer = await createRenderer(kind, { stream, clock: stillClock, colors: false, simulated: true, isSandbox });
    const events = [
      started(),
      taskStarted('bootstrap:apps'),
      stepStarted('bootstrap:apps', 's1', 'return', { node: 'cp-1' }),
      {
        event: 'waiting',
        task: 'bootstrap:apps',
        step: 's1',
        waitingFor: 'cp-1 to come back',
        seen: 'no answer',
        waitedMs: 1,
        deadlineMs: 60_000,
        see: 'npx tk talos:dmesg NODE=cp-1',
      },
      { event: 'task-finished', task: 'bootstrap:apps', outcome: { state: 'cancelled', reason: 'stopped' }, tookMs: 1 },
    ] as const;
    for (const event of eventsOf(events)) renderer.sink(event);
    await renderer.close();
    return stream.text();
  };
  expect(await shown(true)).toContain('see more: npx tk talos:dmesg --sim NODE=cp-1)');
  expect(await shown(false)).toContain('see more: npx tk talos:dmesg NODE=cp-1)');
});
