import type { Json } from '../../base/index.ts';
import type { KubeletFacts } from '../kube-door.ts';
import { readyKey } from './admission.ts';
import { isPodReady } from './eviction.ts';
import { builtIn } from './kinds.ts';
import { at, kubeletKey, kubeletOf, podsOn, startedKey } from './kubelets.ts';
import { isMirror, podConditions, restart } from './pods.ts';
import type { KubeState } from './state.ts';
import { listAt, numberAt, type Obj, objAt, textAt, type Value } from './value.ts';
import { stopPod } from './workloads.ts';

const nodes = builtIn('v1', 'Node');
const pods = builtIn('v1', 'Pod');
const leases = builtIn('coordination.k8s.io/v1', 'Lease');

const notReadyTaints: readonly Obj[] = [
  { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/not-ready', effect: 'NoExecute' },
];
const lostTaints: readonly Obj[] = [
  { key: 'node.kubernetes.io/unreachable', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/unreachable', effect: 'NoExecute' },
];
const isConditionTaint = (taint: Value) => /^node\.kubernetes\.io\/(not-ready|unreachable)$/.test(textAt(taint, 'key'));

export function kubeletUp(state: KubeState, facts: KubeletFacts): void {
  const before = kubeletOf(state, facts.name);
  state.kernel.store.set(kubeletKey(facts.name), {
    ...facts,
    isUp: true,
    boots: (before?.boots ?? 0) + (facts.keepsPods && before ? 0 : 1),
  } as unknown as Json);
  state.kernel.cancel('kube', 'node-lost', facts.name);
  state.kernel.cancel('kube', 'register', facts.name);
  at(state, 500, 'register', facts.name);
}

export function kubeletDown(state: KubeState, node: string): void {
  const kubelet = kubeletOf(state, node);
  if (!kubelet?.isUp) return;
  state.kernel.store.set(kubeletKey(node), { ...kubelet, isUp: false } as unknown as Json);
  for (const pod of podsOn(state, node)) {
    state.kernel.store.delete(readyKey(pod));
    state.kernel.store.delete(startedKey(pod));
  }
  at(state, state.timings.nodeGraceMs, 'node-lost', node);
}

/**
 * The Node object as the kubelet of this boot writes it; NotReady until a CNI runs. Needs an API server: asks again until there is
 * one.
 * Source: kubernetes pkg/kubelet/kubelet_node_status.go, pkg/controller/nodelifecycle
 */
export function register(state: KubeState, node: string): void {
  const kubelet = kubeletOf(state, node);
  if (!kubelet?.isUp) return;
  if (!state.host.etcdHasQuorum() || state.host.apiServers().length === 0) {
    at(state, 1000, 'register', node);
    return;
  }
  const before = state.get(nodes, undefined, node);
  if (before && kubelet.keepsPods) {
    refresh(state, before, kubelet);
    return;
  }
  const labels: Obj = {
    'beta.kubernetes.io/arch': 'amd64',
    'beta.kubernetes.io/os': 'linux',
    'kubernetes.io/arch': 'amd64',
    'kubernetes.io/hostname': node,
    'kubernetes.io/os': 'linux',
    ...(kubelet.role === 'controlplane' ? { 'node-role.kubernetes.io/control-plane': '' } : {}),
    ...kubelet.labels,
  };
  const kept = listAt(before, 'spec', 'taints').filter((taint) => !isConditionTaint(taint));
  const own = before === undefined ? kubelet.taints.map((taint): Obj => ({ ...taint })) : kept;
  const capacity: Obj = { cpu: '4', 'ephemeral-storage': '100Gi', memory: '8148564Ki', pods: '110' };
  state.put(nodes, {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      ...objAt(before, 'metadata'),
      name: node,
      uid: textAt(before, 'metadata', 'uid') || state.newUid(),
      creationTimestamp: textAt(before, 'metadata', 'creationTimestamp') || state.timestamp(),
      labels: { ...objAt(before, 'metadata', 'labels'), ...labels },
    },
    spec: {
      ...objAt(before, 'spec'),
      ...(kubelet.podCidr === undefined ? {} : { podCIDR: kubelet.podCidr, podCIDRs: [kubelet.podCidr] }),
      taints: [...own, ...notReadyTaints],
    },
    status: {
      ...objAt(before, 'status'),
      addresses: [...kubelet.addresses.map((address): Obj => ({ type: 'InternalIP', address })), { type: 'Hostname', address: node }],
      capacity,
      allocatable: { ...capacity, cpu: '3950m', memory: '7521876Ki' },
      conditions: [
        ...['MemoryPressure', 'DiskPressure', 'PIDPressure'].map((type) =>
          nodeCondition(
            state,
            type,
            'False',
            `KubeletHas${type === 'MemoryPressure' ? 'SufficientMemory' : type === 'DiskPressure' ? 'NoDiskPressure' : 'SufficientPID'}`,
            '',
          ),
        ),
        notReady(state),
      ],
      daemonEndpoints: { kubeletEndpoint: { Port: 10_250 } },
      nodeInfo: {
        machineID: textAt(before, 'status', 'nodeInfo', 'machineID') || state.newUid().replaceAll('-', ''),
        systemUUID: textAt(before, 'status', 'nodeInfo', 'systemUUID') || state.newUid(),
        bootID: kubelet.bootId ?? state.newUid(),
        kernelVersion: '6.18.2-talos',
        osImage: `Talos (${kubelet.talosVersion})`,
        containerRuntimeVersion: 'containerd://2.2.1',
        kubeletVersion: kubelet.kubernetesVersion,
        kubeProxyVersion: '',
        operatingSystem: 'linux',
        architecture: 'amd64',
      },
    },
  });
  if (!state.get(leases, 'kube-node-lease', node)) {
    state.put(leases, {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: node, namespace: 'kube-node-lease', uid: state.newUid(), creationTimestamp: state.timestamp() },
      spec: { holderIdentity: node, leaseDurationSeconds: 40, renewTime: `${state.timestamp().slice(0, -1)}.000000Z` },
    });
  }
  if (before) for (const pod of podsOn(state, node)) restart(state, pod);
  if (kubelet.role === 'controlplane') at(state, 500, 'static-pods', node);
}

