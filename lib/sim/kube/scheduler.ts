import { builtIn } from './kinds.ts';
import { matchesExpression, matchesSelector } from './selectors.ts';
import type { KubeState } from './state.ts';
import { equal, listAt, type Obj, objAt, textAt, type Value } from './value.ts';

const pods = builtIn('v1', 'Pod');
const nodes = builtIn('v1', 'Node');

const tolerates = (toleration: Value, taint: Value): boolean => {
  const effect = textAt(toleration, 'effect');
  if (effect !== '' && effect !== textAt(taint, 'effect')) return false;
  const key = textAt(toleration, 'key');
  if (key === '') return textAt(toleration, 'operator') === 'Exists';
  return (
    key === textAt(taint, 'key') && (textAt(toleration, 'operator') === 'Exists' || textAt(toleration, 'value') === textAt(taint, 'value'))
  );
};

/** Why a pod cannot run on a node, in the scheduler's words; undefined when it can. */
export function schedulable(spec: Obj, node: Obj): string | undefined {
  const tolerations = listAt(spec, 'tolerations');
  if (
    objAt(node, 'spec').unschedulable === true &&
    !tolerations.some((one) => tolerates(one, { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }))
  )
    return 'node(s) were unschedulable';
  for (const taint of listAt(node, 'spec', 'taints')) {
    if (textAt(taint, 'effect') === 'PreferNoSchedule' || tolerations.some((one) => tolerates(one, taint))) continue;
    return `node(s) had untolerated taint(s)`;
  }
  const labels = objAt(node, 'metadata', 'labels');
  const terms = listAt(spec, 'affinity', 'nodeAffinity', 'requiredDuringSchedulingIgnoredDuringExecution', 'nodeSelectorTerms');
  const affinity = objAt(spec, 'affinity', 'nodeAffinity', 'requiredDuringSchedulingIgnoredDuringExecution');
  const isLiked =
    affinity.nodeSelectorTerms === undefined ||
    terms.some(
      (term) =>
        listAt(term, 'matchExpressions').every((one) => matchesExpression(one, labels)) &&
        listAt(term, 'matchFields').every((one) => matchesExpression(one, { 'metadata.name': textAt(node, 'metadata', 'name') })),
    );
  const isSelected = Object.entries(objAt(spec, 'nodeSelector')).every(([key, value]) => labels[key] === value);
  return isLiked && isSelected ? undefined : "node(s) didn't match Pod's node affinity/selector";
}

/** Pending pods go to the fitting node that has the fewest. Source: kubernetes pkg/scheduler */
export function syncScheduler(state: KubeState): void {
  const all = state.list(pods);
  const waiting = all.filter(
    (pod) =>
      textAt(pod, 'spec', 'nodeName') === '' &&
      objAt(pod, 'metadata').deletionTimestamp === undefined &&
      textAt(pod, 'status', 'phase') === 'Pending',
  );
  if (waiting.length === 0) return;
  const machines = state.list(nodes);
  const load = new Map<string, Obj[]>(machines.map((node) => [textAt(node, 'metadata', 'name'), []]));
  for (const pod of all) load.get(textAt(pod, 'spec', 'nodeName'))?.push(pod);
  for (const pod of waiting) {
    const spec = objAt(pod, 'spec');
    const reasons = new Map<string, number>();
    const fitting: string[] = [];
    for (const node of machines) {
      const name = textAt(node, 'metadata', 'name');
      const refused = schedulable(spec, node) ?? avoided(spec, load.get(name) ?? []);
      if (refused === undefined) fitting.push(name);
      else reasons.set(refused, (reasons.get(refused) ?? 0) + 1);
    }
    fitting.sort((a, b) => (load.get(a)?.length ?? 0) - (load.get(b)?.length ?? 0) || (a < b ? -1 : 1));
    const [chosen] = fitting;
    if (chosen === undefined) {
      const why = [...reasons].map(([reason, count]) => `${count} ${reason}`).join(', ');
      const message = machines.length === 0 ? 'no nodes available to schedule pods' : `0/${machines.length} nodes are available: ${why}.`;
      const before = listAt(pod, 'status', 'conditions').find((one) => textAt(one, 'type') === 'PodScheduled');
      if (textAt(before ?? {}, 'message') === message) continue;
      state.put(pods, {
        ...pod,
        status: {
          ...objAt(pod, 'status'),
          conditions: [
            {
              type: 'PodScheduled',
              status: 'False',
              lastProbeTime: null,
              lastTransitionTime: state.timestamp(),
              reason: 'Unschedulable',
              message,
            },
          ],
        },
      });
      continue;
    }
    load.get(chosen)?.push(pod);
    state.put(pods, {
      ...pod,
      spec: { ...spec, nodeName: chosen },
      status: {
        ...objAt(pod, 'status'),
        conditions: [{ type: 'PodScheduled', status: 'True', lastProbeTime: null, lastTransitionTime: state.timestamp() }],
      },
    });
  }
}

/** Required anti-affinity by host name, and host ports. */
function avoided(spec: Obj, there: readonly Obj[]): string | undefined {
  for (const term of listAt(spec, 'affinity', 'podAntiAffinity', 'requiredDuringSchedulingIgnoredDuringExecution')) {
    if (textAt(term, 'topologyKey') !== 'kubernetes.io/hostname') continue;
    if (there.some((pod) => matchesSelector(objAt(term).labelSelector, objAt(pod, 'metadata', 'labels'))))
      return "node(s) didn't match pod anti-affinity rules";
  }
  const portsOf = (its: Obj) =>
    listAt(its, 'containers').flatMap((container) =>
      listAt(container, 'ports')
        .map((port) => objAt(port).hostPort)
        .filter((port) => port !== undefined),
    );
  const wanted = portsOf(spec);
  const taken = there.flatMap((pod) => portsOf(objAt(pod, 'spec')));
  return wanted.some((port) => taken.some((other) => equal(port, other)))
    ? "node(s) didn't have free ports for the requested pod ports"
    : undefined;
}
