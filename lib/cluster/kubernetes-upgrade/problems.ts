import type { Failure } from '../../base/index.ts';
import { compareVersions, minorOf } from '../../format/index.ts';
import { kubernetesRemovals } from '../../upstream/tables.ts';
import { isKubernetesStep, runsKubernetes, talosLimits } from '../compatibility.ts';
import { kubernetesUpgradeFailure } from './failures.ts';
import type { KubernetesFacts, KubernetesPart, NodeKubernetes } from './kubernetes-upgrade.ts';

/**
 * What speaks against an upgrade, as far as the machines tell. Pure. Shape: path first, then machine by machine.
 * Source: Talos pkg/cluster/kubernetes/{compat,talos_managed}.go, go-kubernetes kubernetes/upgrade
 */
export function machineProblems(facts: KubernetesFacts, to: string): readonly Failure[] {
  const silent = silentProblem(facts);
  if (silent) return [silent];
  const answered = facts.nodes.flatMap((one) => (one.state === 'answered' ? [one.facts] : []));
  return [
    ...controlPlaneVersions(answered)
      .filter((from) => !isKubernetesStep(from, to))
      .map((from) => kubernetesUpgradeFailure('upgrade-k8s/path', { from, to })),
    ...answered.flatMap((node) => [...talosProblems(node, to), ...kubeletProblems(node, to), ...removalProblems(node, facts.lowest, to)]),
  ];
}

/** One failure for all machines that could not be asked. */
export function silentProblem(facts: KubernetesFacts): Failure | undefined {
  const silent = facts.nodes.filter((one) => one.state === 'silent');
  const [first] = silent;
  return (
    first && kubernetesUpgradeFailure('upgrade-k8s/node-silent', { nodes: silent.map(({ node }) => node.name) }, { cause: first.failure })
  );
}

/**
 * Oldest first, each once. Upstream's client looks at the oldest alone: an API server that an upgrade to another version has reached
 * already would go back a minor.
 */
const controlPlaneVersions = (nodes: readonly NodeKubernetes[]): readonly string[] =>
  [
    ...new Set(
      nodes.flatMap(({ parts }) =>
        Object.entries(parts).flatMap(([part, { version }]) => (part === 'kubelet' || !version ? [] : [version])),
      ),
    ),
  ].sort(compareVersions);

function talosProblems({ node, talosVersion }: NodeKubernetes, to: string): readonly Failure[] {
  if (runsKubernetes(talosVersion, to)) return [];
  const [lowest, highest] = talosLimits(talosVersion)?.kubernetes ?? [];
  return [
    kubernetesUpgradeFailure('upgrade-k8s/talos', {
      node: node.name,
      talos: talosVersion,
      to,
      ...(lowest === undefined || highest === undefined ? {} : { lowest, highest }),
    }),
  ];
}

function kubeletProblems({ node, parts }: NodeKubernetes, to: string): readonly Failure[] {
  const kubelet = parts.kubelet?.version;
  return kubelet !== undefined && compareVersions(`${minorOf(kubelet)}.0`, `${minorOf(to)}.0`) > 0
    ? [kubernetesUpgradeFailure('upgrade-k8s/kubelet-newer', { node: node.name, kubelet, to })]
    : [];
}

/** Names of API versions that the target no longer serves: of every minor that is entered. */
export const removedApis = (from: string | undefined, to: string): readonly { readonly resource: string; readonly minor: string }[] =>
  enteredMinors(from, to).flatMap((minor) => (kubernetesRemovals[minor]?.apiResources ?? []).map((resource) => ({ resource, minor })));

/** A flag or a gate that is gone keeps its process from starting: on a machine that was begun already as on one that was not. */
function removalProblems(node: NodeKubernetes, from: string | undefined, to: string): readonly Failure[] {
  const name = node.node.name;
  return enteredMinors(from, to).flatMap((minor) => {
    const { featureGates = [], admissionPlugins = [], flags = {} } = kubernetesRemovals[minor] ?? {};
    return (Object.entries(node.parts) as [KubernetesPart, { readonly flags: readonly string[] }][]).flatMap(([part, { flags: set }]) => [
      ...(part === 'kube-proxy' ? [] : (flags[part] ?? []))
        .filter((flag) => set.some((one) => one.split('=')[0] === `--${flag}`))
        .map((flag) => kubernetesUpgradeFailure('upgrade-k8s/flag-removed', { node: name, part, flag, minor })),
      ...gatesOf(part, set, node.kubeletFeatureGates)
        .filter((gate) => featureGates.includes(gate))
        .map((gate) => kubernetesUpgradeFailure('upgrade-k8s/feature-gate-removed', { node: name, part, gate, minor })),
      ...(part === 'kube-apiserver' ? listOf(set, 'enable-admission-plugins') : [])
        .filter((plugin) => admissionPlugins.includes(plugin))
        .map((plugin) => kubernetesUpgradeFailure('upgrade-k8s/admission-plugin-removed', { node: name, plugin, minor })),
    ]);
  });
}

/** Upstream's client looks at the first `--feature-gates` alone, and not at the kubelet's: that one does not start either. */
function gatesOf(part: KubernetesPart, flags: readonly string[], kubelet: readonly string[]): readonly string[] {
  const given = listOf(flags, 'feature-gates').map((gate) => gate.split('=')[0] ?? '');
  return [...new Set([...given, ...(part === 'kubelet' ? kubelet : [])])];
}

const listOf = (flags: readonly string[], name: string): readonly string[] =>
  flags.filter((flag) => flag.startsWith(`--${name}=`)).flatMap((flag) => flag.slice(name.length + 3).split(','));

/** Minors above the lowest that runs, up to the target; the target's own when nothing is known. */
function enteredMinors(from: string | undefined, to: string): readonly string[] {
  const target = minorOf(to);
  return from === undefined || minorOf(from) !== target ? [target] : [];
}
