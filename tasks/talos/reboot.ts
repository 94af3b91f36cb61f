import { defineTask, disruptionOptions, disruptionParams, namedNodesParams, takeAway, takeAwayFacts, takeAwayPlan, z } from 'talos-tk';

export default defineTask({
  summary: 'Reboot a node, or several one after the other',
  description:
    'Gates, cordon and drain, gates again on fresh data, reboot, and the proof that the machine is back; the next only then. --all reboots every node, control planes first. A run that was cut off is continued by the same line.',
  params: z.object({
    ...namedNodesParams,
    mode: z
      .enum(['default', 'powercycle', 'force'])
      .default('default')
      .describe('powercycle goes through the firmware; force ends nothing first'),
    ...disruptionParams,
  }),
  examples: ['talos:reboot NODE=worker-1', 'talos:reboot --all --plan'],
  effect: 'mutate',
  locks: ['machines'],
  probe: ({ params, cluster, signal }) =>
    takeAwayFacts(
      cluster,
      cluster.operations.named(params),
      { kind: 'reboot', etcd: 'away', ...disruptionOptions(params, cluster.gates) },
      signal,
    ),
  plan: ({ params, cluster }, facts) =>
    takeAwayPlan(facts, cluster.operations.named(params), {
      title: 'reboot',
      call: 'machine.MachineService/Reboot',
      drain: disruptionOptions(params, cluster.gates).drain,
    }),
  async run(context) {
    const { params, cluster, detail } = context;
    const rebooted = await takeAway(context, cluster.operations.named(params), {
      kind: 'reboot',
      title: 'reboot',
      etcd: 'away',
      ...disruptionOptions(params, cluster.gates),
      act: (node, handle) => cluster.lifecycle.reboot(node, params.mode, handle.signal),
      comesBack: (node, bootId, version) => cluster.lifecycle.back(node, { afterBoot: bootId, noOlderThan: version }),
    });
    detail(rebooted.map(({ node }) => node).join(' '));
    return { rebooted: rebooted.map(({ node }) => node) };
  },
});
