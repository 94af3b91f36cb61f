import { type Clock, minutes } from '../base/index.ts';
import type { NodeModel } from '../config/index.ts';
import type { Detours } from '../talos/index.ts';

/** How long a way that worked is taken for one that works. */
const keptMs = minutes(2);

/**
 * Which control planes may stand in the way between this computer and a machine.
 *
 * Only one that has answered within the last two minutes is tried: when none does, a machine that is away costs one dial, as ever.
 */
export function createWays(nodes: readonly NodeModel[], clock: Clock): { to(node: NodeModel): Detours } {
  const controlPlanes = nodes.filter((node) => node.role === 'controlplane');
  const answeredAt = new Map<string, number>();
  const workedAt = new Map<NodeModel, { readonly host: string; readonly atMs: number }>();
  const isRecent = (atMs: number | undefined) => atMs !== undefined && clock.monotonicMs() - atMs < keptMs;
  return {
    to: (node) => ({
      preferred() {
        const last = workedAt.get(node);
        return isRecent(last?.atMs) ? last?.host : undefined;
      },
      others: () => controlPlanes.filter((one) => one !== node && isRecent(answeredAt.get(one.address))).map((one) => one.address),
      used(host) {
        const atMs = clock.monotonicMs();
        answeredAt.set(host ?? node.address, atMs);
        if (host === undefined) workedAt.delete(node);
        // Kept from when it was found, not renewed by use: the direct way is looked for again.
        else if (workedAt.get(node)?.host !== host || !isRecent(workedAt.get(node)?.atMs)) workedAt.set(node, { host, atMs });
      },
    }),
  };
}
