import { defineTask, nodeParams, z } from 'talos-tk';

export default defineTask({
  summary: "Move etcd's leadership away from a node",
  params: z.object(nodeParams),
  examples: ['talos:etcd-leadership NODE=cp-1'],
  effect: 'mutate',
  locks: ['etcd'],
  async probe({ params, cluster, signal }) {
    const [node] = cluster.operations.controlPlanes({ node: cluster.find(params).name });
    return node && cluster.machines.read(node, (machine) => machine.etcdStatus(signal));
  },
  plan({ params, cluster }, status) {
    const node = cluster.find(params).name;
    const title = 'forfeit leadership';
    if (status === undefined) return [{ decision: 'unknown', title, node, reason: 'the member was not asked' }];
    if (status.leader !== status.memberId) return [{ decision: 'skip', title, node, reason: 'it does not lead' }];
    return [{ decision: 'run', title, node, calls: [{ target: node, call: 'machine.MachineService/EtcdForfeitLeadership' }] }];
  },
  async run({ params, cluster, step, skip, detail, stopping }) {
    const node = cluster.find(params);
    cluster.operations.controlPlanes({ node: node.name });
    const leader = await step(
      'forfeit leadership',
      async (handle) => {
        // A member that is silent may lead all the same.
        await cluster.machines.read(node, (machine) => machine.etcdStatus(handle.signal));
        const next = await cluster.lifecycle.moveLeadership(node, AbortSignal.any([handle.signal, stopping]));
        if (next === undefined) handle.skip('it does not lead');
        return next;
      },
      { node: node.name },
    );
    if (leader === undefined) skip(`${node.name} does not lead`);
    else detail(`${leader} leads now`);
    return { leader: leader ?? null };
  },
});
