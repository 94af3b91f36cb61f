import type { Json } from '../../base/index.ts';
import type { KubeletFacts } from '../kube-door.ts';
import { readyKey } from './admission.ts';
import { isPodReady } from './eviction.ts';
import { builtIn } from './kinds.ts';
import type { KubeState } from './state.ts';
import { listAt, numberAt, type Obj, objAt, textAt, type Value } from './value.ts';
import { controllerOf, stopPod } from './workloads.ts';

const nodes = builtIn('v1', 'Node');
const pods = builtIn('v1', 'Pod');
const leases = builtIn('coordination.k8s.io/v1', 'Lease');
const jobs = builtIn('batch/v1', 'Job');

interface Kubelet extends KubeletFacts {
  readonly isUp: boolean;
  readonly boots: number;
}

const kubeletKey = (node: string): string => `kube/kubelets/${node}`;
const startedKey = (pod: Obj): string => `kube/started/${textAt(pod, 'metadata', 'uid')}`;
const imageKey = (node: string, image: string): string => `kube/images/${node}/${image}`;

export const kubeletOf = (state: KubeState, node: string): Kubelet | undefined =>
  state.kernel.store.get<Json>(kubeletKey(node)) as unknown as Kubelet | undefined;
export const kubelets = (state: KubeState): readonly Kubelet[] =>
  state.kernel.store.keys('kube/kubelets/').map((key) => state.kernel.store.get<Json>(key) as unknown as Kubelet);

