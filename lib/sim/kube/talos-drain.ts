import { ApiError } from './errors.ts';
import { evict } from './eviction.ts';
import { builtIn } from './kinds.ts';
import { podsOn } from './kubelets.ts';
import { isMirror } from './pods.ts';
import type { KubeState } from './state.ts';
import { listAt, type Obj, objAt, textAt } from './value.ts';
import type { Writes } from './writes.ts';

const nodes = builtIn('v1', 'Node');
const pods = builtIn('v1', 'Pod');
const cordonedBy = 'talos.dev/cordoned';

/** A mark that somebody else made is left alone. Source: Talos v1.13.9 internal/app/machined/pkg/controllers/k8s/node_apply.go (ApplyCordoned) */
export function setCordoned(state: KubeState, name: string, isCordoned: boolean): void {
  const node = state.get(nodes, undefined, name);
  if (!node || !state.host.etcdHasQuorum() || state.host.apiServers().length === 0) return;
  const { unschedulable, ...spec } = objAt(node, 'spec');
  const metadata = objAt(node, 'metadata');
  const { [cordonedBy]: own, ...annotations } = objAt(metadata, 'annotations');
  if (isCordoned && unschedulable !== true) {
    state.put(nodes, {
      ...node,
      metadata: { ...metadata, annotations: { ...annotations, [cordonedBy]: 'true' } },
      spec: { ...spec, unschedulable: true },
    });
  } else if (!isCordoned && unschedulable === true && own !== undefined) {
    state.put(nodes, { ...node, metadata: { ...metadata, annotations }, spec });
  }
}

/** One round of eviction; refusals are tried again in the next. Source: Talos v1.12.11 pkg/kubernetes/kubernetes.go (Drain, evict) */
export function drainRound(state: KubeState, writes: Writes, node: string): number {
  if (!state.host.etcdHasQuorum() || state.host.apiServers().length === 0) return 0;
  let left = 0;
  for (const pod of podsOn(state, node)) {
    const controller = listAt(pod, 'metadata', 'ownerReferences').find((owner) => objAt(owner).controller === true);
    if (isMirror(pod) || controller === undefined || textAt(controller, 'kind') === 'DaemonSet') continue;
    left += 1;
    if (objAt(pod, 'metadata').deletionTimestamp !== undefined) continue;
    const [namespace, name] = [textAt(pod, 'metadata', 'namespace'), textAt(pod, 'metadata', 'name')];
    const body: Obj = { metadata: { name, namespace }, deleteOptions: { gracePeriodSeconds: 60 } };
    try {
      evict(state, writes, { kind: pods, namespace, name, subresource: 'eviction' }, body);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
    }
  }
  return left;
}
