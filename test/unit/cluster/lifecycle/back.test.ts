import { expect, test } from 'vitest';
import type { NodeName } from '../../../../lib/base/index.ts';
import { backCondition } from '../../../../lib/cluster/lifecycle/back.ts';
import type { NodeFacts } from '../../../../lib/cluster/lifecycle/lifecycle.ts';
import type { NodeModel } from '../../../../lib/config/index.ts';

const node = { name: 'cp-1' as NodeName, role: 'controlplane', address: '10.0.0.1', addresses: ['10.0.0.1'] } as unknown as NodeModel;
const { signal } = new AbortController();

/** In its new boot, with a condition of Talos' own that is not met. */
const without = (unmet: string): Omit<NodeFacts, 'observedAtMs'> => ({
  node,
  talosVersion: 'v1.14.1',
  arch: 'amd64',
  extensions: [],
  secureBoot: false,
  bootId: 'new',
  stage: 'running',
  isReady: false,
  unmet: [{ name: unmet, reason: 'not ready' }],
  etcd: { memberId: 1n, isLeader: true, isLearner: false, isHealthy: true },
  kube: { name: 'cp-1', isReady: true, cordon: { state: 'none' }, kubeletVersion: 'v1.37.0', bootId: 'new' },
});

test('a machine is waited for a while longer for what it did not have before either: it may only have been starting then', async () => {
  let seen = { ...without('staticPods'), observedAtMs: 0 };
  const at = (observedAtMs: number, more: Partial<NodeFacts> = {}) => {
    seen = { ...seen, observedAtMs, ...more };
    return back.check(signal);
  };
  const look = async () => seen;
  const wanted = { afterBoot: 'old', unmetBefore: ['staticPods'] };
  const back = backCondition({
    node,
    wanted,
    glance: look,
    kubeNode: async () => seen.kube,
    facts: look,
    wantsKubernetes: async () => true,
  });
  // Counted from when nothing else is missing.
  expect(await at(0, { stage: 'booting' })).toMatchObject({ state: 'not-yet' });
  expect(await at(170_000, { stage: 'running' })).toEqual({ state: 'not-yet', seen: 'staticPods: not ready, as before' });
  expect(await at(340_000)).toMatchObject({ state: 'not-yet' });
  expect(await at(350_000)).toMatchObject({ state: 'holds' });
  expect(await at(355_000, { unmet: [{ name: 'services', reason: 'etcd not healthy' }] })).toEqual({
    state: 'not-yet',
    seen: 'services: etcd not healthy',
  });
});

test('and no longer than it takes', async () => {
  const seen = { ...without('staticPods'), observedAtMs: 0, isReady: true, unmet: [] };
  const wanted = { afterBoot: 'old', unmetBefore: ['staticPods'] };
  const look = async () => seen;
  const back = backCondition({
    node,
    wanted,
    glance: look,
    kubeNode: async () => seen.kube,
    facts: look,
    wantsKubernetes: async () => true,
  });
  expect(await back.check(signal)).toMatchObject({ state: 'holds' });
});

test('Kubernetes is asked once the machine itself is there, and all facts once both are', async () => {
  const asked: string[] = [];
  let seen: NodeFacts = { ...without('services'), observedAtMs: 0, stage: 'booting' };
  const told =
    <T>(who: string, answer: () => T) =>
    async (): Promise<T> => {
      asked.push(who);
      return answer();
    };
  const back = backCondition({
    node,
    wanted: { afterBoot: 'old' },
    glance: told('machine', () => seen),
    kubeNode: told('Kubernetes', () => seen.kube),
    facts: told('facts', () => seen),
    wantsKubernetes: async () => true,
  });
  const look = async (more: Partial<NodeFacts>) => {
    seen = { ...seen, ...more };
    const observed = await back.check(signal);
    return [...asked.splice(0), observed.state === 'not-yet' ? observed.seen : observed.state];
  };
  const kube = { name: 'cp-1', isReady: false, cordon: { state: 'none' }, kubeletVersion: 'v1.37.0', bootId: 'old' } as const;
  expect([
    await look({}),
    await look({ stage: 'running', isReady: true, unmet: [], kube }),
    await look({ kube: { ...kube, bootId: 'new', notReadyBecause: 'no CNI' } }),
    await look({ kube: { ...kube, bootId: 'new', isReady: true } }),
  ]).toEqual([
    ['machine', 'booting, services: not ready'],
    ['machine', 'Kubernetes', 'Kubernetes still tells of the boot before'],
    ['machine', 'Kubernetes', 'its Node is not Ready yet: no CNI'],
    ['machine', 'Kubernetes', 'facts', 'holds'],
  ]);
});

test('a reboot may start what was installed and waited for it, and is no success in the version before', async () => {
  const after = (talosVersion: string) => {
    const seen = { ...without('staticPods'), observedAtMs: 0, isReady: true, unmet: [], talosVersion };
    const look = async () => seen;
    return backCondition({
      node,
      wanted: { afterBoot: 'old', noOlderThan: 'v1.14.1' },
      glance: look,
      kubeNode: async () => seen.kube,
      facts: look,
      wantsKubernetes: async () => true,
    }).check(signal);
  };
  expect(await after('v1.14.1')).toMatchObject({ state: 'holds' });
  expect(await after('v1.14.2')).toMatchObject({ state: 'holds' });
  expect(await after('own-build')).toMatchObject({ state: 'holds' });
  expect(await after('v1.13.9')).toMatchObject({
    state: 'never',
    failure: { code: 'node/rolled-back', facts: { node: 'cp-1', running: 'v1.13.9', wanted: 'v1.14.1' } },
  });
});
