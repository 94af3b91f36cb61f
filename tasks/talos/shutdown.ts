import {
  darkEvidence,
  defineTask,
  disruptionOptions,
  disruptionParams,
  gone,
  namedNodesParams,
  takeAway,
  takeAwayFacts,
  takeAwayPlan,
  z,
} from 'talos-tk';

export default defineTask({
  summary: 'Switch a node off, or several one after the other',
  description:
    'Gates, cordon and drain, gates again, shutdown, until the machine is dark. The cordon stays: npx tk talos:uncordon when it is back. Control planes beyond what etcd can spare are refused unless the gates are overridden.',
  params: z.object({
    ...namedNodesParams,
    force: z.boolean().default(false).describe('Talos does not end the pods itself first'),
    ...disruptionParams,
  }),
  effect: 'mutate',
  locks: ['machines'],
  confirm: (params, { cluster }) => ({
    message: `Switch off ${cluster.operations
      .named(params)
      .map((node) => node.name)
      .join(', ')}`,
  }),
  probe: ({ params, cluster, signal }) =>
    takeAwayFacts(
      cluster,
      cluster.operations.named(params),
      { kind: 'shutdown', etcd: 'away', ...disruptionOptions(params, cluster.gates) },
      signal,
    ),
  plan: ({ params, cluster }, facts) =>
    takeAwayPlan(facts, cluster.operations.named(params), {
      title: 'shutdown',
      call: 'machine.MachineService/Shutdown',
      drain: disruptionOptions(params, cluster.gates).drain,
    }),
  async run(context) {
    const { params, cluster, detail } = context;
    const taken = await takeAway(context, cluster.operations.named(params), {
      kind: 'shutdown',
      title: 'shutdown',
      etcd: 'away',
      ...disruptionOptions(params, cluster.gates),
      act: (node, handle) => cluster.lifecycle.shutdown(node, { isForced: params.force }, handle.signal),
      happened: (node, bootId, handle, intent) => darkEvidence(cluster, node, bootId, handle, intent),
      after: async (node, handle) => handle.detail(await handle.wait(gone(cluster, node, false))),
    });
    const names = taken.map(({ node }) => node);
    detail(`${names.join(' ')} ${names.length === 1 ? 'is' : 'are'} off`);
    return { off: names };
  },
});
