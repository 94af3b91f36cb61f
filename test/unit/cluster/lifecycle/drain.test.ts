import { expect, test } from 'vitest';
import type { Clock } from '../../../../lib/base/index.ts';
import type { KubeObject, KubeWriter } from '../../../../lib/kube/index.ts';
import { drainNode } from '../../../../lib/cluster/lifecycle/drain.ts';

const pod = (name: string, tolerations: readonly object[] = []): KubeObject =>
  ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace: 'default', name, uid: `uid-${name}` },
    spec: { tolerations },
    status: { phase: 'Running' },
  }) as unknown as KubeObject;

test('pods that tolerate the cordon are moved once; what their controller starts there again is left', async () => {
  let ms = 0;
  const clock = { monotonicMs: () => ms, sleep: async (forMs: number) => void (ms += forMs) } as unknown as Clock;
  const pods = new Map([
    ['web', pod('web')],
    ['stubborn-1', pod('stubborn-1', [{ operator: 'Exists' }])],
  ]);
  const evicted: string[] = [];
  let late = true;
  const kube = {
    list: async () => ({ items: [...pods.values()], resourceVersion: '1' }),
    evict: async ({ name }: { name: string }) => {
      evicted.push(name);
      pods.delete(name);
      if (name.startsWith('stubborn'))
        pods.set('stubborn-2', pod('stubborn-2', [{ key: 'node.kubernetes.io/unschedulable', operator: 'Exists' }]));
      // Bound by the scheduler just before the cordon.
      if (late) pods.set('late', pod('late', [{ key: 'other', operator: 'Exists' }]));
      late = false;
      return true;
    },
  } as unknown as KubeWriter;
  const outcome = await drainNode(
    { kube, clock, nodeName: 'w-1', policy: { how: 'evict', deadlineMs: 60_000 }, observe: () => {} },
    new AbortController().signal,
  );
  expect({ outcome, evicted, left: [...pods.keys()] }).toEqual({
    outcome: { evicted: 3, deleted: [] },
    evicted: ['web', 'stubborn-1', 'late'],
    left: ['stubborn-2'],
  });
});