/** What a kubelet that came anew on a running machine says differently: nothing that runs there is touched. */
function refresh(state: KubeState, node: Obj, kubelet: KubeletFacts): void {
  state.put(nodes, {
    ...node,
    metadata: { ...objAt(node, 'metadata'), labels: { ...objAt(node, 'metadata', 'labels'), ...kubelet.labels } },
    status: {
      ...objAt(node, 'status'),
      nodeInfo: { ...objAt(node, 'status', 'nodeInfo'), kubeletVersion: kubelet.kubernetesVersion },
    },
  });
  if (kubelet.role === 'controlplane') at(state, 500, 'static-pods', kubelet.name);
}

const nodeCondition = (state: KubeState, type: string, status: string, reason: string, message: string): Obj => ({
  type,
  status,
  lastHeartbeatTime: state.timestamp(),
  lastTransitionTime: state.timestamp(),
  reason,
  message,
});

const notReady = (state: KubeState): Obj =>
  nodeCondition(
    state,
    'Ready',
    'False',
    'KubeletNotReady',
    'container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized',
  );

function setNode(state: KubeState, node: Obj, ready: Obj, taints: readonly Obj[]): void {
  const conditions = listAt(node, 'status', 'conditions').filter((one) => textAt(one, 'type') !== 'Ready');
  const spec = objAt(node, 'spec');
  const all = [...listAt(spec, 'taints').filter((taint) => !isConditionTaint(taint)), ...taints];
  const { taints: _taints, ...rest } = spec;
  state.put(nodes, {
    ...node,
    spec: { ...rest, ...(all.length === 0 ? {} : { taints: all }) },
    status: { ...objAt(node, 'status'), conditions: [...conditions, ready] },
  });
}

/** Undefined while there is no such Node. */
export function isNodeReady(state: KubeState, name: string): boolean | undefined {
  const node = state.get(nodes, undefined, name);
  return node && listAt(node, 'status', 'conditions').some((one) => textAt(one, 'type') === 'Ready' && textAt(one, 'status') === 'True');
}