export const notReadyTaints: readonly Obj[] = [
  { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/not-ready', effect: 'NoExecute' },
];
const lostTaints: readonly Obj[] = [
  { key: 'node.kubernetes.io/unreachable', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/unreachable', effect: 'NoExecute' },
];
const isConditionTaint = (taint: Value) => /^node\.kubernetes\.io\/(not-ready|unreachable)$/.test(textAt(taint, 'key'));

const at = (state: KubeState, inMs: number, kind: string, key: string, data?: Json) =>
  state.kernel.schedule({
    atMs: state.kernel.clock.monotonicMs() + inMs,
    model: 'kube',
    kind,
    key,
    ...(data === undefined ? {} : { data }),
  });

export function kubeletUp(state: KubeState, facts: KubeletFacts): void {
  const before = kubeletOf(state, facts.name);
  state.kernel.store.set(kubeletKey(facts.name), { ...facts, isUp: true, boots: (before?.boots ?? 0) + 1 } as unknown as Json);
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

const podsOn = (state: KubeState, node: string): readonly Obj[] =>
  state.list(pods).filter((pod) => textAt(pod, 'spec', 'nodeName') === node);

/** The Node object as the kubelet of this boot writes it; NotReady until a CNI runs. Needs an API server: asks again until there is one. */
export function register(state: KubeState, node: string): void {
  const kubelet = kubeletOf(state, node);
  if (!kubelet?.isUp) return;
  if (!state.host.etcdHasQuorum() || state.host.apiServers().length === 0) {
    at(state, 1000, 'register', node);
    return;
  }
  const before = state.get(nodes, undefined, node);
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
        bootID: state.newUid(),
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

export const isMirror = (pod: Obj): boolean => objAt(pod, 'metadata', 'annotations')['kubernetes.io/config.mirror'] !== undefined;

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
  const running = all.filter((pod) => isPodReady(pod) && state.kernel.store.get(readyKey(pod)) !== undefined);
  for (const node of state.list(nodes)) {
    const name = textAt(node, 'metadata', 'name');
    const kubelet = kubeletOf(state, name);
    if (!kubelet?.isUp) continue;
    const isReady = listAt(node, 'status', 'conditions').some((one) => textAt(one, 'type') === 'Ready' && textAt(one, 'status') === 'True');
    const hasNetwork = running.some((pod) => textAt(pod, 'spec', 'nodeName') === name && bringsNetwork(pod));
    const key = `kube/node-ready/${name}`;
    if (!isReady && hasNetwork && state.kernel.store.get<number>(key) !== kubelet.boots) {
      state.kernel.store.set(key, kubelet.boots);
      at(state, state.between('node', state.timings.nodeReadyMs), 'node-ready', name);
    }
  }
  if (running.some((pod) => textAt(pod, 'metadata', 'name').includes('cloud-controller-manager')))
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
  const fresh = state.get(nodes, undefined, name);
  if (fresh && listAt(fresh, 'spec', 'taints').some((taint) => textAt(taint, 'key') === 'node.cilium.io/agent-not-ready'))
    untaint(state, 'node.cilium.io/agent-not-ready');
}

/** Starts what is assigned and not started, and ends what is to end. */
export function syncPods(state: KubeState): void {
  const ready = new Map<string, boolean>();
  const networkOf = (node: string): boolean => {
    const known = ready.get(node);
    if (known !== undefined) return known;
    const isUp = listAt(state.get(nodes, undefined, node), 'status', 'conditions').some(
      (one) => textAt(one, 'type') === 'Ready' && textAt(one, 'status') === 'True',
    );
    ready.set(node, isUp);
    return isUp;
  };
  for (const pod of state.list(pods)) {
    const node = textAt(pod, 'spec', 'nodeName');
    if (node === '' || isMirror(pod) || !kubeletOf(state, node)?.isUp || !state.get(nodes, undefined, node)) continue;
    const uid = textAt(pod, 'metadata', 'uid');
    if (objAt(pod, 'metadata').deletionTimestamp !== undefined) {
      const key = `kube/ending/${uid}`;
      if (state.kernel.store.get(key)) continue;
      state.kernel.store.set(key, true);
      at(state, 1500, 'pod-gone', uid, refOf(pod));
      continue;
    }
    if (state.kernel.store.get(startedKey(pod)) || ['Succeeded', 'Failed'].includes(textAt(pod, 'status', 'phase'))) continue;
    if (objAt(pod, 'spec').hostNetwork !== true && !networkOf(node)) {
      waitingContainers(state, pod, 'ContainerCreating');
      continue;
    }
    state.kernel.store.set(startedKey(pod), true);
    pull(state, pod);
  }
}

const refOf = (pod: Obj): Json => ({
  namespace: textAt(pod, 'metadata', 'namespace'),
  name: textAt(pod, 'metadata', 'name'),
  uid: textAt(pod, 'metadata', 'uid'),
});

function podOf(state: KubeState, data: Json | undefined): Obj | undefined {
  const pod = state.get(pods, textAt(data, 'namespace'), textAt(data, 'name'));
  return pod && textAt(pod, 'metadata', 'uid') === textAt(data, 'uid') ? pod : undefined;
}

const containersOf = (pod: Obj): Value[] => listAt(pod, 'spec', 'containers');

function pull(state: KubeState, pod: Obj): void {
  const node = textAt(pod, 'spec', 'nodeName');
  let takesMs = 200;
  for (const container of [...listAt(pod, 'spec', 'initContainers'), ...containersOf(pod)]) {
    const image = textAt(container, 'image');
    if (state.kernel.store.get(imageKey(node, image))) continue;
    const fault = state.kernel.fault('kube/image-pull', { node, image });
    if (fault) {
      waitingContainers(
        state,
        pod,
        'ImagePullBackOff',
        `Back-off pulling image "${image}": ErrImagePull: failed to pull and unpack image "${image}": not found`,
      );
      at(state, Number(fault.facts.forMs ?? 10_000), 'pod-pull', textAt(pod, 'metadata', 'uid'), refOf(pod));
      return;
    }
    takesMs += state.between(`image/${node}`, state.timings.imagePullMs);
  }
  waitingContainers(state, pod, 'ContainerCreating');
  at(state, takesMs, 'pod-run', textAt(pod, 'metadata', 'uid'), refOf(pod));
}

function waitingContainers(state: KubeState, pod: Obj, reason: string, message?: string): void {
  const statuses = containersOf(pod).map(
    (container): Obj => containerStatus(pod, container, { waiting: { reason, ...(message === undefined ? {} : { message }) } }, false),
  );
  const before = listAt(pod, 'status', 'containerStatuses')[0];
  if (textAt(objAt(before, 'state', 'waiting'), 'reason') === reason) return;
  const hostIP = hostAddress(state, pod);
  state.put(pods, {
    ...pod,
    status: {
      ...objAt(pod, 'status'),
      phase: 'Pending',
      ...(hostIP === '' ? {} : { hostIP, hostIPs: [{ ip: hostIP }] }),
      startTime: textAt(pod, 'status', 'startTime') || state.timestamp(),
      conditions: podConditions(state, pod, false, 'ContainersNotReady'),
      containerStatuses: statuses,
    },
  });
}

const hostAddress = (state: KubeState, pod: Obj): string => kubeletOf(state, textAt(pod, 'spec', 'nodeName'))?.addresses[0] ?? '';

function containerStatus(pod: Obj, container: Value, itsState: Obj, ready: boolean): Obj {
  const name = textAt(container, 'name');
  const before = listAt(pod, 'status', 'containerStatuses').find((one) => textAt(one, 'name') === name);
  const image = textAt(container, 'image');
  return {
    name,
    state: itsState,
    lastState: {},
    ready,
    restartCount: numberAt(before ?? {}, 'restartCount') ?? 0,
    image,
    imageID: ready ? image : '',
    started: ready,
  };
}

function podConditions(state: KubeState, pod: Obj, isReady: boolean, reason: string): Obj[] {
  const make = (type: string, isTrue: boolean): Obj => {
    const before = listAt(pod, 'status', 'conditions').find((one) => textAt(one, 'type') === type);
    const status = isTrue ? 'True' : 'False';
    const since = textAt(before ?? {}, 'status') === status ? textAt(before ?? {}, 'lastTransitionTime') : state.timestamp();
    return { type, status, lastProbeTime: null, lastTransitionTime: since, ...(isTrue || reason === '' ? {} : { reason }) };
  };
  return [
    make('PodReadyToStartContainers', isReady),
    make('Initialized', true),
    make('Ready', isReady),
    make('ContainersReady', isReady),
    make('PodScheduled', true),
  ];
}

/** Timers of pods. Those of a machine that went away meanwhile come to nothing. */
export function onPodTimer(state: KubeState, kind: string, data: Json | undefined): void {
  const pod = podOf(state, data);
  if (!pod) return;
  const node = textAt(pod, 'spec', 'nodeName');
  if (kind === 'pod-gone') {
    state.kernel.store.delete(readyKey(pod));
    state.kernel.store.delete(startedKey(pod));
    state.kernel.store.delete(`kube/ending/${textAt(pod, 'metadata', 'uid')}`);
    if (kubeletOf(state, node)?.isUp) state.remove(pods, pod);
    return;
  }
  if (objAt(pod, 'metadata').deletionTimestamp !== undefined || !kubeletOf(state, node)?.isUp || !state.kernel.store.get(startedKey(pod)))
    return;
  const isOfJob =
    listAt(pod, 'metadata', 'ownerReferences').some((owner) => textAt(owner, 'kind') === 'Job') ||
    textAt(pod, 'spec', 'restartPolicy') !== 'Always';
  switch (kind) {
    case 'pod-pull':
      pull(state, pod);
      return;
    case 'pod-run':
      for (const container of [...listAt(pod, 'spec', 'initContainers'), ...containersOf(pod)])
        state.kernel.store.set(imageKey(node, textAt(container, 'image')), true);
      setRunning(state, pod, isOfJob);
      at(
        state,
        isOfJob ? state.between('job', state.timings.jobRunMs) : state.between('start', state.timings.startMs),
        isOfJob ? 'pod-done' : 'pod-ready',
        textAt(pod, 'metadata', 'uid'),
        refOf(pod),
      );
      return;
    case 'pod-ready': {
      const fault = state.kernel.fault('kube/pod-start', {
        node,
        namespace: textAt(pod, 'metadata', 'namespace'),
        pod: textAt(pod, 'metadata', 'name'),
      });
      if (fault) {
        at(state, Number(fault.facts.forMs ?? 20_000), 'pod-ready', textAt(pod, 'metadata', 'uid'), refOf(pod));
        return;
      }
      setRunning(state, pod, true);
      state.kernel.store.set(readyKey(pod), state.kernel.clock.monotonicMs());
      return;
    }
    default: {
      const hasFailed =
        state.kernel.fault('kube/job', { namespace: textAt(pod, 'metadata', 'namespace'), job: jobOf(state, pod) }) !== undefined;
      const ended: Obj = {
        exitCode: hasFailed ? 1 : 0,
        reason: hasFailed ? 'Error' : 'Completed',
        startedAt: textAt(pod, 'status', 'startTime'),
        finishedAt: state.timestamp(),
      };
      const statuses = containersOf(pod).map((container) => containerStatus(pod, container, { terminated: ended }, false));
      state.put(pods, {
        ...pod,
        status: {
          ...objAt(pod, 'status'),
          phase: hasFailed ? 'Failed' : 'Succeeded',
          conditions: podConditions(state, pod, false, hasFailed ? 'PodFailed' : 'PodCompleted'),
          containerStatuses: statuses,
        },
      });
    }
  }
}

const jobOf = (state: KubeState, pod: Obj): string => {
  const owner = controllerOf(pod);
  return textAt(
    state.list(jobs, textAt(pod, 'metadata', 'namespace')).find((job) => textAt(job, 'metadata', 'uid') === owner) ?? {},
    'metadata',
    'name',
  );
};

function setRunning(state: KubeState, pod: Obj, isReady: boolean): void {
  const hostIP = hostAddress(state, pod);
  const ip =
    objAt(pod, 'spec').hostNetwork === true ? hostIP : textAt(pod, 'status', 'podIP') || podAddress(state, textAt(pod, 'spec', 'nodeName'));
  state.put(pods, {
    ...pod,
    status: {
      ...objAt(pod, 'status'),
      phase: 'Running',
      hostIP,
      hostIPs: [{ ip: hostIP }],
      podIP: ip,
      podIPs: [{ ip }],
      startTime: textAt(pod, 'status', 'startTime') || state.timestamp(),
      conditions: podConditions(state, pod, isReady, 'ContainersNotReady'),
      containerStatuses: containersOf(pod).map((container) =>
        containerStatus(pod, container, { running: { startedAt: state.timestamp() } }, isReady),
      ),
    },
  });
}

function podAddress(state: KubeState, node: string): string {
  const index = kubelets(state).findIndex((kubelet) => kubelet.name === node);
  const next = (state.kernel.store.get<number>(`kube/addresses/${node}`) ?? 1) + 1;
  state.kernel.store.set(`kube/addresses/${node}`, next);
  return `10.244.${Math.max(0, index)}.${next % 254}`;
}

/** After a reboot the containers start anew, from images that are still there. */
function restart(state: KubeState, pod: Obj): void {
  state.kernel.store.delete(readyKey(pod));
  state.kernel.store.delete(startedKey(pod));
  if (isMirror(pod) || ['Succeeded', 'Failed', 'Pending'].includes(textAt(pod, 'status', 'phase'))) return;
  const statuses = containersOf(pod).map((container): Obj => {
    const status = containerStatus(pod, container, { waiting: { reason: 'ContainerCreating' } }, false);
    return { ...status, restartCount: Number(status.restartCount) + 1 };
  });
  state.put(pods, {
    ...pod,
    status: { ...objAt(pod, 'status'), conditions: podConditions(state, pod, false, 'ContainersNotReady'), containerStatuses: statuses },
  });
}
