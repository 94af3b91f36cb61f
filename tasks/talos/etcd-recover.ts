import { defineTask, holds, nodeParams, notYet, refuse, throwIfAny, z } from 'talos-tk';

export default defineTask({
  summary: 'Start etcd anew from a snapshot, after its quorum is lost',
  description:
    'For a cluster whose etcd does not come back: the data of every control plane is wiped (their configs stay), one of them starts from the snapshot, the others join it. What was written after the snapshot is lost. Refused while any member works, and with the snapshot of another cluster. A run that was cut off is continued by the same line.',
  params: z.object({
    snapshot: z.string().describe('the file that talos:etcd-snapshot wrote').meta({ path: true }),
    ...nodeParams,
    without: z.array(z.string()).default([]).describe('control planes that are switched off and will not come back with their data'),
    otherCluster: z
      .string()
      .min(1)
      .optional()
      .describe('why a snapshot of a cluster with other names or keys is meant; kept in the journal'),
    skipHashCheck: z.boolean().default(false).describe('for a database that was copied out of a data directory'),
  }),
  positional: ['snapshot'],
  examples: ['talos:etcd-recover talos/backups/etcd-20260102T030405Z.db'],
  effect: 'destroy',
  locks: ['machines', 'etcd'],
  confirm: ({ snapshot }, { cluster }) => ({
    message: `Wipe etcd of ${cluster.name} and start it from ${snapshot}`,
    phrase: cluster.name,
  }),
  async probe({ params, cluster, signal }) {
    const { recovery } = cluster.operations;
    const file = await recovery.file(params.snapshot, params);
    const strangers = params.otherCluster === undefined ? await recovery.strangers(file) : [];
    const { nodes } = membersOf(params, cluster);
    const remains = await recovery.remains(nodes, signal);
    return { file, remains, problems: [...strangers, ...recovery.mayRecover(await cluster.lifecycle.etcd(signal))] };
  },
  plan({ params, cluster }, facts) {
    const { target } = membersOf(params, cluster);
    if (facts === undefined) return [{ decision: 'unknown', title: 'recover etcd', node: target.name, reason: 'no machine was asked' }];
    throwIfAny(facts.problems);
    return [
      ...facts.remains.map(({ node, state, because }) =>
        state === 'empty'
          ? { decision: 'skip' as const, title: 'wipe EPHEMERAL', node: node.name, reason: 'it has no data of etcd' }
          : {
              decision: 'run' as const,
              title: 'wipe EPHEMERAL',
              node: node.name,
              ...(because === undefined ? {} : { reason: `it cannot be asked (${because}), and has to be` }),
              calls: [{ target: node.name, call: 'machine.MachineService/Reset' }],
            },
      ),
      {
        decision: 'run',
        title: 'start etcd from the snapshot',
        node: target.name,
        reason: `revision ${facts.file.revision}, ${facts.file.keys} keys, hash ${facts.file.hash}`,
        calls: [
          { target: target.name, call: 'machine.MachineService/EtcdRecover' },
          { target: target.name, call: 'machine.MachineService/Bootstrap' },
        ],
      },
    ];
  },
  async run(context) {
    const { params, cluster, step, recall, keep, wait, detail, report, signal } = context;
    const { recovery } = cluster.operations;
    const { nodes, lost, target } = membersOf(params, cluster);
    const file = await step.pure('snapshot', async (handle) => {
      const read = await recovery.file(params.snapshot, params);
      const strangers = await recovery.strangers(read);
      if (params.otherCluster === undefined) throwIfAny(strangers);
      else if (strangers.length > 0) {
        await keep({ subject: 'snapshot of another cluster: etcd/snapshot-foreign', reason: params.otherCluster });
        for (const stranger of strangers) handle.log.warn(stranger);
        handle.log.warn(`it is taken all the same: ${params.otherCluster}`);
      }
      handle.detail(`revision ${read.revision}, ${read.keys} keys, hash ${read.hash}`);
      return read;
    });
    const key = `recover etcd from ${file.hash} revision ${file.revision}`;
    const bootstrap = await recall(key);
    const isBegun = bootstrap.open !== undefined;
    /** Talos asks etcd for its quorum every 20 s, and gives it 15 s. Source: machined/pkg/system/services/etcd.go HealthSettings, v1.14.1 */
    const hasShownLoss = (those: typeof nodes, handle: Pick<typeof context, 'wait'>) =>
      handle.wait({
        description: 'etcd to have shown that it does not work',
        deadlineMs: 120_000,
        intervalMs: 1000,
        async check(limited) {
          throwIfAny(recovery.mayRecover(await cluster.lifecycle.etcd(limited)));
          const undecided = await recovery.undecided(those, limited);
          return undecided.length === 0 ? holds(undefined) : notYet(`${undecided.join(', ')}: nothing tells it yet`);
        },
      });
    if (!isBegun) {
      await step.pure('look', async (handle) => {
        throwIfAny(recovery.mayRecover(await cluster.lifecycle.etcd(handle.signal)));
        const silent = (await recovery.remains(nodes, handle.signal)).filter((one) => one.state === 'silent');
        if (silent.length > 0)
          refuse(`${silent.map(({ node }) => node.name).join(' and ')} cannot be asked, and may hold data of etcd`, {
            because: silent.map(({ node, because }) => `${node.name}: ${because}`).join(', '),
            help: 'switch them on; or make sure that they are off for good and give --without',
          });
        const alive = (await recovery.remains(lost, handle.signal)).filter((one) => one.state !== 'silent');
        if (alive.length > 0)
          refuse(`${alive.map(({ node }) => node.name).join(' and ')} was given as lost, and answers`, {
            because: 'what it has of etcd would go on beside the new one',
            help: 'leave it out of --without: its data is wiped too, and it joins',
          });
        await hasShownLoss(nodes, handle);
      });
      for (const [place, node] of nodes.entries()) {
        await step.once(`wipe EPHEMERAL of ${node.name}`, {
          key: `${key}: wipe ${node.name}`,
          node: node.name,
          async probe(handle) {
            const [left] = await recovery.remains([node], handle.signal);
            if (left?.state === 'empty') return { state: 'done', seen: 'it has no data of etcd', value: undefined };
            if (left?.state === 'data') {
              const { stage } = await cluster.lifecycle.boot(node, handle.signal);
              return stage === 'resetting'
                ? { state: 'done', seen: 'it is being wiped', value: undefined }
                : { state: 'not-done', seen: 'etcd has data' };
            }
            return { state: 'undecidable', seen: `it cannot be asked (${left?.because ?? 'no answer'})` };
          },
          async act(handle) {
            // Once more, on data of this very moment: nothing that works is wiped.
            await hasShownLoss(nodes.slice(place), handle);
            const systemLabels = await recovery.volumes(node, handle.signal);
            const options = { isGraceful: false, reboots: true, wipe: 'all', systemLabels } as const;
            await cluster.lifecycle.reset(node, options, handle.signal);
          },
        });
      }
      for (const node of nodes)
        await step.pure(`${node.name} comes back`, async (handle) => handle.detail(await handle.wait(recovery.waiting(node))), {
          node: node.name,
        });
    }
    await step.once('start etcd from the snapshot', {
      key,
      target: target.name,
      node: target.name,
      probe: (handle) => cluster.etcd.evidence(handle.signal, nodes),
      act: (handle, name) =>
        recovery.bootstrap(
          cluster.find({ node: name ?? target.name }),
          params.snapshot,
          { skipHashCheck: params.skipHashCheck },
          handle.signal,
        ),
    });
    await step.pure('etcd starts', async (handle) => void (await handle.wait(cluster.etcd.started(target))), { node: target.name });
    await step.pure('etcd members join', async (handle) => void (await handle.wait(cluster.etcd.joined(nodes))));
    for (const node of nodes) await wait(cluster.kubeconfig.apiServerReady(node));
    const tolerance = cluster.operations.etcd.tolerance(await cluster.lifecycle.etcd(signal), 0);
    detail(`revision ${file.revision}; ${tolerance}`);
    report({ rows: { Next: lost[0] === undefined ? 'npx tk doctor' : `npx tk node:replace NODE=${lost[0].name}` } });
    return { revision: String(file.revision), hash: file.hash, target: target.name, etcd: tolerance };
  },
});

