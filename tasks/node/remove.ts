import { defineTask, disruptionOptions, disruptionParams, membershipFacts, nodeParams, removalPlan, removeNode, z } from 'talos-tk';

export default defineTask({
  summary: 'Take a node out of the cluster, for good',
  description:
    'One that works is drained, leaves etcd, is wiped and switched off. Of one that does not answer, the member of etcd and the Node object are removed. The plan says what etcd tolerates afterwards. Take the node out of the inventory when it is done.',
  params: z.object({ ...nodeParams, ...disruptionParams }),
  examples: ['node:remove NODE=worker-1 --plan', 'node:remove NODE=worker-1'],
  effect: 'destroy',
  locks: ['machines', 'etcd'],
  confirm(params, { cluster }) {
    const { name, address } = cluster.find(params);
    return { message: `Remove ${name} (${address}) from the cluster and wipe it`, phrase: name };
  },
  probe: ({ params, cluster, signal }) => membershipFacts(cluster, cluster.find(params), signal),
  plan({ params, cluster }, facts) {
    const node = cluster.find(params).name;
    return facts === undefined ? [{ decision: 'unknown', title: 'remove', node, reason: 'no machine was asked' }] : removalPlan(facts);
  },
  async run(context) {
    const { params, cluster, detail, report, signal } = context;
    const node = cluster.find(params);
    const { wasSilent } = await removeNode(context, node, disruptionOptions(params, cluster.gates));
    const after = await membershipFacts(cluster, node, signal);
    detail(node.role === 'controlplane' ? `etcd: ${after.tolerance.now}` : `${node.name} is gone`);
    report({
      rows: {
        Next: `take ${node.name} out of the inventory`,
        ...(wasSilent ? { Note: `${node.name} did not answer; switched on again with what is on its disks, it joins again` } : {}),
      },
    });
    return { node: node.name, etcd: after.tolerance.now };
  },
});
