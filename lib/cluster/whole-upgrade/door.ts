import type { KubernetesFacts, KubernetesUpgradeView } from '../kubernetes-upgrade/kubernetes-upgrade.ts';
import type { RollContext } from '../lifecycle/roll.ts';
import type { UpgradeHop } from '../upgrade-path.ts';
import type { PlannedHop } from './preview.ts';
import type { WholeUpgraded, WholeUpgradeOptions } from './run.ts';

/** See `run.ts`, which loads what reads YAML: nothing of it belongs on the way of `tk --list`. */
export async function upgradeCluster(context: RollContext, options: WholeUpgradeOptions): Promise<WholeUpgraded> {
  return (await import('./run.ts')).upgradeCluster(context, options);
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
  options: { readonly pulls: boolean },
  signal: AbortSignal,
): Promise<readonly PlannedHop[]> {
  const { hopProblems, previewHops } = await import('./preview.ts');
  const { throwIfAny } = await import('../../base/index.ts');
  const planned = previewHops(facts, hops, upgrade, options);
  throwIfAny(await hopProblems(planned, upgrade, signal));
  return planned;
}
