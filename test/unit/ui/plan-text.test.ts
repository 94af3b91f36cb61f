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
          warning[net/unreachable]: node cp-4
     1 mutating call. Run it: npx tk talos:upgrade
    "
  `);
});
