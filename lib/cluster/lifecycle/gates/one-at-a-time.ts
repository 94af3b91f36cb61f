import type { Failure } from '../../../base/index.ts';
import type { NodeModel } from '../../../config/index.ts';
import type { KubeObject } from '../../../kube/index.ts';
import { lifecycleFailure } from '../failures.ts';
import type { Disruption } from '../lifecycle.ts';
import { findKubeNode, kubeNodeFacts } from '../node-mark.ts';

/**
 * Whether somebody is away already. A control plane goes only when every other control plane is there and no machine is in the
 * middle of our own work; of the workers as many may be away as the user said, with those that are down by themselves.
 *
 * Failure: `gate/one-at-a-time` with who is away and how that shows.
 */
export function othersAway(disruption: Disruption, inventory: readonly NodeModel[], nodes: readonly KubeObject[]): readonly Failure[] {
  const { node: target } = disruption;
  const away = inventory
    .filter((node) => node !== target && disruption.alsoDown?.includes(node) !== true)
    .flatMap((node) => {
      const seen = awayness(node, nodes);
      return seen === undefined ? [] : [{ node: node.name as string, role: node.role, ...seen }];
    });
  const isWorker = target.role === 'worker';
  const limit = isWorker ? Math.max(1, disruption.parallel ?? 1) : 1;
  const blocking = away.filter((other) => other.isOurs || other.role === target.role);
  // A control plane whose turn is not over leaves no room for a worker, however many may be away.
  const isTooMany = blocking.length >= limit || (isWorker && blocking.some((other) => other.role === 'controlplane'));
  return isTooMany
    ? [lifecycleFailure('gate/one-at-a-time', { node: target.name, limit, away: blocking.map(({ node, seen }) => ({ node, seen })) })]
    : [];
}

function awayness(node: NodeModel, nodes: readonly KubeObject[]): { readonly seen: string; readonly isOurs: boolean } | undefined {
  const found = findKubeNode(nodes, node);
  if (found === undefined) return { seen: 'not in Kubernetes', isOurs: false };
  const { cordon, isReady } = kubeNodeFacts(found);
  if (cordon.state === 'ours') return { seen: `cordoned by run ${cordon.run}${isReady ? '' : ', not Ready'}`, isOurs: true };
  return isReady ? undefined : { seen: 'not Ready', isOurs: false };
}
