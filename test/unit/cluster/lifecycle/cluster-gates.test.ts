import { describe, expect, test } from 'vitest';
import type { NodeName } from '../../../../lib/base/index.ts';
import type { NodeModel } from '../../../../lib/config/index.ts';
import type { KubeObject, KubeReader } from '../../../../lib/kube/index.ts';
import { gates } from '../../../../lib/cluster/index.ts';
import type { ConfiguredGate } from '../../../../lib/cluster/lifecycle/gates/define-gate.ts';
import { othersAway } from '../../../../lib/cluster/lifecycle/gates/one-at-a-time.ts';
import { otherDrivers } from '../../../../lib/cluster/lifecycle/gates/other-drivers.ts';
import { cordonMark, cordonOf } from '../../../../lib/cluster/lifecycle/node-mark.ts';
import { drainPreviewOf } from '../../../../lib/cluster/lifecycle/pods.ts';
import { attachedVolumes } from '../../../../lib/cluster/lifecycle/volumes.ts';

const signal = new AbortController().signal;

/** An API server that serves the kinds of these objects, and no others. */
function kubeWith(...objects: readonly KubeObject[]): KubeReader {
  const kinds = new Set(objects.map(({ apiVersion, kind }) => `${apiVersion} ${kind}`));
  return {
    serves: async ({ apiVersion, kind }: { apiVersion: string; kind: string }) => kinds.has(`${apiVersion} ${kind}`),
    list: async ({ kind }: { kind: string }, { namespace }: { namespace?: string }) => ({
      items: objects.filter((object) => object.kind === kind && (namespace === undefined || object.metadata.namespace === namespace)),
      resourceVersion: '1',
    }),
    get: async ({ kind, name }: { kind: string; name: string }) =>
      objects.find((object) => object.kind === kind && object.metadata.name === name),
  } as unknown as KubeReader;
}

const node = (name: string, role: NodeModel['role'] = 'worker'): NodeModel =>
  ({ name: name as NodeName, role, addresses: [] as readonly string[] }) as NodeModel;
const ask = (gate: ConfiguredGate, ...objects: readonly KubeObject[]) =>
  gate.check?.({ node: node('worker-1'), kind: 'reboot', kube: kubeWith(...objects), signal });

const object = (apiVersion: string, kind: string, name: string, more: object): KubeObject =>
  ({ apiVersion, kind, metadata: { namespace: 'storage', name }, ...more }) as KubeObject;
const cephCluster = (health: string, details: Readonly<Record<string, string>> = {}, namespace = 'rook-ceph') =>
  ({
    ...object('ceph.rook.io/v1', 'CephCluster', 'rook-ceph', {
      status: {
        ceph: {
          health,
          details: Object.fromEntries(Object.entries(details).map(([name, message]) => [name, { message, severity: health }])),
        },
      },
    }),
    metadata: { namespace, name: 'rook-ceph' },
  }) as KubeObject;

describe('ceph', () => {
  test('healthy, not installed, without a word', async () => {
    expect([await ask(gates.ceph(), cephCluster('HEALTH_OK')), await ask(gates.ceph()), await ask(gates.ceph(), cephCluster(''))]).toEqual([
      { state: 'passed', seen: '1 CephCluster well' },
      { state: 'skipped', because: 'Rook is not installed' },
      { state: 'refused', problems: ['rook-ceph/rook-ceph has not reported its health'] },
    ]);
  });
  test('warnings refuse, unless all of them are allowed; an error always does', async () => {
    const warns = cephCluster('HEALTH_WARN', { OSD_DOWN: '1 osds down', MON_DISK_LOW: 'mon a is low on space' });
    expect([
      await ask(gates.ceph({ allow: ['MON_DISK_LOW'] }), warns),
      await ask(gates.ceph({ allow: ['MON_DISK_LOW', 'OSD_DOWN'] }), warns),
      await ask(gates.ceph({ allow: ['OSD_DOWN'] }), cephCluster('HEALTH_ERR', { OSD_DOWN: '3 osds down' })),
    ]).toEqual([
      { state: 'refused', problems: ['rook-ceph/rook-ceph is HEALTH_WARN: OSD_DOWN: 1 osds down'] },
      { state: 'passed', seen: '1 CephCluster well' },
      { state: 'refused', problems: ['rook-ceph/rook-ceph is HEALTH_ERR'] },
    ]);
  });
  test('only in the namespace that was named', async () => {
    const clusters = [cephCluster('HEALTH_OK'), cephCluster('HEALTH_ERR', {}, 'other')];
    expect(await ask(gates.ceph({ namespace: 'rook-ceph' }), ...clusters)).toEqual({ state: 'passed', seen: '1 CephCluster well' });
  });
});

