import type { Dial } from '../../../lib/base/index.ts';
import { type Connections, createConnections, type MutualTrust } from '../../../lib/cluster/connections.ts';
import type { ClusterModel, NodeModel } from '../../../lib/config/index.ts';
import { memoryCluster, signal } from '../sim/cluster-rig.ts';

/** Two control planes, and workers, that run. */
export async function runningMachines(workers: number) {
  const cluster = await memoryCluster('1.14', { controlPlanes: 2, workers });
  await cluster.applyAll();
  await cluster.until('cp-1 to take the bootstrap', async () => {
    await cluster.mutator('cp-1').bootstrap({}, signal);
    return true;
  });
  for (const { name } of cluster.spec.machines) await cluster.stage(name, 'running');
  const nodes = cluster.spec.machines.map(({ name, role, address, links }) => ({
    name,
    role,
    address,
    addresses: [address],
    macAddresses: links.map(({ mac }) => mac),
  })) as unknown as readonly NodeModel[];
  const connect = (talos: Dial['talos'], credentials: () => MutualTrust = () => cluster.trust as MutualTrust): Connections =>
    createConnections({
      model: { nodes, paths: { talosconfig: 'talosconfig' } } as unknown as ClusterModel,
      dial: { ...cluster.world.dial, talos },
      clock: cluster.world.clock,
      credentials: async () => credentials(),
    });
  const [cp1, cp2, worker] = nodes;
  if (!cp1 || !cp2) throw new Error('two machines at least');
  return { cluster, connect, cp1, cp2, worker };
}
