import {
  defineTask,
  disruptionOptions,
  disruptionParams,
  nodeParams,
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
  summary: 'Upgrade Talos on one node',
  description: `Facts, pull, gates, cordon and drain, gates again on fresh data, install, reboot, and the proof that the machine is back with what was
installed; then the cordon is taken back. A run that was cut off is taken up by the same line. Gates: identity, kubernetes,
version-path, other-driver, one-at-a-time, ceph, longhorn, cnpg, volsync, volumes, etcd-quorum, and those of tasks.config.ts.`,
  params: z.object({
    ...nodeParams,
    to: versionParam('v1.14.1').optional().describe('Talos version; default: the one of the inventory'),
    image: z.string().optional().describe("installer image; default: from the inventory's schematic"),
    stage: z.boolean().default(false).describe('install at the next boot instead of now; the machine boots twice'),
    rebootMode: z.enum(['default', 'powercycle']).default('default').describe('powercycle goes through the firmware instead of kexec'),
    ...disruptionParams,
  }),
  examples: ['talos:upgrade-node NODE=worker-1', 'talos:upgrade-node NODE=worker-1 --plan'],
  effect: 'mutate',
  locks: ['machines'],
  async probe({ params, cluster, recall, signal }) {
    const { overrides, acceptsDowntime } = disruptionOptions(params, cluster.gates);
    const roll = await surveyRoll({ cluster, nodes: [cluster.find(params)], wanted: wantedOf(params), overrides, recall, signal });
    return { roll, quorum: await previewQuorum(cluster, roll, acceptsDowntime, signal) };
  },
  plan({ params, cluster }, facts) {
    const node = cluster.find(params).name;
    if (facts === undefined) return [{ decision: 'unknown', title: 'upgrade Talos', node, reason: 'the machine was not asked' }];
    const options = { ...disruptionOptions(params, cluster.gates), isStaged: params.stage };
    return { headline: rollHeadline(facts.roll), steps: planRoll(facts.roll, options, facts.quorum) };
  },
  async run(context) {
    const { params, cluster, step, recall, detail, skip } = context;
    const node = cluster.find(params);
    const options = { ...disruptionOptions(params, cluster.gates), wanted: wantedOf(params) };
    const { rebootMode, stage: isStaged } = params;
    const roll = await step.pure('facts', (handle) => surveyRoll({ cluster, nodes: [node], ...options, recall, signal: handle.signal }), {
      node: node.name,
    });
    const [upgraded] = await runRoll(context, roll, { ...options, rebootMode, isStaged });
    if (upgraded === undefined) {
      const [equal] = roll.equal;
      const version = equal !== undefined && 'target' in equal ? equal.target?.version : undefined;
      skip(`${node.name} runs Talos ${version ?? node.talosVersion} already`);
      return { node: node.name as string, changed: false, version: version ?? node.talosVersion };
    }
    detail(`${node.name} runs Talos ${upgraded.version}`);
    return upgraded;
  },
});

function wantedOf({ to, image }: { readonly to?: string | undefined; readonly image?: string | undefined }) {
  return { ...(to === undefined ? {} : { version: versionTag(to) }), ...(image === undefined ? {} : { image }) };
}