test('longhorn: degraded while attached, faulted always, detached never mind', async () => {
  const volume = (name: string, state: string, robustness: string) =>
    object('longhorn.io/v1beta2', 'Volume', name, { status: { state, robustness } });
  expect(
    await ask(
      gates.longhorn(),
      volume('a', 'attached', 'healthy'),
      volume('b', 'attached', 'degraded'),
      volume('c', 'detached', 'unknown'),
      volume('d', 'detached', 'faulted'),
      volume('e', 'detached', 'degraded'),
    ),
  ).toEqual({ state: 'refused', problems: ['volume storage/b is degraded', 'volume storage/d is faulted'] });
});

test('cnpg: all instances, no failover under way; hibernated clusters are left alone', async () => {
  const postgres = (name: string, instances: number, readyInstances: number, phase: string, annotations: Record<string, string> = {}) => {
    const cluster = object('postgresql.cnpg.io/v1', 'Cluster', name, { spec: { instances }, status: { readyInstances, phase } });
    return { ...cluster, metadata: { ...cluster.metadata, annotations } } as KubeObject;
  };
  expect(
    await ask(
      gates.cnpg(),
      postgres('well', 3, 3, 'Cluster in healthy state'),
      postgres('short', 3, 2, 'Waiting for the instances to become active'),
      postgres('moving', 3, 3, 'Failing over'),
      postgres('asleep', 3, 0, '', { 'cnpg.io/hibernation': 'on' }),
    ),
  ).toEqual({
    state: 'refused',
    problems: ['storage/short: 2 of 3 instances ready (Waiting for the instances to become active)', 'storage/moving: Failing over'],
  });
});

test('volsync: a copy that is being made', async () => {
  const source = (name: string, reason: string) =>
    object('volsync.backube/v1alpha1', 'ReplicationSource', name, {
      status: { conditions: [{ type: 'Synchronizing', status: reason === 'SyncInProgress' ? 'True' : 'False', reason }] },
    });
  expect([
    await ask(gates.volsync(), source('a', 'WaitingForSchedule'), source('b', 'SyncInProgress')),
    await ask(gates.volsync(), source('a', 'WaitingForSchedule')),
  ]).toEqual([
    { state: 'refused', problems: ['ReplicationSource storage/b is being synchronised'] },
    { state: 'passed', seen: '1 ReplicationSource well' },
  ]);
});

const kubeNode = (name: string, more: { readonly isReady?: boolean; readonly cordonedBy?: string } = {}): KubeObject =>
  ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, ...(more.cordonedBy && more.cordonedBy !== 'somebody' ? { annotations: { [cordonMark]: more.cordonedBy } } : {}) },
    spec: more.cordonedBy === undefined ? {} : { unschedulable: true },
    status: { conditions: [{ type: 'Ready', status: more.isReady === false ? 'False' : 'True' }] },
  }) as KubeObject;

test('whose cordon it is', () => {
  expect([kubeNode('a'), kubeNode('a', { cordonedBy: 'run-1' }), kubeNode('a', { cordonedBy: 'somebody' })].map(cordonOf)).toEqual([
    { state: 'none' },
    { state: 'ours', run: 'run-1' },
    { state: 'foreign' },
  ]);
});

describe('one at a time', () => {
  const inventory = [node('cp-1', 'controlplane'), node('cp-2', 'controlplane'), node('w-1'), node('w-2'), node('w-3')];
  const away = (target: string, changed: Readonly<Record<string, Parameters<typeof kubeNode>[1]>>, parallel?: number) => {
    const found = inventory.find(({ name }) => name === target) as NodeModel;
    const disruption = { node: found, kind: 'reboot', etcd: 'none', ...(parallel === undefined ? {} : { parallel }) } as const;
    const nodes = inventory.map(({ name }) => kubeNode(name, changed[name]));
    return othersAway(disruption, inventory, nodes).flatMap(({ facts }) => facts['away'] as readonly { node: string; seen: string }[]);
  };
  test('nobody is away', () => expect([away('cp-1', {}), away('w-1', {})]).toEqual([[], []]));
  test('another control plane that is not Ready', () => {
    expect(away('cp-1', { 'cp-2': { isReady: false } })).toEqual([{ node: 'cp-2', seen: 'not Ready' }]);
  });
  test('a worker that is down by itself does not hold a control plane, one in the middle of our work does', () => {
    expect(away('cp-1', { 'w-1': { isReady: false } })).toEqual([]);
    expect(away('cp-1', { 'w-1': { cordonedBy: 'run-1' } })).toEqual([{ node: 'w-1', seen: 'cordoned by run run-1' }]);
  });
  test('as many workers as agreed, those that are down included', () => {
    const two = { 'w-2': { isReady: false }, 'w-3': { cordonedBy: 'run-1', isReady: false } };
    expect([away('w-1', { 'w-2': { isReady: false } }, 2), away('w-1', two, 3)]).toEqual([[], []]);
    expect(away('w-1', two, 2)).toEqual([
      { node: 'w-2', seen: 'not Ready' },
      { node: 'w-3', seen: 'cordoned by run run-1, not Ready' },
    ]);
  });
  test('a control plane whose turn is not over holds every worker', () => {
    expect(away('w-1', { 'cp-1': { cordonedBy: 'run-1' } }, 3)).toEqual([{ node: 'cp-1', seen: 'cordoned by run run-1' }]);
  });
});

