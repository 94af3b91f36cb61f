import { expect, test } from 'vitest';
import { minutes, type TkError, waitFor } from '../../../../lib/base/index.ts';
import { type KubeObject, nodesReady, workloadReady } from '../../../../lib/kube/index.ts';
import { createKubeModel, createMemoryFiles, openKernel } from '../../../../lib/sim/index.ts';
import { deployment } from '../flux/rig.ts';
import { configMap, kubeRig, never } from './rig.ts';

const tk = { fieldManager: 'tk' };
const namespace = (name: string): KubeObject => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
const failureOf = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: TkError) => error.failure,
  );
const ready = (name: string) => ({ apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'default', name });

async function runningCluster(options: Parameters<typeof kubeRig>[0] = {}) {
  const rig = await kubeRig({ cni: 'flannel', ...options });
  rig.up({ name: 'cp-1' }, { name: 'worker-1' }, { name: 'worker-2' });
  await waitFor(nodesReady(rig.client, ['cp-1', 'worker-1', 'worker-2'], { deadlineMs: minutes(3) }), rig.world.clock, never);
  return rig;
}

const webhook: KubeObject = {
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'ValidatingWebhookConfiguration',
  metadata: { name: 'check' },
  webhooks: [
    {
      name: 'check.example.org',
      sideEffects: 'None',
      admissionReviewVersions: ['v1'],
      clientConfig: { service: { name: 'check', namespace: 'default', path: '/validate' } },
      rules: [{ operations: ['CREATE', 'UPDATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'] }],
    },
  ],
};
const service: KubeObject = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'check', namespace: 'default' },
  spec: { selector: { app: 'check' }, ports: [{ port: 443 }] },
};

