import type { Json } from '../../base/index.ts';
import type { KubeletFacts } from '../kube-door.ts';
import { builtIn } from './kinds.ts';
import type { KubeState } from './state.ts';
import { type Obj, textAt } from './value.ts';

const pods = builtIn('v1', 'Pod');

/** A kubelet as the simulation keeps it: what the machine said, and how often it came up. */
export interface Kubelet extends KubeletFacts {
  readonly isUp: boolean;
  readonly boots: number;
}

export const kubeletKey = (node: string): string => `kube/kubelets/${node}`;
/** Set while the kubelet of this boot runs the pod. */
export const startedKey = (pod: Obj): string => `kube/started/${textAt(pod, 'metadata', 'uid')}`;

export const kubeletOf = (state: KubeState, node: string): Kubelet | undefined =>
  state.kernel.store.get<Json>(kubeletKey(node)) as unknown as Kubelet | undefined;
export const kubelets = (state: KubeState): readonly Kubelet[] =>
  state.kernel.store.keys('kube/kubelets/').map((key) => state.kernel.store.get<Json>(key) as unknown as Kubelet);

/** One stored timer of the model. */
export const at = (state: KubeState, inMs: number, kind: string, key: string, data?: Json) =>
  state.kernel.schedule({
    atMs: state.kernel.clock.monotonicMs() + inMs,
    model: 'kube',
    kind,
    key,
    ...(data === undefined ? {} : { data }),
  });

export const podsOn = (state: KubeState, node: string): readonly Obj[] =>
  state.list(pods).filter((pod) => textAt(pod, 'spec', 'nodeName') === node);
