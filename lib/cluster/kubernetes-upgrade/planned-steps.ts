import { count } from '../../base/index.ts';
import type { PlannedStep } from '../../core/index.ts';
import type { PinPlan } from '../pins/pins.ts';
import type { KubernetesPlan, ManifestSync, NodeRehearsal } from './kubernetes-upgrade.ts';

export interface KubernetesPlanView {
  readonly plan: KubernetesPlan;
  /** Whether images are pulled before the first change. */
  readonly pulls: boolean;
  /** Absent: the pins stay. */
  readonly pins?: PinPlan;
  /** Absent: no machine was asked what it would do. */
  readonly rehearsed?: readonly NodeRehearsal[];
  /** Absent: nobody asked the API server. */
  readonly manifests?: ManifestSync;
}

/** An upgrade of Kubernetes as a plan, with every call that would change something. Pure. */
export function planKubernetesSteps({ plan, pulls, pins, rehearsed, manifests }: KubernetesPlanView): readonly PlannedStep[] {
  const changes = [...plan.staticPods, ...plan.proxies, ...plan.kubelets];
  const answerOf = (name: string): readonly string[] =>
    (rehearsed ?? []).filter(({ node }) => node === name).flatMap(({ notes }) => ['the machine would take it', ...notes]);
  const written = (pins?.edits ?? []).map(
    ({ path, line, from, to }): PlannedStep => ({
      decision: 'run',
      title: 'pin',
      reason: `${path}:${line} ${from ?? 'absent'} → ${to}`,
      calls: [{ target: path, call: 'write file' }],
    }),
  );
  const synced = (manifests?.changes ?? []).map(
    ({ object, action }): PlannedStep => ({
      decision: 'run',
      title: `${action} ${object}`,
      calls: [{ target: 'kube-apiserver', call: action === 'prune' ? 'DELETE' : 'PATCH' }],
    }),
  );
  if (changes.length === 0)
    return [{ decision: 'skip', title: `Kubernetes ${plan.to}`, reason: 'every part runs it' }, ...written, ...synced];
  return [
    ...(pulls ? plan.pulls : []).map(
      ({ node, image }): PlannedStep => ({
        decision: 'run',
        title: `pull ${image}`,
        node: node.name,
        calls: [{ target: node.name, call: 'machine.MachineService/ImagePull' }],
      }),
    ),
    ...changes.map(
      ({ node, part, from, to }): PlannedStep => ({
        decision: 'run',
        title: part,
        node: node.name,
        reason: [`${tagOf(from)} → ${tagOf(to)}`, ...answerOf(node.name)].join(', '),
        calls: [{ target: node.name, call: 'machine.MachineService/ApplyConfiguration' }],
      }),
    ),
    ...written,
    ...(manifests === undefined
      ? [{ decision: 'unknown' as const, title: 'manifests', reason: 'what they hold is known once the new versions run' }]
      : synced),
  ];
}

/** `4 of 6 nodes change: Kubernetes v1.35.4 → v1.36.3, 14 parts`. Pure. */
export function kubernetesHeadline({ wanted, to, staticPods, proxies, kubelets }: KubernetesPlan): string {
  const changes = [...staticPods, ...proxies, ...kubelets];
  const all = new Set(wanted.map(({ node }) => node.name)).size;
  const some = new Set(changes.map(({ node }) => node.name)).size;
  if (some === 0) return `no node changes: every part runs ${to} already`;
  const from = [...new Set(changes.map((change) => tagOf(change.from)))].sort((one, other) =>
    one.localeCompare(other, 'en', { numeric: true }),
  );
  const nodes = some === all ? `all ${count(all, 'node')}` : `${some} of ${all} nodes`;
  return `${all === 1 ? 'the node changes' : `${nodes} ${some === 1 ? 'changes' : 'change'}`}: Kubernetes ${from.join(', ')} → ${to}, ${count(changes.length, 'part')}`;
}

/** The registry stays, so only the tag tells what changes. */
const tagOf = (image: string): string => image.slice(image.lastIndexOf(':') + 1);
