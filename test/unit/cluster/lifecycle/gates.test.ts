import { afterEach, describe, expect, test } from 'vitest';
import { baseFailure, type NodeName, TkError } from '../../../../lib/base/index.ts';
import type { ClusterModel, NodeModel } from '../../../../lib/config/index.ts';
import type { KubeAccess } from '../../../../lib/cluster/kube-access.ts';
import { createGates, freshForMs, type GateParts } from '../../../../lib/cluster/lifecycle/gates.ts';
import type { Disruption, EtcdPicture, GateAnswer } from '../../../../lib/cluster/lifecycle/lifecycle.ts';
import { refusedBecause } from '../../../../lib/cluster/lifecycle/gates/define-gate.ts';
import type { KubeObject, KubeReader } from '../../../../lib/kube/index.ts';
import { createKernel } from '../../../../lib/sim/index.ts';
import { talosFailure } from '../../../../lib/talos/index.ts';

const nodes = (
  [
    ['cp-1', 'controlplane'],
    ['cp-2', 'controlplane'],
    ['cp-3', 'controlplane'],
    ['worker-1', 'worker'],
  ] as const
).map(
  ([name, role]) => ({ name: name as NodeName, role, addresses: [] as readonly string[], address: '10.0.0.1' }) as unknown as NodeModel,
);
const [cp1, cp2, , worker] = nodes as [NodeModel, NodeModel, NodeModel, NodeModel];

const kubeNode = (name: string): KubeObject =>
  ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name },
    spec: {},
    status: { conditions: [{ type: 'Ready', status: 'True' }], nodeInfo: { kubeletVersion: 'v1.37.0', bootID: 'b' } },
  }) as unknown as KubeObject;

function kubeOf(more: readonly KubeObject[] = []): KubeReader {
  const objects = [...nodes.map(({ name }) => kubeNode(name)), ...more];
  return {
    serves: async ({ kind }: { kind: string }) => objects.some((object) => object.kind === kind),
    list: async ({ kind }: { kind: string }) => ({ items: objects.filter((object) => object.kind === kind), resourceVersion: '1' }),
    get: async () => undefined,
    groupVersions: async () => new Set(objects.map(({ apiVersion }) => apiVersion)),
    version: async () => ({ gitVersion: 'v1.37.0' }),
  } as unknown as KubeReader;
}

const pictureAt = (observedAtMs: number): EtcdPicture => ({
  observedAtMs,
  views: nodes
    .filter(({ role }) => role === 'controlplane')
    .map((node, index) => ({
      state: 'answered',
      node,
      stage: 'running',
      isCordoned: false,
      isHealthy: true,
      bootedForMs: 3_600_000,
      memberId: BigInt(index + 1),
      leader: 1n,
      raftTerm: 7n,
      raftIndex: 10n,
      raftAppliedIndex: 10n,
      errors: [],
      members: [1, 2, 3].map((id) => ({ id: BigInt(id), hostname: `cp-${id}`, isLearner: false })),
      alarms: [],
    })),
});

let close: (() => Promise<void>) | undefined;
afterEach(() => close?.());

/** Gates over a cluster that is well, but for what `more` has instead. */
function gatesWith(more: (clock: GateParts['clock']) => Partial<Omit<GateParts, 'model' | 'clock'>>) {
  const kernel = createKernel({ seed: 'gates', epochMs: 0 });
  close = () => kernel.close();
  const { clock } = kernel;
  const access: Partial<KubeAccess> = { reader: async () => kubeOf() };
  const gates = createGates({
    model: { nodes, kubernetesVersion: 'v1.37.0' } as unknown as ClusterModel,
    clock,
    connections: {} as GateParts['connections'],
    access: access as KubeAccess,
    etcd: async () => pictureAt(clock.monotonicMs()),
    verifyIdentity: async () => ({}),
    configured: [],
    ...more(clock),
  });
  const check = async (disruption: Partial<Disruption> & Pick<Disruption, 'node'>, overrides = new Map<string, string>()) => {
    const answers = await gates.check({ kind: 'reboot', etcd: 'away', ...disruption }, overrides, new AbortController().signal);
    return new Map(answers.map((answer) => [answer.gate, answer]));
  };
  return { check, clock };
}

const codeOf = (answer: GateAnswer | undefined) =>
  answer !== undefined && 'failures' in answer ? `${answer.state} ${answer.failures.map(({ code }) => code).join(' ')}` : answer?.state;

describe('what the members say is five seconds old at most when it is decided on', () => {
  const asking = (tookMs: readonly number[]) => {
    let round = 0;
    const { check, clock } = gatesWith((own) => ({
      async etcd() {
        const startedMs = own.monotonicMs();
        await own.sleep(tookMs[Math.min(round, tookMs.length - 1)] ?? 0);
        round += 1;
        return pictureAt(startedMs);
      },
    }));
    return { answer: async () => (await check({ node: cp2 })).get('etcd-quorum'), rounds: () => round, clock };
  };

  test('fresh enough', async () => {
    expect(freshForMs).toBe(5000);
    const { answer, rounds } = asking([5000]);
    expect([codeOf(await answer()), rounds()]).toEqual(['passed', 1]);
  });

  test('too old is asked again, and may be fresh then', async () => {
    const { answer, rounds } = asking([5001, 5001, 400]);
    expect([codeOf(await answer()), rounds()]).toEqual(['passed', 3]);
  });

  test('too old again and again is a refusal that says how old', async () => {
    const { answer, rounds } = asking([6000]);
    const refused = await answer();
    expect([codeOf(refused), rounds()]).toEqual(['refused gate/stale', 4]);
    expect(refused?.state === 'refused' && refused.failures[0].facts).toEqual({ node: 'cp-2', ageMs: 6000, freshForMs: 5000 });
  });
});

