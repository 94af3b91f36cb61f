import type { Failure } from '../../../base/index.ts';
import type { KubeObject, KubeReader } from '../../../kube/index.ts';
import { lifecycleFailure } from '../failures.ts';
import type { Disruption } from '../lifecycle.ts';
import { cordonOf, fields, findKubeNode, list, text } from '../node-mark.ts';
import { listIfServed } from './storage.ts';

/** Phases in which tuppr leaves the cluster alone. Everything else, and what later versions add, counts as work under way. */
const tupprIdle = new Set(['', 'Pending', 'MaintenanceWindow', 'Completed', 'Failed']);

/**
 * Somebody else who takes machines away: tuppr, the system upgrade controller, a person with `kubectl cordon`.
 *
 * Source: tuppr api/v1alpha1 JobPhase; system-upgrade-controller pkg/apis/upgrade.cattle.io/v1 PlanStatus.applying
 */
export async function otherDrivers(
  kube: KubeReader,
  nodes: readonly KubeObject[],
  { node, alsoDown = [], endsEtcd = false }: Disruption,
  kubeName: string | undefined,
  signal: AbortSignal,
): Promise<readonly Failure[]> {
  const found: Failure[] = [];
  for (const kind of ['TalosUpgrade', 'KubernetesUpgrade']) {
    const upgrades = (await listIfServed(kube, { apiVersion: 'tuppr.home-operations.com/v1alpha1', kind }, undefined, signal)) ?? [];
    for (const upgrade of upgrades) {
      const phase = text(fields(upgrade.status).phase);
      if (tupprIdle.has(phase)) continue;
      found.push(
        lifecycleFailure('gate/other-driver', { node: node.name, driver: 'tuppr', what: `${kind} ${upgrade.metadata.name}`, seen: phase }),
      );
    }
  }
  const plans = (await listIfServed(kube, { apiVersion: 'upgrade.cattle.io/v1', kind: 'Plan' }, undefined, signal)) ?? [];
  for (const plan of plans) {
    const applying = list(fields(plan.status).applying).map(text);
    if (applying.length === 0) continue;
    const what = `Plan ${plan.metadata.namespace}/${plan.metadata.name}`;
    found.push(
      lifecycleFailure('gate/other-driver', {
        node: node.name,
        driver: 'system-upgrade-controller',
        what,
        seen: `applying on ${applying.join(', ')}`,
      }),
    );
  }
  // Talos itself cordons a machine that goes down.
  const down = new Set(alsoDown.map((other) => findKubeNode(nodes, other)));
  const foreign = nodes.filter((other) => other.metadata.name !== kubeName && !down.has(other) && cordonOf(other).state === 'foreign');
  // Where nothing stays on, nobody works on a machine either.
  if (endsEtcd) return found;
  if (foreign.length > 0)
    found.push(lifecycleFailure('gate/foreign-cordon', { node: node.name, cordoned: foreign.map((other) => other.metadata.name) }));
  return found;
}
