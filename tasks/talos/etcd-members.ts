import { askEach, defineTask, memberIdText, nodesParams, tableText, throwIfAny, z } from 'talos-tk';

export default defineTask({
  summary: 'Show the etcd members as each control plane sees them',
  params: z.object(nodesParams),
  examples: ['talos:etcd-members NODE=cp-1'],
  effect: 'read',
  async run({ params, cluster, each, print, signal }) {
    const nodes = cluster.operations.controlPlanes(params);
    const { answers, failures } = await askEach({ each }, nodes, (node) =>
      cluster.machines.read(node, (machine) => machine.etcdMembers({ queryLocal: true }, signal)),
    );
    print(
      tableText([
        ['NODE', 'ID', 'HOSTNAME', 'PEER URLS', 'CLIENT URLS', 'LEARNER'],
        ...answers.flatMap(({ node, value }) =>
          value.map((member) => [
            node.name,
            memberIdText(member.id),
            member.hostname,
            member.peerUrls.join(','),
            member.clientUrls.join(','),
            String(member.isLearner),
          ]),
        ),
      ]),
    );
    throwIfAny(failures);
    return {
      views: answers.map(({ node, value }) => ({
        node: node.name,
        members: value.map((member) => ({ ...member, id: memberIdText(member.id) })),
      })),
    };
  },
});
