import {
  defineTask,
  disruptionOptions,
  disruptionParams,
  followPins,
  nodesParams,
  planRoll,
  previewQuorum,
  rollHeadline,
  runRoll,
  surveyRoll,
  versionParam,
  versionTag,
  z,
} from 'talos-tk';

export default defineTask({
  summary: 'Upgrade Talos on all nodes, one safe step at a time',
  description: `Control planes one at a time, the leader of etcd last; then a canary, then the other workers. The installer is pulled everywhere before
the first cordon, and a verified snapshot of etcd is taken before the first control plane. Nodes that are there already are left
alone. The first failure ends it; the same line goes on where it ended.`,
  params: z.object({
    ...nodesParams,
    to: versionParam('v1.14.1').optional().describe('Talos version; default: the one of the inventory'),
    image: z.string().optional().describe("installer image for every node; default: from the inventory's schematics"),
    parallel: z.string().optional().describe('how many workers at once: 2 or 25%; default: tasks.config.ts, else 1'),
    canary: z.string().optional().describe('the worker that goes first and alone; default: tasks.config.ts, else the first that needs it'),
    stage: z.boolean().default(false).describe('install at the next boot instead of now; machines boot twice'),
    rebootMode: z.enum(['default', 'powercycle']).default('default').describe('powercycle goes through the firmware instead of kexec'),
    pins: z.boolean().default(true).describe("let the repository's version follow a version that was given"),
    ...disruptionParams,
  }),
  examples: ['talos:upgrade --plan', 'talos:upgrade'],
  effect: 'mutate',
  locks: ['machines'],
  async probe({ params, cluster, recall, signal }) {
    const { overrides, acceptsDowntime } = disruptionOptions(params, cluster.gates);
    const { parallel, canary } = params;
    const nodes = cluster.operations.nodes(params);
    const roll = await surveyRoll({ cluster, nodes, wanted: wantedOf(params), overrides, parallel, canary, recall, signal });
    return { roll, quorum: await previewQuorum(cluster, roll, acceptsDowntime, signal) };
  },
  plan({ params, cluster }, facts) {
    if (facts === undefined) return [{ decision: 'unknown', title: 'upgrade Talos', reason: 'no machine was asked' }];
    const options = { ...disruptionOptions(params, cluster.gates), isStaged: params.stage };
    return { headline: rollHeadline(facts.roll), steps: planRoll(facts.roll, options, facts.quorum) };
  },
  async run(context) {
    const { params, cluster, step, recall, detail, skip } = context;
    const options = { ...disruptionOptions(params, cluster.gates), wanted: wantedOf(params) };
    const { parallel, canary, rebootMode, stage: isStaged } = params;
    const roll = await step.pure('facts', (handle) =>
      surveyRoll({ cluster, nodes: cluster.operations.nodes(params), ...options, parallel, canary, recall, signal: handle.signal }),
    );
    const upgraded = await runRoll(context, roll, { ...options, rebootMode, isStaged });
    // Part of the cluster says nothing about what the repository is to say of the whole.
    const { version } = options.wanted;
    const isWhole = cluster.operations.nodes(params).length === cluster.nodes.length;
    if (params.pins && version !== undefined && isWhole) await followPins(context, { talos: version });
    if (upgraded.length === 0) skip('every node is there already');
    else detail(`${upgraded.length} of ${upgraded.length + roll.equal.length} nodes`);
    return { upgraded };
  },
});

function wantedOf({ to, image }: { readonly to?: string | undefined; readonly image?: string | undefined }): {
  readonly version?: string;
  readonly image?: string;
} {
  return { ...(to === undefined ? {} : { version: versionTag(to) }), ...(image === undefined ? {} : { image }) };
}