test('a webhook refuses before its pod runs and for a while after it is Ready, and the client waits for it', async () => {
  const { client, world, kube } = await runningCluster();
  await client.apply(service, tk, never);
  await client.apply(webhook, tk, never);
  await client.apply(deployment('check', 'default'), tk, never);
  const told = new Set<string>();
  for (let turn = 0; turn < 60; turn += 1) {
    try {
      kube.writes.create(
        { kind: kube.state.allKinds().find((kind) => kind.kind === 'ConfigMap') as never, namespace: 'default', name: '', subresource: '' },
        { metadata: { name: `probe-${turn}` } },
        {
          fieldManager: 'test',
          isDryRun: true,
          fieldValidation: 'Warn',
          warnings: [],
        },
      );
      told.add('accepted');
      break;
    } catch (error) {
      told.add((error as Error).message.replace(/^.*timeout=10s": /, '').replace(/10\.96\.\d+\.\d+/, 'address'));
    }
    await world.clock.sleep(250);
  }
  expect([...told]).toEqual([
    'no endpoints available for service "check"',
    'dial tcp address:443: connect: connection refused',
    'tls: failed to verify certificate: x509: certificate signed by unknown authority',
    'accepted',
  ]);
  expect((await client.apply(configMap('late', {}), tk, never)).metadata.name).toBe('late');
});

test('a webhook that is down for longer than a write may wait is named', async () => {
  const { client } = await runningCluster({ faults: [{ point: 'kube/webhook', kind: 'down', probability: 1 }] });
  await client.apply(service, tk, never);
  await client.apply(webhook, tk, never);
  expect(await failureOf(client.apply(configMap('never', {}), tk, never))).toMatchObject({
    code: 'kube/webhook-unreachable',
    facts: { webhook: 'check.example.org', kind: 'ConfigMap', name: 'never' },
  });
});

test('a budget blocks an eviction, an eviction that is allowed ends the pod and its deployment makes another', async () => {
  const { client, world } = await runningCluster();
  await client.apply(deployment('web', 'default', 2), tk, never);
  await client.apply(
    {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name: 'web', namespace: 'default' },
      spec: { minAvailable: 2, selector: { matchLabels: { app: 'web' } } },
    },
    tk,
    never,
  );
  await waitFor(workloadReady(client, ready('web'), { deadlineMs: minutes(2) }), world.clock, never);
  const pods = () =>
    client
      .list({ apiVersion: 'v1', kind: 'Pod' }, { namespace: 'default' }, never)
      .then(({ items }) => items.map(({ metadata }) => metadata.name));
  const [first = '', second = ''] = await pods();
  expect(await failureOf(client.evict({ namespace: 'default', name: first }, {}, never))).toMatchObject({
    code: 'kube/eviction-blocked',
    facts: { verb: 'evict', kind: 'Pod', name: first, message: "Cannot evict pod as it would violate the pod's disruption budget." },
  });
  await client.delete({ apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', namespace: 'default', name: 'web' }, {}, never);
  expect(await client.evict({ namespace: 'default', name: first }, {}, never)).toBe(true);
  await world.clock.sleep(10_000);
  await waitFor(workloadReady(client, ready('web'), { deadlineMs: minutes(2) }), world.clock, never);
  expect(await pods()).toHaveLength(2);
  expect(await pods()).toContain(second);
  expect(await pods()).not.toContain(first);
  expect(await client.evict({ namespace: 'default', name: first }, {}, never)).toBe(false);
});

test('a machine that goes away turns Unknown after the grace period, and Ready again when it is back', async () => {
  const { client, kube, pass, up, world } = await runningCluster();
  const conditionOf = async () => {
    const node = await client.get({ apiVersion: 'v1', kind: 'Node', name: 'worker-1' }, never);
    const conditions = (node as unknown as { status: { conditions: { type: string; status: string; reason: string }[] } }).status
      .conditions;
    const found = conditions.find(({ type }) => type === 'Ready');
    return `${found?.status} ${found?.reason}`;
  };
  kube.kubeletDown('worker-1');
  await pass(39_000);
  expect(await conditionOf()).toBe('True KubeletReady');
  await pass(2000);
  expect(await conditionOf()).toBe('Unknown NodeStatusUnknown');
  expect(kube.nodeReady('worker-1')).toBe(false);
  up({ name: 'worker-1' });
  await pass(1000);
  expect(await conditionOf()).toBe('False KubeletNotReady');
  await waitFor(nodesReady(client, ['worker-1'], { deadlineMs: minutes(1) }), world.clock, never);
  expect(kube.nodeReady('nobody')).toBeUndefined();
});

test('a new template rolls a deployment over, a scaled down one loses pods', async () => {
  const { client, world } = await runningCluster();
  await client.apply(deployment('web', 'default', 3), tk, never);
  await waitFor(workloadReady(client, ready('web'), { deadlineMs: minutes(2) }), world.clock, never);
  const next = deployment('web', 'default', 2);
  (next.spec as { template: { spec: { containers: { name: string; image: string }[] } } }).template.spec.containers[0] = {
    image: 'example.org/web:2',
    name: 'main',
  };
  await client.apply(next, tk, never);
  await waitFor(workloadReady(client, ready('web'), { deadlineMs: minutes(3) }), world.clock, never);
  await world.clock.sleep(10_000);
  const pods = await client.list({ apiVersion: 'v1', kind: 'Pod' }, { namespace: 'default' }, never);
  expect(pods.items.map(({ spec }) => (spec as { containers: { image: string }[] }).containers[0]?.image)).toEqual([
    'example.org/web:2',
    'example.org/web:2',
  ]);
  const sets = await client.list({ apiVersion: 'apps/v1', kind: 'ReplicaSet' }, { namespace: 'default' }, never);
  expect(sets.items.map(({ spec }) => (spec as { replicas: number }).replicas).sort()).toEqual([0, 2]);
});

test('a namespace takes its content along, an owner what it owns', async () => {
  const { client, world } = await runningCluster();
  await client.apply(namespace('demo'), tk, never);
  await client.apply(deployment('web', 'demo'), tk, never);
  await client.apply(configMap('one', {}, 'demo'), tk, never);
  await client.apply(deployment('web', 'default'), tk, never);
  await world.clock.sleep(30_000);
  await client.delete(ready('web'), {}, never);
  await client.delete({ apiVersion: 'v1', kind: 'Namespace', name: 'demo' }, {}, never);
  await world.clock.sleep(30_000);
  expect(await client.get({ apiVersion: 'v1', kind: 'Namespace', name: 'demo' }, never)).toBeUndefined();
  for (const kind of ['Pod', 'ConfigMap'] as const)
    expect((await client.list({ apiVersion: 'v1', kind }, { namespace: 'demo' }, never)).items).toEqual([]);
  expect((await client.list({ apiVersion: 'apps/v1', kind: 'ReplicaSet' }, { namespace: 'default' }, never)).items).toEqual([]);
  expect((await client.list({ apiVersion: 'v1', kind: 'Pod' }, { namespace: 'default' }, never)).items).toEqual([]);
});

test('a killed process finds the cluster as it left it, and its future goes on', async () => {
  const files = createMemoryFiles(() => 0);
  const host = {
    etcdHasQuorum: () => true,
    apiServerRuns: () => true,
    apiServers: () => ['cp-1'],
    kubernetesCa: () => undefined,
    bootstrapManifests: () => ({ coreDns: false, kubeProxy: false, cni: 'flannel' as const }),
  };
  const open = async () => {
    const kernel = await openKernel({ seed: 'x', epochMs: 0 }, files, '/state');
    return { kernel, kube: createKubeModel(kernel, host) };
  };
  const first = await open();
  first.kube.kubeletUp({
    name: 'cp-1',
    addresses: ['10.5.0.11'],
    role: 'controlplane',
    kubernetesVersion: 'v1.37.0',
    talosVersion: 'v1.14.1',
    labels: {},
    taints: [],
  });
  await first.kernel.clock.sleep(6000);
  expect(first.kube.nodeReady('cp-1')).toBe(false);
  const revision = first.kube.state.revision();
  await first.kernel.close();
  const second = await open();
  expect(second.kube.state.revision()).toBe(revision);
  expect(second.kube.nodeReady('cp-1')).toBe(false);
  await second.kernel.clock.sleep(60_000);
  expect(second.kube.nodeReady('cp-1')).toBe(true);
});