test('other drivers: tuppr at work, a plan that applies, a cordon of a person on another node', async () => {
  const upgrade = (name: string, phase: string) =>
    object('tuppr.home-operations.com/v1alpha1', 'TalosUpgrade', name, { status: { phase } });
  const plan = object('upgrade.cattle.io/v1', 'Plan', 'os', { status: { applying: ['w-2'] } });
  const nodes = [
    kubeNode('w-1', { cordonedBy: 'somebody' }),
    kubeNode('w-2', { cordonedBy: 'somebody' }),
    kubeNode('w-3', { cordonedBy: 'run-1' }),
  ];
  const disruption = { node: node('w-1'), kind: 'upgrade', etcd: 'none' } as const;
  const phases = ['Pending', 'MaintenanceWindow', 'Completed', 'Failed', '', 'Draining', 'SomethingNew'];
  const kube = kubeWith(...phases.map((phase, index) => upgrade(`u${index}`, phase)), plan);
  const found = await otherDrivers(kube, nodes, disruption, 'w-1', signal);
  expect(found.map(({ code, facts }) => [code, facts['what'] ?? facts['cordoned'], facts['seen']])).toEqual([
    ['gate/other-driver', 'TalosUpgrade u5', 'Draining'],
    ['gate/other-driver', 'TalosUpgrade u6', 'SomethingNew'],
    ['gate/other-driver', 'Plan storage/os', 'applying on w-2'],
    ['gate/foreign-cordon', ['w-2'], undefined],
  ]);
});

const pod = (
  name: string,
  more: {
    readonly owner?: string;
    readonly mirror?: boolean;
    readonly claim?: string;
    readonly emptyDir?: boolean;
    readonly phase?: string;
  } = {},
) =>
  ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      namespace: 'default',
      name,
      ...(more.owner ? { ownerReferences: [{ kind: more.owner, name: 'owner', controller: true }] } : {}),
      ...(more.mirror ? { annotations: { 'kubernetes.io/config.mirror': 'x' } } : {}),
    },
    spec: {
      volumes: [
        ...(more.claim ? [{ persistentVolumeClaim: { claimName: more.claim } }] : []),
        ...(more.emptyDir ? [{ emptyDir: {} }] : []),
      ],
    },
    status: { phase: more.phase ?? 'Running' },
  }) as unknown as KubeObject;

test('which pods a drain moves, and what it tells beforehand', () => {
  const pods = [
    pod('web', { owner: 'ReplicaSet', emptyDir: true }),
    pod('agent', { owner: 'DaemonSet', emptyDir: true }),
    pod('agent-failed', { owner: 'DaemonSet', phase: 'Failed' }),
    pod('kube-apiserver', { mirror: true }),
    pod('by-hand'),
    pod('by-hand-done', { phase: 'Succeeded', emptyDir: true }),
  ];
  const { evict, stay, unmanaged, emptyDir } = drainPreviewOf(pods);
  expect([evict, stay, unmanaged, emptyDir].map((list) => list.map(({ name }) => name))).toEqual([
    ['web', 'agent-failed', 'by-hand', 'by-hand-done'],
    ['agent', 'kube-apiserver'],
    ['by-hand'],
    ['web'],
  ]);
});

test('volumes that are attached, without those of pods that stay', async () => {
  const attachment = (volume: string, nodeName: string) =>
    ({
      apiVersion: 'storage.k8s.io/v1',
      kind: 'VolumeAttachment',
      metadata: { name: `csi-${volume}` },
      spec: { nodeName, source: { persistentVolumeName: volume } },
    }) as unknown as KubeObject;
  const claim = (name: string, volumeName: string) => object('v1', 'PersistentVolumeClaim', name, { spec: { volumeName } });
  const kube = kubeWith(
    attachment('pv-a', 'w-1'),
    attachment('pv-b', 'w-1'),
    attachment('pv-c', 'w-2'),
    pod('agent', { owner: 'DaemonSet', claim: 'cache' }),
    claim('cache', 'pv-b'),
  );
  expect(await attachedVolumes(kube, 'w-1', signal)).toEqual(['pv-a']);
});
