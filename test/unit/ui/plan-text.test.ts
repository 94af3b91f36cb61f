import { expect, test } from 'vitest';
import { renderPlan, styleWith } from '../../../lib/ui/index.ts';

test('a plan names what runs, what is skipped and why, and each mutating call', () => {
  const text = renderPlan(
    {
      goals: ['talos:upgrade'],
      tasks: [
        {
          task: 'a',
          title: 'etcd:snapshot',
          summary: '',
          effect: 'write',
          steps: [{ decision: 'run', title: 'etcd snapshot', reason: 'verified before anything reboots' }],
        },
        {
          task: 'b',
          title: 'talos:upgrade-node node=cp-2',
          summary: '',
          effect: 'mutate',
          headline: '1 of 2 nodes changes: Talos v1.13.9 → v1.14.1',
          steps: [
            {
              decision: 'run',
              title: 'upgrade',
              node: 'cp-2',
              reason: 'v1.13.9 → v1.14.1',
              calls: [{ target: 'cp-2', call: 'LifecycleService.Upgrade' }],
            },
            { decision: 'skip', title: 'uncordon', node: 'cp-2', reason: 'not cordoned' },
          ],
        },
        {
          task: 'c',
          title: 'talos:upgrade-node node=cp-3',
          summary: '',
          effect: 'mutate',
          steps: [{ decision: 'unknown', title: 'upgrade', node: 'cp-3', reason: 'net/unreachable' }],
          failure: { code: 'net/unreachable', facts: { node: 'cp-3' } },
          furtherFailures: [{ code: 'net/unreachable', facts: { node: 'cp-4' } }],
        },
        { task: 'd', title: 'talos:upgrade', summary: '', effect: 'mutate', steps: [] },
      ],
      counts: { run: 2, skip: 1, unknown: 1, calls: 1 },
    },
    { style: styleWith(false), columns: 100, command: 'npx tk talos:upgrade' },
  );
  expect(`\n${text}`).toMatchInlineSnapshot(`
    "
     talos:upgrade: 2 steps would run, 1 would be skipped, 1 cannot be known yet
     etcd:snapshot
       1  etcd snapshot    verified before anything reboots
     talos:upgrade-node node=cp-2
         1 of 2 nodes changes: Talos v1.13.9 → v1.14.1
       2  cp-2  upgrade    v1.13.9 → v1.14.1 · LifecycleService.Upgrade
       –  cp-2  uncordon   not cordoned
     talos:upgrade-node node=cp-3
       ?  cp-3  upgrade    net/unreachable
          warning[net/unreachable]: node cp-3
          also: cp-4
     1 mutating call. Run it: npx tk talos:upgrade
    "
  `);
});

test('a plan that is refused as a whole recommends no run', () => {
  const failure = { code: 'upgrade-k8s/path', facts: { from: 'v1.36.0', to: 'v1.35.4' } };
  const text = renderPlan(
    {
      goals: ['talos:upgrade-k8s'],
      tasks: [
        {
          task: 'a',
          title: 'talos:upgrade-k8s',
          summary: '',
          effect: 'mutate',
          steps: [{ decision: 'unknown', title: 'Upgrade Kubernetes', reason: failure.code }],
          failure,
        },
      ],
      counts: { run: 0, skip: 0, unknown: 1, calls: 0 },
    },
    { style: styleWith(false), columns: 100, command: 'npx tk talos:upgrade-k8s' },
  );
  expect(`\n${text}`).toMatchInlineSnapshot(`
    "
     talos:upgrade-k8s: 0 steps would run, 0 would be skipped, 1 cannot be known yet
     talos:upgrade-k8s
       ?  Upgrade Kubernetes   upgrade-k8s/path
          warning[upgrade-k8s/path]: Kubernetes does not go back from v1.36.0 to v1.35.4
          because: within a minor it goes anywhere, and otherwise one minor up
     Nothing would be begun.
    "
  `);
});
