import { defineTask, nodeParams, z } from 'talos-tk';

export default defineTask({
  summary: 'Show the etcd members as each control plane sees them',
  params: z.object(nodeParams),
  effect: 'read',
  async run({ params, cluster, each, print, signal }) {
    const nodes = cluster.machines.select(params).filter((node) => node.role === 'controlplane');
    const views = await each(nodes, async (node) => ({
      node: node.name,
      members: await cluster.machines.read(node, (machine) => machine.etcdMembers({ queryLocal: true }, signal)),
    }));
    for (const { node, members } of views) {
      print(`${node} sees ${members.length}\n`);
      for (const member of members) {
        print(
          `  ${member.id.toString(16).padStart(16, '0')}  ${member.hostname}  ${member.peerUrls.join(',')}${member.isLearner ? '  learner' : ''}\n`,
        );
      }
    }
    return { views: views.map(({ node, members }) => ({ node, members: members.map((member) => member.hostname) })) };
  },
});
