import type { KubernetesUpgrade, KubernetesUpgradeView } from './kubernetes-upgrade.ts';

/** The same without what changes a machine or an object. */
export function kubernetesUpgradeViewOf(full: KubernetesUpgrade): KubernetesUpgradeView {
  return {
    facts: (signal) => full.facts(signal),
    problems: (facts, to, signal) => full.problems(facts, to, signal),
    plan: (facts, to) => full.plan(facts, to),
    hops: (facts, to) => full.hops(facts, to),
    configured: (change, signal) => full.configured(change, signal),
    follows: (change) => full.follows(change),
    othersReady: (node) => full.othersReady(node),
    rehearse: (plan, signal) => full.rehearse(plan, signal),
    manifestChanges: (plan, signal) => full.manifestChanges(plan, signal),
  };
}
