import { TkError } from '../../base/index.ts';
import { compareVersions, isAtLeast } from '../../format/index.ts';
import { clusterUpgradePath, type UpgradeHop, type VersionPair } from '../upgrade-path.ts';
import { imageAt, isSameImage } from './images.ts';
import { silentProblem } from './problems.ts';
import {
  type KubernetesFacts,
  type KubernetesPart,
  type KubernetesPlan,
  kubernetesParts,
  type NodeKubernetes,
  type PartChange,
  staticPodParts,
} from './kubernetes-upgrade.ts';

/** See `KubernetesUpgradeView.plan`. Machines go in inventory order, control planes first. */
export function planKubernetes(facts: KubernetesFacts, to: string): KubernetesPlan {
  const answered = answeredOf(facts);
  const controlPlanes = answered.filter(({ node }) => node.role === 'controlplane');
  const ordered = [...controlPlanes, ...answered.filter(({ node }) => node.role === 'worker')];
  const of = (part: KubernetesPart): readonly PartChange[] => ordered.flatMap((one) => changeOf(one, part, to));
  const wanted = kubernetesParts.flatMap(of);
  const changes = wanted.filter(isChange);
  return {
    to,
    pulls: changes
      .filter(({ part }) => part !== 'kube-proxy')
      .map(({ node, part, to: image }) => ({ node, image, namespace: part === 'kubelet' ? 'system' : 'cri' })),
    staticPods: changes.filter(({ part }) => staticPodParts.some((one) => one === part)),
    proxies: changes.filter(({ part }) => part === 'kube-proxy'),
    kubelets: changes.filter(({ part }) => part === 'kubelet'),
    wanted,
    manifests: answered.every(({ talosVersion }) => isAtLeast(talosVersion, 'v1.13.0-alpha.0')) ? 'server-side-apply' : 'update',
  };
}

/** See `KubernetesUpgradeView.hops`. */
export function hopsOf(facts: KubernetesFacts, to: Partial<VersionPair>): readonly UpgradeHop[] {
  const answered = answeredOf(facts);
  const talos = answered.map(({ talosVersion }) => talosVersion).sort(compareVersions);
  const kubernetes = facts.lowest ?? to.kubernetes;
  const target = { talos: to.talos ?? talos.at(-1), kubernetes: to.kubernetes ?? kubernetes };
  if (target.talos === undefined || target.kubernetes === undefined || kubernetes === undefined) return [];
  const nodes = answered.map(({ node, talosVersion, parts }) => ({
    name: node.name,
    talos: talosVersion,
    ...(parts.kubelet?.version === undefined ? {} : { kubelet: parts.kubelet.version }),
  }));
  return clusterUpgradePath({ nodes, kubernetes }, { talos: target.talos, kubernetes: target.kubernetes });
}

/** Failure: `upgrade-k8s/node-silent`. */
function answeredOf(facts: KubernetesFacts): readonly NodeKubernetes[] {
  const silent = silentProblem(facts);
  if (silent) throw new TkError(silent);
  return facts.nodes.flatMap((one) => (one.state === 'answered' ? [one.facts] : []));
}

export const isChange = ({ from, to }: PartChange): boolean => !isSameImage(from, to);

function changeOf({ node, parts }: NodeKubernetes, part: KubernetesPart, to: string): readonly PartChange[] {
  const facts = parts[part];
  return facts === undefined ? [] : [{ node, part, from: facts.image, to: imageAt(facts.image, part, to) }];
}
