import { expect, test } from 'vitest';
import { minutes, waitFor } from '../../../../lib/base/index.ts';
import { type KubeObject, nodesReady, nodesRegistered, workloadReady } from '../../../../lib/kube/index.ts';
import { kubeRig, never } from './rig.ts';

const cilium: KubeObject = {
  apiVersion: 'apps/v1',
  kind: 'DaemonSet',
  metadata: { name: 'cilium', namespace: 'kube-system' },
  spec: {
    selector: { matchLabels: { 'k8s-app': 'cilium' } },
    template: {
      metadata: { labels: { 'k8s-app': 'cilium' } },
      spec: {
        hostNetwork: true,
        tolerations: [{ operator: 'Exists' }],
        containers: [{ name: 'agent', image: 'quay.io/cilium/cilium:v1.19.6' }],
      },
    },
  },
};

test('nodes register NotReady, become Ready with Cilium, and then CoreDNS runs', async () => {
  const { client, world, up } = await kubeRig();
  up({ name: 'cp-1' }, { name: 'worker-1' }, { name: 'worker-2' });
  const names = ['cp-1', 'worker-1', 'worker-2'];
  const nodes = await waitFor(nodesRegistered(client, names, { deadlineMs: minutes(2) }), world.clock, never);
  expect(nodes.map((node) => (node.spec as { taints: unknown[] }).taints)).toEqual([
    [
      { key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' },
      { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' },
      { key: 'node.kubernetes.io/not-ready', effect: 'NoExecute' },
    ],
    [
      { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' },
      { key: 'node.kubernetes.io/not-ready', effect: 'NoExecute' },
    ],
    [
      { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' },
      { key: 'node.kubernetes.io/not-ready', effect: 'NoExecute' },
    ],
  ]);
  const coredns = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'kube-system', name: 'coredns' };
  await expect(waitFor(workloadReady(client, coredns, { deadlineMs: minutes(2) }), world.clock, never)).rejects.toMatchObject({
    failure: { code: 'wait/timeout', facts: { last: expect.stringContaining('0 of 2 ready: coredns-') } },
  });

  await client.apply(cilium, { fieldManager: 'helm-controller' }, never);
  await waitFor(
    workloadReady(
      client,
      { apiVersion: 'apps/v1', kind: 'DaemonSet', namespace: 'kube-system', name: 'cilium' },
      { deadlineMs: minutes(2) },
    ),
    world.clock,
    never,
  );
  await waitFor(nodesReady(client, names, { deadlineMs: minutes(1) }), world.clock, never);
  const ready = await waitFor(workloadReady(client, coredns, { deadlineMs: minutes(2) }), world.clock, never);
  expect(ready.status).toMatchObject({ observedGeneration: 1, replicas: 2, updatedReplicas: 2, readyReplicas: 2, availableReplicas: 2 });
  const pods = await client.list(
    { apiVersion: 'v1', kind: 'Pod' },
    { namespace: 'kube-system', labelSelector: 'k8s-app in (kube-apiserver, kube-controller-manager, kube-scheduler)' },
    never,
  );
  expect(pods.items.map((pod) => pod.metadata.name)).toEqual([
    'kube-apiserver-cp-1',
    'kube-controller-manager-cp-1',
    'kube-scheduler-cp-1',
  ]);
});
