import { count } from '../../base/index.ts';
import type { KubernetesFacts, KubernetesUpgradeView } from '../kubernetes-upgrade/kubernetes-upgrade.ts';
import type { RollContext } from '../lifecycle/roll.ts';
import type { UpgradeHop } from '../upgrade-path.ts';
import type { PlannedHop, PreviewOptions } from './preview.ts';
import type { WholeUpgraded, WholeUpgradeOptions } from './run.ts';

/** See `run.ts`, which loads what reads YAML: nothing of it belongs on the way of `tk --list`. */
export async function upgradeCluster(context: RollContext, options: WholeUpgradeOptions): Promise<WholeUpgraded> {
  return (await import('./run.ts')).upgradeCluster(context, options);
}

/** `3 hops: Talos v1.13.9 → v1.14.1 · Kubernetes v1.35.4 → v1.36.3 → v1.37.0`. Pure. */
export function hopsHeadline(planned: readonly PlannedHop[]): string {
  const chain = (what: UpgradeHop['what']): string =>
    [...new Set(planned.flatMap(({ hop }) => (hop.what === what ? [hop.from, hop.to] : [])))].join(' → ');
  const chains = [...new Set(planned.map(({ hop }) => hop.what))].map(
    (what) => `${what === 'talos' ? 'Talos' : 'Kubernetes'} ${chain(what)}`,
  );
  return `${count(planned.length, 'hop')}: ${chains.join(' · ')}`;
}

/**
 * The hops with what each will find, and everything that speaks against any of them.
 *
 * Failure: `upgrade-k8s/*`, all of them at once.
 */
export async function surveyHops(
  facts: KubernetesFacts,
  hops: readonly UpgradeHop[],
  upgrade: KubernetesUpgradeView,
  options: PreviewOptions,
  signal: AbortSignal,
): Promise<readonly PlannedHop[]> {
  const { hopProblems, previewHops } = await import('./preview.ts');
  const { throwIfAny } = await import('../../base/index.ts');
  const planned = previewHops(facts, hops, upgrade, options);
  throwIfAny(await hopProblems(planned, upgrade, signal));
  return planned;
}
