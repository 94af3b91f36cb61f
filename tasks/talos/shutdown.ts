import {
  areStillDark,
  darkEvidence,
  defineTask,
  disruptionOptions,
  disruptionParams,
  gone,
  namedNodesParams,
  refuse,
  takeAway,
  takeAwayFacts,
  takeAwayPlan,
  z,
} from 'talos-tk';

export default defineTask({
  summary: 'Switch a node off, or several one after the other',
  description:
    'Gates, cordon and drain, gates again, shutdown, until the machine is dark. The cordon stays: npx tk talos:uncordon when it is back. When so many control planes are named that etcd, and with it Kubernetes, ends, --accept-downtime is needed: then the workers go first, nothing is drained or cordoned, and all come back as they were when they are switched on. A run that was cut off is continued by the same line.',
  params: z.object({
    ...namedNodesParams,
    force: z.boolean().default(false).describe('Talos does not end the pods itself first'),
    ...disruptionParams,
  }),
  examples: ['talos:shutdown NODE=worker-1', 'talos:shutdown --all --accept-downtime'],
  effect: 'mutate',
  locks: ['machines'],
  confirm(params, { cluster }) {
    const nodes = cluster.operations.named(params);
    const isTheEnd = endsEtcd(nodes, cluster.controlPlanes, params.acceptDowntime);
    return { message: `Switch off ${nodes.map((node) => node.name).join(', ')}${isTheEnd ? ', and with them etcd and Kubernetes' : ''}` };
  },
  async probe({ params, cluster, signal }) {
    const nodes = cluster.operations.named(params);
    const options = disruptionOptions(params, cluster.gates);
    const isTheEnd = endsEtcd(nodes, cluster.controlPlanes, params.acceptDowntime);
    return takeAwayFacts(cluster, nodes, { kind: 'shutdown', etcd: 'away', endsEtcd: isTheEnd, ...options }, signal);
  },
  plan({ params, cluster }, facts) {
    const nodes = cluster.operations.named(params);
    return takeAwayPlan(facts, nodes, {
      title: 'shutdown',
      call: 'machine.MachineService/Shutdown',
      drain: disruptionOptions(params, cluster.gates).drain,
      endsEtcd: endsEtcd(nodes, cluster.controlPlanes, params.acceptDowntime),
    });
  },
  async run(context) {
    const { params, cluster, step, skip, detail } = context;
    const nodes = cluster.operations.named(params);
    const isTheEnd = endsEtcd(nodes, cluster.controlPlanes, params.acceptDowntime);
    const names = nodes.map((node) => node.name);
    const are = names.length === 1 ? 'is' : 'are';
    if (await step.pure('look', (handle) => areStillDark(context, nodes, 'shutdown', handle.signal))) {
      skip(`${names.join(' ')} ${are} off`);
      return { off: names };
    }
    const taken = await takeAway(context, nodes, {
      kind: 'shutdown',
      title: 'shutdown',
      etcd: 'away',
      endsEtcd: isTheEnd,
      ...disruptionOptions(params, cluster.gates),
      // Without Kubernetes Talos has nobody to ask for moving the pods; it ends them itself either way.
      act: (node, handle) => cluster.lifecycle.shutdown(node, { isForced: params.force || isTheEnd }, handle.signal),
      happened: (node, bootId, handle, intent) => darkEvidence(cluster, node, bootId, handle, intent, { staysOff: true }),
      after: async (node, handle) => handle.detail(await handle.wait(gone(cluster, node, false))),
    });
    detail(`${names.join(' ')} ${are} off`);
    return { off: taken.map(({ node }) => node) };
  },
});

/** Whether too few control planes would be left on; refused when nobody said that it may. One alone is for the gate of etcd to judge. */
function endsEtcd<N>(named: readonly N[], controlPlanes: readonly N[], acceptsDowntime: boolean): boolean {
  const left = controlPlanes.filter((node) => !named.includes(node)).length;
  const needed = Math.floor(controlPlanes.length / 2) + 1;
  if (named.length === 1 || left >= needed) return false;
  if (!acceptsDowntime)
    refuse(`${left} of ${controlPlanes.length} control planes would stay on, and etcd needs ${needed}`, {
      because: 'Kubernetes ends with etcd',
      help: 'when all of it is to be switched off: the same line with --accept-downtime',
    });
  return true;
}
