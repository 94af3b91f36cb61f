import { defineTask, nodesParams, sizeText, throwIfAny, z } from 'talos-tk';

/** Less than this is not worth a pause of the member. */
const worthBytes = 10_000_000;
const worthShare = 0.1;

export default defineTask({
  summary: 'Give unused space of the etcd databases back, one member at a time',
  description:
    'A member does not answer while it is defragmented, so the others have to be well; the leader comes last, after it has handed over. Members with little to give back are left alone unless --always is given.',
  params: z.object({
    ...nodesParams,
    always: z.boolean().default(false).describe('also where little is to be won'),
    acceptDowntime: z.boolean().default(false).describe('one or two members: etcd stands still meanwhile'),
  }),
  examples: ['talos:etcd-defrag --plan', 'talos:etcd-defrag'],
  effect: 'mutate',
  locks: ['etcd'],
  async probe({ params, cluster, signal }) {
    const nodes = cluster.operations.controlPlanes(params);
    return Promise.all(
      nodes.map(async (node) => ({ node, status: await cluster.machines.read(node, (machine) => machine.etcdStatus(signal)) })),
    );
  },
  plan: ({ params }, facts) =>
    facts === undefined
      ? [{ decision: 'unknown', title: 'defragment', reason: 'the members were not asked' }]
      : facts.map(({ node, status }) => {
          const seen = `${sizeText(status.dbSizeInUseBytes)} of ${sizeText(status.dbSizeBytes)} in use`;
          if (!params.always && !isWorth(status)) return { decision: 'skip', title: 'defragment', node: node.name, reason: seen };
          const calls = [{ target: node.name, call: 'machine.MachineService/EtcdDefragment' }];
          return { decision: 'run', title: 'defragment', node: node.name, reason: seen, calls };
        }),
  async run({ params, cluster, step, skip, detail, signal }) {
    const nodes = cluster.operations.controlPlanes(params);
    const picture = await cluster.lifecycle.etcd(signal);
    const leads = (name: string) =>
      picture.views.some((view) => view.state === 'answered' && view.node.name === name && view.memberId === view.leader);
    const won: { node: string; beforeBytes: number; afterBytes: number }[] = [];
    for (const node of nodes.toSorted((a, b) => Number(leads(a.name)) - Number(leads(b.name)))) {
      await step(
        `defragment ${node.name}`,
        async (handle) => {
          const read = () => cluster.machines.read(node, (machine) => machine.etcdStatus(handle.signal));
          const before = await read();
          if (!params.always && !isWorth(before)) {
            handle.skip(`${sizeText(before.dbSizeInUseBytes)} of ${sizeText(before.dbSizeBytes)} in use`);
            return;
          }
          const now = await cluster.lifecycle.etcd(handle.signal);
          throwIfAny(cluster.operations.etcd.mayPause(now, node, { acceptsDowntime: params.acceptDowntime }));
          if (before.leader === before.memberId && now.views.length > 1) await cluster.lifecycle.moveLeadership(node, handle.signal);
          await cluster.operations.etcd.defragment(node, handle.signal);
          const after = await read();
          won.push({ node: node.name, beforeBytes: before.dbSizeBytes, afterBytes: after.dbSizeBytes });
          handle.detail(`${sizeText(before.dbSizeBytes)} → ${sizeText(after.dbSizeBytes)}`);
        },
        { node: node.name },
      );
    }
    if (won.length === 0) skip('little would be won');
    else detail(won.map(({ node }) => node).join(' '));
    return { members: won };
  },
});

const isWorth = ({ dbSizeBytes, dbSizeInUseBytes }: { readonly dbSizeBytes: number; readonly dbSizeInUseBytes: number }): boolean =>
  dbSizeBytes - dbSizeInUseBytes >= worthBytes && dbSizeBytes - dbSizeInUseBytes >= dbSizeBytes * worthShare;
