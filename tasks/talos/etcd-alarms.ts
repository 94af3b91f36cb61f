import { askEach, defineTask, memberIdText, nodesParams, tableText, throwIfAny, z } from 'talos-tk';

export default defineTask({
  summary: 'Show the alarms of etcd',
  description:
    'NOSPACE: the database has reached its quota; defragment it, then npx tk talos:etcd-disarm. CORRUPT: a member has other data than the others.',
  params: z.object(nodesParams),
  examples: ['talos:etcd-alarms'],
  effect: 'read',
  async run({ params, cluster, each, print, signal }) {
    const nodes = cluster.operations.controlPlanes(params);
    const { answers, failures } = await askEach({ each }, nodes, (node) =>
      cluster.machines.read(node, (machine) => machine.etcdAlarms(signal)),
    );
    const alarms = answers.flatMap(({ node, value }) =>
      value.map(({ memberId, alarm }) => ({ node: String(node.name), member: memberIdText(memberId), alarm })),
    );
    print(alarms.length === 0 ? 'no alarms\n' : tableText([['NODE', 'MEMBER', 'ALARM'], ...alarms.map((one) => Object.values(one))]));
    throwIfAny(failures);
    return { alarms };
  },
});
