import { expect, test } from 'vitest';
import { minutes, type TkError, waitFor } from '../../../../lib/base/index.ts';
import { type KubeObject, nodesReady, workloadReady } from '../../../../lib/kube/index.ts';
import { deployment } from '../flux/rig.ts';
import { kubeRig, never } from './rig.ts';

const tk = { fieldManager: 'tk' };
const failureOf = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: TkError) => error.failure,
  );

async function cluster(options: Parameters<typeof kubeRig>[0] = {}) {
  const rig = await kubeRig({ cni: 'flannel', ...options });
  rig.up({ name: 'cp-1' }, { name: 'worker-1' }, { name: 'worker-2' });
  await waitFor(nodesReady(rig.client, ['cp-1', 'worker-1', 'worker-2'], { deadlineMs: minutes(3) }), rig.world.clock, never);
  const until = async (kind: string, name: string) =>
    waitFor(
      workloadReady(rig.client, { apiVersion: 'apps/v1', kind, namespace: 'default', name }, { deadlineMs: minutes(5) }),
      rig.world.clock,
      never,
    );
  const pods = async () => (await rig.client.list({ apiVersion: 'v1', kind: 'Pod' }, { namespace: 'default' }, never)).items;
  return { ...rig, until, pods };
}

const budget = (name: string, spec: object, generation?: number): KubeObject => ({
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: { name, namespace: 'default', ...(generation === undefined ? {} : { generation }) },
  spec: { selector: { matchLabels: { app: 'web' } }, ...spec },
});

test('a budget allows one eviction, and the next only when the pod is there again; the cause names the budget', async () => {
  const { client, until, pods, pass } = await cluster();
  await client.apply(
    { ...deployment('web', 'default'), spec: { ...(deployment('web', 'default').spec as object), replicas: 2 } },
    tk,
    never,
  );
  await client.apply(budget('web', { maxUnavailable: 1 }), tk, never);
  await until('Deployment', 'web');
  await pass(500);
  const [first, second] = (await pods()).map(({ metadata }) => metadata.name);
  expect(await client.evict({ namespace: 'default', name: first ?? '' }, {}, never)).toBe(true);
  expect(await failureOf(client.evict({ namespace: 'default', name: second ?? '' }, {}, never))).toMatchObject({
    code: 'kube/eviction-blocked',
  });
  await pass(30_000);
  await until('Deployment', 'web');
  await pass(500);
  expect(await client.evict({ namespace: 'default', name: second ?? '' }, {}, never)).toBe(true);
});

test('two budgets for one pod are refused outright, as upstream does not support them', async () => {
  const { client, until, pods } = await cluster();
  await client.apply(deployment('web', 'default'), tk, never);
  await client.apply(budget('one', { minAvailable: 0 }), tk, never);
  await client.apply(budget('two', { minAvailable: 0 }), tk, never);
  await until('Deployment', 'web');
  const [pod] = await pods();
  expect(await failureOf(client.evict({ namespace: 'default', name: pod?.metadata.name ?? '' }, {}, never))).toMatchObject({
    facts: { message: 'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.' },
  });
});

test('a pod that takes its time to stop is there until its grace period ends, and no longer', async () => {
  const slow = { point: 'kube/pod-stop', kind: 'slow', probability: 1, facts: { forMs: 600_000 } };
  const { client, until, pods, pass } = await cluster({ faults: [slow] });
  await client.apply(deployment('web', 'default'), tk, never);
  await until('Deployment', 'web');
  const [pod] = await pods();
  const name = pod?.metadata.name ?? '';
  await client.evict({ namespace: 'default', name }, {}, never);
  await pass(20_000);
  expect((await pods()).map(({ metadata }) => metadata.name)).toContain(name);
  await pass(15_000);
  expect((await pods()).map(({ metadata }) => metadata.name)).not.toContain(name);
});

const database: KubeObject = {
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name: 'db', namespace: 'default' },
  spec: {
    replicas: 1,
    serviceName: 'db',
    selector: { matchLabels: { app: 'db' } },
    template: { metadata: { labels: { app: 'db' } }, spec: { containers: [{ name: 'db', image: 'example.org/db:1' }] } },
    volumeClaimTemplates: [
      { metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '5Gi' } } } },
    ],
  },
};

