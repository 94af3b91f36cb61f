import { describe, expect, test } from 'vitest';
import { type Clock, failureOf, TkError } from '../../../../lib/base/index.ts';
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

describe('a drain that comes to no end', () => {
  const drained = async (evict: () => Promise<boolean>, leaving = false) => {
    let ms = 0;
    const clock = { monotonicMs: () => ms, sleep: async (forMs: number) => void (ms += forMs) } as unknown as Clock;
    const web = pod('web');
    const items = [leaving ? { ...web, metadata: { ...web.metadata, deletionTimestamp: '2026-11-21T00:00:00Z' } } : web];
    const kube = { list: async () => ({ items, resourceVersion: '1' }), evict } as unknown as KubeWriter;
    const policy = { how: 'evict', deadlineMs: 60_000 } as const;
    const drain = drainNode({ kube, clock, nodeName: 'w-1', policy, observe: () => {} }, new AbortController().signal);
    const { code, facts, cause } = await drain.then(
      () => Promise.reject(new Error('it ended well')),
      (error: unknown) => failureOf(error),
    );
    return { code, facts, ...(cause === undefined ? {} : { cause: cause.code }), tookMs: ms };
  };

  test('a pod that never ends is named at the deadline, whoever has sent it away', async () => {
    const timeout = { code: 'drain/timeout', facts: { node: 'w-1', pods: [{ namespace: 'default', name: 'web' }], afterMs: 60_000 } };
    expect(await drained(async () => true)).toEqual({ ...timeout, tookMs: 60_000 });
    expect(await drained(async () => true, true)).toEqual({ ...timeout, tookMs: 60_000 });
  });

  test('an eviction that is forbidden ends it at once', async () => {
    const forbidden = new TkError({
      code: 'kube/forbidden',
      facts: { message: 'pods "web" is forbidden: User "me" cannot create evictions' },
    });
    expect(await drained(() => Promise.reject(forbidden))).toEqual({
      code: 'drain/refused',
      facts: { node: 'w-1', namespace: 'default', name: 'web' },
      cause: 'kube/forbidden',
      tookMs: 0,
    });
  });
});
