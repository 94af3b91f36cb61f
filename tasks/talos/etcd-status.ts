import { askEach, defineTask, memberIdText, nodesParams, sizeText, tableText, throwIfAny, z } from 'talos-tk';

export default defineTask({
  summary: 'Show the state of each etcd member',
  params: z.object(nodesParams),
  examples: ['talos:etcd-status'],
  effect: 'read',
  async run({ params, cluster, each, print, signal }) {
    const nodes = cluster.operations.controlPlanes(params);
    const { answers, failures } = await askEach({ each }, nodes, (node) =>
      cluster.machines.read(node, (machine) => machine.etcdStatus(signal)),
    );
    print(
      tableText([
        ['NODE', 'MEMBER', 'DB SIZE', 'IN USE', 'LEADER', 'RAFT INDEX', 'RAFT TERM', 'APPLIED INDEX', 'LEARNER', 'VERSION', 'ERRORS'],
        ...answers.map(({ node, value }) => [
          node.name,
          memberIdText(value.memberId),
          sizeText(value.dbSizeBytes),
          `${sizeText(value.dbSizeInUseBytes)} (${((value.dbSizeInUseBytes / Math.max(1, value.dbSizeBytes)) * 100).toFixed(2)}%)`,
          value.leader === 0n ? 'none' : memberIdText(value.leader),
          String(value.raftIndex),
          String(value.raftTerm),
          String(value.raftAppliedIndex),
          String(value.isLearner),
          value.version,
          value.errors.join(', '),
        ]),
      ]),
    );
    throwIfAny(failures);
    return {
      members: answers.map(({ node, value }) => ({
        node: node.name,
        ...value,
        // 64-bit numbers do not fit into JSON.
        memberId: memberIdText(value.memberId),
        leader: value.leader === 0n ? null : memberIdText(value.leader),
        raftIndex: String(value.raftIndex),
        raftTerm: String(value.raftTerm),
        raftAppliedIndex: String(value.raftAppliedIndex),
      })),
    };
  },
});