test('a volume is attached where its pod runs, and elsewhere only after it was detached there', async () => {
  const { client, kube, until, pods, pass } = await cluster({
    faults: [{ point: 'kube/volume-detach', kind: 'slow', probability: 1, facts: { lateMs: 40_000 } }],
  });
  kube.landscape.storage('rook-ceph.rbd.csi.ceph.com');
  await client.apply(database, tk, never);
  await until('StatefulSet', 'db');
  const attached = async () =>
    (await client.list({ apiVersion: 'storage.k8s.io/v1', kind: 'VolumeAttachment' }, {}, never)).items.map((one) => {
      const { spec, status } = one as unknown as { spec: { nodeName: string }; status: { attached: boolean } };
      return `${spec.nodeName} ${status.attached}`;
    });
  const [pod] = await pods();
  const here = (pod as unknown as { spec: { nodeName: string } }).spec.nodeName;
  expect(await attached()).toEqual([`${here} true`]);
  kube.landscape.cordon(here, true);
  await client.evict({ namespace: 'default', name: 'db-0' }, {}, never);
  await pass(20_000);
  expect(await attached()).toEqual([`${here} true`]);
  const waiting = (await pods()).find(({ metadata }) => metadata.name === 'db-0') as unknown as {
    spec: { nodeName: string };
    status: { phase: string };
  };
  expect([waiting.spec.nodeName === here, waiting.status.phase]).toEqual([false, 'Pending']);
  await pass(60_000);
  expect(await attached()).toEqual([`${waiting.spec.nodeName} true`]);
});

test('a volume of a machine that went silent stays attached for six minutes', async () => {
  const { client, kube, until, pods, pass } = await cluster();
  kube.landscape.storage('driver.longhorn.io', 'longhorn');
  await client.apply(database, tk, never);
  await until('StatefulSet', 'db');
  const [pod] = await pods();
  const here = (pod as unknown as { spec: { nodeName: string } }).spec.nodeName;
  kube.kubeletDown(here);
  await client.delete({ apiVersion: 'apps/v1', kind: 'StatefulSet', namespace: 'default', name: 'db' }, {}, never);
  const count = async () => (await client.list({ apiVersion: 'storage.k8s.io/v1', kind: 'VolumeAttachment' }, {}, never)).items.length;
  await pass(300_000);
  expect(await count()).toBe(1);
});

test('what else lives in a cluster can be put there with its health, and is served as its operator serves it', async () => {
  const { client, kube, pass } = await cluster();
  kube.landscape.tuppr('TalosUpgrade', 'Rebooting', 'worker-1');
  kube.landscape.ceph('HEALTH_WARN', { OSD_DOWN: '1 osds down' });
  kube.landscape.longhorn('pvc-1', 'degraded');
  kube.landscape.postgres('app', 3, 2, 'Failing over');
  kube.landscape.volsync('app', true);
  await pass(10_000);
  const statusOf = async (apiVersion: string, kind: string) =>
    (await client.list({ apiVersion, kind }, {}, never)).items.map((one) => (one as unknown as { status: object }).status);
  expect(await statusOf('tuppr.home-operations.com/v1alpha1', 'TalosUpgrade')).toMatchObject([
    { phase: 'Rebooting', currentNode: 'worker-1' },
  ]);
  expect(await statusOf('ceph.rook.io/v1', 'CephCluster')).toMatchObject([
    { ceph: { health: 'HEALTH_WARN', details: { OSD_DOWN: { message: '1 osds down' } } } },
  ]);
  expect(await statusOf('longhorn.io/v1beta2', 'Volume')).toEqual([{ state: 'attached', robustness: 'degraded' }]);
  expect(await statusOf('postgresql.cnpg.io/v1', 'Cluster')).toMatchObject([{ instances: 3, readyInstances: 2, phase: 'Failing over' }]);
  expect(await statusOf('volsync.backube/v1alpha1', 'ReplicationSource')).toMatchObject([
    { conditions: [{ type: 'Synchronizing', status: 'True' }] },
  ]);
  kube.landscape.tuppr('TalosUpgrade', 'Completed');
  expect(await statusOf('tuppr.home-operations.com/v1alpha1', 'TalosUpgrade')).toMatchObject([{ phase: 'Completed' }]);
});
