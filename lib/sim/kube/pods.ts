import type { Json } from '../../base/index.ts';
import { readyKey } from './admission.ts';
import { builtIn } from './kinds.ts';
import { at, kubeletOf, kubelets, startedKey } from './kubelets.ts';
import type { KubeState } from './state.ts';
import { listAt, numberAt, type Obj, objAt, textAt, type Value } from './value.ts';
import { hasVolumes } from './volumes.ts';
import { controllerOf } from './workloads.ts';

const nodes = builtIn('v1', 'Node');
const pods = builtIn('v1', 'Pod');
const jobs = builtIn('batch/v1', 'Job');

const imageKey = (node: string, image: string): string => `kube/images/${node}/${image}`;

export const isMirror = (pod: Obj): boolean => objAt(pod, 'metadata', 'annotations')['kubernetes.io/config.mirror'] !== undefined;

/**
 * Starts what is assigned and not started, and ends what is to end.
 * Source: kubernetes pkg/kubelet/kubelet_pods.go, pkg/kubelet/status, pkg/kubelet/images
 */
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
      at(state, stopsInMs(state, pod), 'pod-gone', uid, refOf(pod));
      continue;
    }
    if (state.kernel.store.get(startedKey(pod)) || ['Succeeded', 'Failed'].includes(textAt(pod, 'status', 'phase'))) continue;
    if (objAt(pod, 'spec').hostNetwork !== true && !networkOf(node)) {
      waitingContainers(state, pod, 'ContainerCreating');
      continue;
    }
    if (!hasVolumes(state, pod)) {
      waitingContainers(state, pod, 'ContainerCreating');
      continue;
    }
    state.kernel.store.set(startedKey(pod), true);
    pull(state, pod);
  }
}

/**
 * A process that is asked to stop needs a moment, or longer; after its grace period it is killed, unless it waits for a disk or a
 * mount that does not answer: then its pod stays `Terminating` for as long as that lasts.
 * Source: kubernetes pkg/kubelet/kuberuntime/kuberuntime_container.go (killContainer)
 */
function stopsInMs(state: KubeState, pod: Obj): number {
  const graceMs = (numberAt(pod, 'metadata', 'deletionGracePeriodSeconds') ?? 30) * 1000;
  const facts = { namespace: textAt(pod, 'metadata', 'namespace'), pod: textAt(pod, 'metadata', 'name') };
  const fault = state.kernel.fault('kube/pod-stop', facts);
  const neededMs = 1500 + Number(fault?.facts.forMs ?? 0);
  return fault?.kind === 'stuck' ? neededMs : Math.min(neededMs, Math.max(graceMs, 200) + 1000);
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

export function podConditions(state: KubeState, pod: Obj, isReady: boolean, reason: string): Obj[] {
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
export function restart(state: KubeState, pod: Obj): void {
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