test('another machine at the address of this one is its own refusal', async () => {
  const wrong = talosFailure('talos/wrong-machine', { node: 'cp-2', address: '10.0.0.1', expected: 'cp-2', found: 'cp-9' } as never);
  const { check } = gatesWith(() => ({ verifyIdentity: async () => Promise.reject(new TkError(wrong)) }));
  expect(codeOf((await check({ node: cp2 })).get('identity'))).toBe('refused talos/wrong-machine');
});

test('nothing is asked twice: the version comes with the identity, and operators that are not installed are known by one list', async () => {
  const asked: string[] = [];
  const kube = kubeOf([
    { apiVersion: 'ceph.rook.io/v1', kind: 'CephCluster', metadata: { name: 'rook' }, status: {} } as unknown as KubeObject,
  ]);
  const told =
    <A extends readonly unknown[], R>(what: (...args: A) => string, call: (...args: A) => R) =>
    (...args: A): R => {
      asked.push(what(...args));
      return call(...args);
    };
  const reader: KubeReader = {
    ...kube,
    serves: told((kind) => `serves ${kind.kind}`, kube.serves),
    list: told((kind) => `list ${kind.kind}`, kube.list),
    groupVersions: told((signal: AbortSignal) => (signal.aborted ? 'aborted' : 'groups'), kube.groupVersions),
  };
  const verifyIdentity = told(
    (node: NodeModel) => `identity of ${node.name}`,
    async () => ({ version: { tag: 'v1.14.0' } }),
  );
  const read = told(
    (node: NodeModel) => `version of ${node.name}`,
    async () => ({ tag: 'v1.14.0' }),
  ) as unknown as GateParts['connections']['read'];
  const { check } = gatesWith(() => ({
    access: { reader: async () => reader } as unknown as KubeAccess,
    connections: { read } as unknown as GateParts['connections'],
    verifyIdentity,
  }));
  const answers = await check({ node: worker, etcd: 'none', toVersion: 'v1.14.1' });
  expect([codeOf(answers.get('version-path')), codeOf(answers.get('ceph')), asked.toSorted()]).toEqual([
    'passed',
    'refused gate/not-well',
    ['groups', 'identity of worker-1', 'list CephCluster', 'list Node', 'serves CephCluster'],
  ]);
});

test('an API server that does not answer is one refusal; with a reason the gates that would ask it are left out', async () => {
  const down = new TkError(baseFailure('wait/timeout', { waitingFor: 'the API server', deadlineMs: 1 }));
  const { check } = gatesWith(() => ({ access: { reader: async () => Promise.reject(down) } as unknown as KubeAccess }));
  const answers = await check({ node: cp1 });
  expect([...answers].filter(([, { state }]) => state === 'refused').map(([gate, answer]) => `${gate}: ${codeOf(answer)}`)).toEqual([
    'kubernetes: refused gate/kubernetes',
  ]);
  expect(answers.get('one-at-a-time')?.state).toBe('skipped');
  expect(answers.get('etcd-quorum')?.state).toBe('passed');
  const overridden = (await check({ node: cp1 }, new Map([['kubernetes', 'it is down, that is why']]))).get('kubernetes');
  expect(overridden).toMatchObject({ state: 'overridden', reason: 'it is down, that is why', failures: [{ code: 'gate/kubernetes' }] });
});

test('a gate that cannot find out, and one that never answers, refuse; what an override names is that gate alone', async () => {
  const { check } = gatesWith((clock) => ({
    configured: [
      {
        name: 'broken',
        check: async () => Promise.reject(new TkError(baseFailure('wait/timeout', { waitingFor: 'a job', deadlineMs: 1 }))),
      },
      { name: 'endless', check: ({ signal }) => clock.sleep(3_600_000, signal).then(() => refusedBecause('too late')) },
      { name: 'sad', check: async () => refusedBecause('it rains') },
    ],
  }));
  const answers = await check({ node: worker, etcd: 'none' }, new Map([['sad', 'we have umbrellas']]));
  expect(['broken', 'endless', 'sad'].map((gate) => codeOf(answers.get(gate)))).toEqual([
    'refused gate/unknown',
    'refused gate/unknown',
    'overridden gate/not-well',
  ]);
  const endless = answers.get('endless');
  expect(endless?.state === 'refused' && endless.failures[0].cause).toMatchObject({ code: 'wait/timeout', facts: { deadlineMs: 45_000 } });
});

test('volumes that are attached hold a machine back once it was drained', async () => {
  const attachment = {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'VolumeAttachment',
    metadata: { name: 'csi-1' },
    spec: { nodeName: 'worker-1', source: { persistentVolumeName: 'pv-1' } },
  } as unknown as KubeObject;
  const { check } = gatesWith(() => ({ access: { reader: async () => kubeOf([attachment]) } as unknown as KubeAccess }));
  const before = (await check({ node: worker, etcd: 'none' })).get('volumes');
  const after = (await check({ node: worker, etcd: 'none', isDrained: true })).get('volumes');
  expect([codeOf(before), codeOf(after)]).toEqual(['skipped', 'refused gate/volumes']);
  expect(after?.state === 'refused' && after.failures[0].facts).toEqual({ node: 'worker-1', volumes: ['pv-1'] });
});