export function nodeLost(state: KubeState, name: string): void {
  const node = state.get(nodes, undefined, name);
  if (!node || kubeletOf(state, name)?.isUp) return;
  setNode(state, node, nodeCondition(state, 'Ready', 'Unknown', 'NodeStatusUnknown', 'Kubelet stopped posting node status.'), lostTaints);
  for (const pod of podsOn(state, name))
    if (isPodReady(pod))
      state.put(pods, { ...pod, status: { ...objAt(pod, 'status'), conditions: podConditions(state, pod, false, 'NodeNotReady') } });
  at(state, 300_000, 'evict-lost', name);
}

/** Pods do not wait for a machine that stays away longer than they tolerate. */
export function evictLost(state: KubeState, name: string): void {
  if (kubeletOf(state, name)?.isUp) return;
  for (const pod of podsOn(state, name)) {
    const forEver = listAt(pod, 'spec', 'tolerations').some(
      (one) => ['node.kubernetes.io/unreachable', ''].includes(textAt(one, 'key')) && numberAt(one, 'tolerationSeconds') === undefined,
    );
    if (!forEver && !isMirror(pod)) stopPod(state, pod);
  }
}

/** A pod that writes a CNI configuration onto its machine. */
function bringsNetwork(pod: Obj): boolean {
  const paths = listAt(pod, 'spec', 'volumes').map((volume) => textAt(objAt(volume, 'hostPath'), 'path'));
  if (paths.some((path) => /^\/etc\/cni(\/net\.d)?$/.test(path))) return true;
  const name = textAt(objAt(pod, 'metadata', 'labels'), 'k8s-app') || textAt(objAt(pod, 'metadata', 'labels'), 'app');
  return ['cilium', 'flannel', 'kube-flannel', 'calico-node'].includes(name);
}

/** Machines whose network came up say Ready a little later; taints that others wait to take away go with it. */
export function syncNodes(state: KubeState): void {
  const all = state.list(pods);
  const runs = (pod: Obj): boolean => isPodReady(pod) && state.kernel.store.get(readyKey(pod)) !== undefined;
  for (const node of state.list(nodes)) {
    const name = textAt(node, 'metadata', 'name');
    const kubelet = kubeletOf(state, name);
    if (!kubelet?.isUp) continue;
    const isReady = listAt(node, 'status', 'conditions').some((one) => textAt(one, 'type') === 'Ready' && textAt(one, 'status') === 'True');
    const key = `kube/node-ready/${name}`;
    if (isReady || state.kernel.store.get<number>(key) === kubelet.boots) continue;
    if (all.some((pod) => textAt(pod, 'spec', 'nodeName') === name && bringsNetwork(pod) && runs(pod))) {
      state.kernel.store.set(key, kubelet.boots);
      at(state, state.between('node', state.timings.nodeReadyMs), 'node-ready', name);
    }
  }
  if (all.some((pod) => textAt(pod, 'metadata', 'name').includes('cloud-controller-manager') && runs(pod)))
    untaint(state, 'node.cloudprovider.kubernetes.io/uninitialized');
}

function untaint(state: KubeState, key: string): void {
  for (const node of state.list(nodes)) {
    const taints = listAt(node, 'spec', 'taints');
    const rest = taints.filter((taint) => textAt(taint, 'key') !== key);
    if (rest.length === taints.length) continue;
    const { taints: _taints, ...spec } = objAt(node, 'spec');
    state.put(nodes, { ...node, spec: { ...spec, ...(rest.length === 0 ? {} : { taints: rest }) } });
  }
}

export function nodeReady(state: KubeState, name: string): void {
  const node = state.get(nodes, undefined, name);
  if (!node || !kubeletOf(state, name)?.isUp) return;
  setNode(state, node, nodeCondition(state, 'Ready', 'True', 'KubeletReady', 'kubelet is posting ready status'), []);
  state.kernel.emit({ kind: 'kube/node-ready', facts: { node: name } });
  const fresh = state.get(nodes, undefined, name);
  if (fresh && listAt(fresh, 'spec', 'taints').some((taint) => textAt(taint, 'key') === 'node.cilium.io/agent-not-ready'))
    untaint(state, 'node.cilium.io/agent-not-ready');
}