interface Named {
  readonly ip?: string | undefined;
  readonly node?: string | undefined;
  readonly hostname?: string | undefined;
}

interface Inventory<N> {
  readonly controlPlanes: readonly N[];
  readonly operations: { controlPlanes(selector: Named & { readonly nodes?: readonly string[] }): readonly N[] };
  readonly etcd: { target(): N };
}

/** Who is wiped and joins, who is lost, and who starts: the one that is named, else the one that a bootstrap would choose. */
function membersOf<N extends { readonly name: string }>(
  { ip, node, hostname, without }: Named & { readonly without: readonly string[] },
  { controlPlanes, operations, etcd }: Inventory<N>,
): { readonly nodes: readonly N[]; readonly lost: readonly N[]; readonly target: N } {
  const lost = without.length === 0 ? [] : operations.controlPlanes({ nodes: without });
  const nodes = controlPlanes.filter((one) => !lost.includes(one));
  const [named] = ip || node || hostname ? operations.controlPlanes({ ip, node, hostname }) : [];
  const [first] = nodes.includes(etcd.target()) ? [etcd.target()] : nodes;
  const target = named ?? first;
  if (target === undefined) refuse('no control plane would be left that etcd could start on', { help: 'name fewer with --without' });
  if (!nodes.includes(target)) refuse(`${target.name} is to start etcd, and to be left out`);
  return { nodes, lost, target };
}
