import { askEach, defineTask, nodesParams, tableText, throwIfAny, z } from 'talos-tk';

export default defineTask({
  summary: 'Show the members of the cluster as the machines have discovered them',
  params: z.object(nodesParams),
  examples: ['talos:members NODE=cp-1'],
  effect: 'read',
  async run({ params, cluster, each, print, signal }) {
    const { answers, failures } = await askEach({ each }, cluster.operations.nodes(params), (node) =>
      cluster.machines.read(node, (machine) => machine.members(signal)),
    );
    print(
      tableText([
        ['NODE', 'HOSTNAME', 'ROLE', 'OS', 'ADDRESSES'],
        ...answers.flatMap(({ node, value }) =>
          value.map((member) => [node.name, member.hostname, member.role, member.operatingSystem, member.addresses.join(',')]),
        ),
      ]),
    );
    throwIfAny(failures);
    return { nodes: answers.map(({ node, value }) => ({ node: node.name, members: value })) };
  },
});
