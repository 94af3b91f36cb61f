import {
  defineTask,
  disruptionOptions,
  disruptionParams,
  minutes,
  nodeParams,
  nodeUpgradeState,
  upgradeCalls,
  upgradeNode,
  z,
} from 'talos-tk';

export default defineTask({
  summary: 'Upgrade Talos on one node',
  description: `Facts, pull, gates, cordon and drain, gates again on fresh data, install, reboot, and the proof that the machine is back with what was
installed; then the cordon is taken back. A run that was cut off is taken up by the same line. Gates: identity, version-path,
other-driver, one-at-a-time, storage, volumes, etcd-quorum, and those of tasks.config.ts.`,
  params: z.object({
    ...nodeParams,
    to: z.string().optional().describe('Talos version; default: the one of the inventory'),
    image: z.string().optional().describe("installer image; default: from the inventory's schematic"),
    stage: z.boolean().default(false).describe('install at the next boot instead of now; the machine boots twice'),
    rebootMode: z.enum(['default', 'powercycle']).default('default').describe('powercycle goes through the firmware instead of kexec'),
    ...disruptionParams,
  }),
  effect: 'mutate',
  locks: ({ ip, node, hostname }) => [`machine ${ip ?? node ?? hostname ?? ''}`],
  async probe({ params, cluster, recall, signal }) {
    const node = cluster.find(params);
    const { overrides, acceptsDowntime } = disruptionOptions(params, cluster.gates);
    const [surveyed] = await cluster.lifecycle.survey([node], signal);
    if (surveyed === undefined) return undefined;
    const state = await nodeUpgradeState({ lifecycle: cluster.lifecycle, surveyed, wanted: wantedOf(params), overrides, recall, signal });
    const isDue = state.state === 'needed' || state.state === 'installed';
    const etcd = node.role === 'controlplane' ? ('away' as const) : ('none' as const);
    const answers = isDue
      ? await cluster.gates.check({ node, kind: 'upgrade', etcd, toVersion: state.target.version, acceptsDowntime }, overrides, signal)
      : [];
    return { state, answers };
  },
  plan({ params, cluster }, facts) {
    const node = cluster.find(params).name;
    const title = 'upgrade Talos';
    if (facts === undefined) return [{ decision: 'unknown', title, node, reason: 'the machine was not asked' }];
    const { state, answers } = facts;
    const calls = upgradeCalls(state, { drain: disruptionOptions(params, cluster.gates).drain, isStaged: params.stage }, true);
    const refused = answers.flatMap((answer) => (answer.state === 'refused' ? [`the gate ${answer.gate} would refuse`] : []));
    switch (state.state) {
      case 'equal':
        return state.cordon.state === 'ours'
          ? [
              {
                decision: 'run',
                title: 'uncordon',
                node,
                reason: `already ${state.target.version}, cordoned by a run that was cut off`,
                calls,
              },
            ]
          : [{ decision: 'skip', title, node, reason: `already ${state.target.version}` }];
      case 'unknown':
        return [{ decision: 'unknown', title, node, reason: `it cannot be asked (${state.failure.code})` }];
      case 'leaving':
        return [{ decision: 'run', title: 'wait until it is back', node, reason: 'an earlier run has sent the reboot', calls }];
      case 'needed':
      case 'installed': {
        const quorum = answers.find((answer) => answer.gate === 'etcd-quorum');
        const reasons = [
          state.state === 'installed'
            ? 'installed by an earlier run, reboot pending'
            : `${state.facts.talosVersion} → ${state.target.version}`,
          ...(quorum?.state === 'passed' ? [quorum.seen] : []),
          ...(state.state === 'needed' && state.rolledBackFrom ? [`rolled back from ${state.rolledBackFrom} last time`] : []),
          ...refused,
        ];
        return [{ decision: 'run', title, node, reason: reasons.join(', '), calls }];
      }
    }
  },
  async run(context) {
    const { params, cluster, step, runId, recall, afterwards, detail, skip, report, signal } = context;
    const node = cluster.find(params);
    const options = disruptionOptions(params, cluster.gates);
    const state = await step.pure(
      'facts',
      async (handle) => {
        const [surveyed] = await cluster.lifecycle.survey([node], handle.signal);
        if (surveyed === undefined) throw new Error('a survey of one node told of none');
        const { lifecycle } = cluster;
        return nodeUpgradeState({
          lifecycle,
          surveyed,
          wanted: wantedOf(params),
          overrides: options.overrides,
          recall,
          signal: handle.signal,
        });
      },
      { node: node.name },
    );
    const isDue = state.state === 'needed' || state.state === 'installed';
    let lease: Awaited<ReturnType<typeof cluster.lifecycle.lease>> | undefined;
    if (isDue && (state.facts.kube !== undefined || !options.overrides.has('kubernetes'))) {
      lease = await step('lease', (handle) => cluster.lifecycle.lease(runId, handle.signal));
      const taken = lease;
      afterwards('give the lease back', (handle) => taken.release(handle.signal));
    }
    if (isDue && node.role === 'controlplane') {
      await step('etcd snapshot', async (handle) => {
        const { path, revision } = await cluster.lifecycle.snapshot({ reuseForMs: minutes(15) }, handle.signal);
        handle.detail(`${path}, revision ${revision}`);
      });
    }
    const pending = isDue ? (state.state === 'installed' ? 'installed, reboot pending' : `Talos ${state.facts.talosVersion}`) : '';
    try {
      const upgraded = await upgradeNode(context, state, {
        ...options,
        rebootMode: params.rebootMode,
        isStaged: params.stage,
        ...(lease === undefined ? {} : { lease }),
      });
      if (upgraded.changed) detail(`${node.name} runs Talos ${upgraded.version}`);
      else skip(`${node.name} runs Talos ${upgraded.version} already`);
      return upgraded;
    } catch (error) {
      const left = signal.aborted ? pending : await pendingWords();
      if (left !== '') report({ rows: { Pending: `${node.name}: ${left}` } });
      throw error;
    }

    /** What is left to do on this node, in words; from what the journal and the machine say now. */
    async function pendingWords(): Promise<string> {
      const limit = new AbortController().signal;
      const [surveyed] = await cluster.lifecycle.survey([node], limit);
      if (surveyed === undefined || surveyed.state === 'silent') return 'it does not answer';
      const now = await nodeUpgradeState({
        lifecycle: cluster.lifecycle,
        surveyed,
        wanted: wantedOf(params),
        overrides: options.overrides,
        recall,
        signal: limit,
      }).catch(() => undefined);
      return now?.state === 'installed' ? 'installed, reboot pending' : '';
    }
  },
});

function wantedOf({ to, image }: { readonly to?: string | undefined; readonly image?: string | undefined }) {
  const version = to === undefined ? undefined : `v${to.replace(/^v/, '')}`;
  return { ...(version === undefined ? {} : { version }), ...(image === undefined ? {} : { image }) };
}
