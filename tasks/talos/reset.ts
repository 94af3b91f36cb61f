import {
  checkWiped,
  type ClusterView,
  darkEvidence,
  defineTask,
  disruptionOptions,
  disruptionParams,
  gone,
  nodeParams,
  notePartitions,
  takeAway,
  takeAwayFacts,
  takeAwayPlan,
  TkError,
  wipeEvidence,
  z,
} from 'talos-tk';

export default defineTask({
  summary: 'Wipe one node',
  description:
    'One node, named and typed. A graceful reset leaves etcd first; --no-graceful is for a machine whose etcd does not work, and its member is removed afterwards. With --reboot it comes back, in maintenance mode where its config is wiped, too. The Node object stays in Kubernetes: npx tk node:remove takes everything away.',
  params: z
    .object({
      ...nodeParams,
      graceful: z.boolean().default(true).describe('Talos drains it and leaves etcd before it wipes'),
      reboot: z.boolean().default(false).describe('come back in maintenance mode instead of switching off'),
      wipe: z.enum(['all', 'system-disk', 'user-disks']).default('all').describe('which disks'),
      labels: z
        .array(z.string().regex(/^[\w/.-]+$/, 'expected the name of a volume: STATE, EPHEMERAL, ETCD'))
        .default([])
        .describe('only these volumes of the system disk: STATE, EPHEMERAL, ETCD (from Talos 1.14 on)'),
      userDisks: z.array(z.string().startsWith('/dev/')).default([]).describe('these disks too: /dev/sdb'),
      ...disruptionParams,
    })
    // As the machine would refuse it. Source: Talos internal/app/machined/internal/server/v1alpha1 (Reset)
    .refine(({ wipe, userDisks }) => wipe !== 'system-disk' || userDisks.length === 0, {
      path: ['userDisks'],
      message: '--wipe=system-disk leaves them alone',
    })
    .refine(({ wipe, labels }) => wipe !== 'user-disks' || labels.length === 0, {
      path: ['labels'],
      message: '--wipe=user-disks leaves the system disk alone',
    })
    .refine(({ wipe, userDisks }) => wipe !== 'user-disks' || userDisks.length > 0, {
      path: ['userDisks'],
      message: '--wipe=user-disks needs them: it would wipe nothing',
    }),
  examples: ['talos:reset NODE=worker-1 --reboot', 'talos:reset NODE=worker-1 --labels STATE,EPHEMERAL --reboot'],
  effect: 'destroy',
  locks: ['machines', 'etcd'],
  confirm(params, { cluster }) {
    const { name, address } = cluster.find(params);
    return { message: `Wipe ${name} (${address}): ${wipeWords(params)}`, phrase: name };
  },
  async probe({ params, cluster, signal }) {
    const node = cluster.find(params);
    await cluster.operations.checkWipe(node, params, signal);
    const etcd = etcdLoss(params, await etcdVolumes(params, cluster, node, signal));
    return takeAwayFacts(cluster, [node], { kind: 'reset', etcd, ...disruptionOptions(params, cluster.gates) }, signal);
  },
  plan: ({ params, cluster }, facts) =>
    takeAwayPlan(facts, [cluster.find(params)], {
      title: 'reset',
      call: 'machine.MachineService/Reset',
      drain: disruptionOptions(params, cluster.gates).drain,
      also: [wipeWords(params)],
    }),
  async run(context) {
    const { params, cluster, step, detail, log, recall, signal } = context;
    const node = cluster.find(params);
    // A machine that an earlier run has wiped has neither disks nor volumes to tell of.
    if ((await recall(`reset ${node.name}`)).last === undefined) await cluster.operations.checkWipe(node, params, signal);
    const volumes = await etcdVolumes(params, cluster, node, signal);
    const etcd = etcdLoss(params, volumes);
    const keepsConfig = params.wipe === 'user-disks' || (params.labels.length > 0 && !params.labels.includes('STATE'));
    const comesBack = params.reboot && keepsConfig;
    await takeAway(context, [node], {
      kind: 'reset',
      title: 'reset',
      etcd,
      ...disruptionOptions(params, cluster.gates),
      async act(target, handle) {
        if (keepsConfig) await notePartitions(cluster, target, params.labels, handle);
        await cluster.lifecycle.reset(
          target,
          {
            isGraceful: params.graceful,
            reboots: params.reboot,
            wipe: params.wipe,
            systemLabels: params.labels,
            userDisks: params.userDisks,
          },
          handle.signal,
        );
      },
      happened: (target, bootId, handle, intent) =>
        keepsConfig
          ? wipeEvidence(context, target, bootId, handle, intent)
          : darkEvidence(cluster, target, bootId, handle, intent, { takesConfig: true }),
      ...(comesBack
        ? { comesBack: (target, bootId) => cluster.lifecycle.back(target, { afterBoot: bootId }) }
        : { after: async (target, handle) => handle.detail(await handle.wait(gone(cluster, target, params.reboot))) }),
    });
    if (comesBack) await step.pure('wiped', (handle) => checkWiped(context, node, handle.signal));
    // One that comes back with its config joins etcd anew, and takes its old member out itself.
    if (node.role === 'controlplane' && etcd === 'for-good' && !comesBack) {
      await step('etcd member', async (handle) => {
        const picture = await cluster.lifecycle.etcd(handle.signal);
        const left = picture.views
          .flatMap((view) => (view.state === 'answered' ? view.members : []))
          .find((one) => one.hostname === node.name);
        if (left === undefined) {
          handle.skip('it has left etcd');
          return;
        }
        if (volumes === 'unknown') {
          handle.skip('whether its data is wiped cannot be told any more: it is still in the member list');
          return;
        }
        const problems = cluster.operations.etcd.mayRemove(picture, left, { alsoWorking: false });
        if (problems.length > 0) {
          for (const problem of problems) log.warn(problem);
          handle.skip('it is still in the member list');
          return;
        }
        await cluster.operations.etcd.remove(picture, left.id, handle.signal);
        handle.detail(cluster.operations.etcd.tolerance(await cluster.lifecycle.etcd(handle.signal), 0));
      });
    }
    detail(`${node.name}: ${wipeWords(params)}`);
    return { node: node.name, reboots: params.reboot };
  },
});

interface Wipe {
  readonly graceful: boolean;
  readonly wipe: 'all' | 'system-disk' | 'user-disks';
  readonly labels: readonly string[];
  readonly userDisks: readonly string[];
}

type EtcdVolumes = readonly string[] | 'unknown';

/**
 * What etcd's data lies on, asked where the answer matters: EPHEMERAL is wiped, its own volume (from 1.14) is not named, and nobody
 * leaves etcd. `unknown`: an earlier run has sent the reset, and the machine does not answer.
 */
async function etcdVolumes(
  { graceful, labels }: Wipe,
  { operations }: Pick<ClusterView, 'operations'>,
  node: ClusterView['nodes'][number],
  signal: AbortSignal,
): Promise<EtcdVolumes> {
  const matters = node.role === 'controlplane' && !graceful && labels.includes('EPHEMERAL') && !labels.includes('ETCD');
  if (!matters) return ['EPHEMERAL'];
  try {
    return await operations.recovery.volumes(node, signal);
  } catch (error) {
    if (!(error instanceof TkError) || signal.aborted) throw error;
    return 'unknown';
  }
}

/** A graceful reset leaves the member list, and empties the data, whatever is wiped. */
function etcdLoss({ graceful, wipe, labels }: Wipe, volumes: EtcdVolumes): 'away' | 'for-good' {
  if (graceful || (wipe !== 'user-disks' && (labels.length === 0 || labels.includes('ETCD')))) return 'for-good';
  const isApart = volumes !== 'unknown' && volumes.includes('ETCD');
  return labels.includes('EPHEMERAL') && !isApart ? 'for-good' : 'away';
}

function wipeWords({ wipe, labels, userDisks }: Wipe): string {
  const system = labels.length > 0 ? labels.join(' and ') : wipe === 'user-disks' ? '' : 'the system disk';
  return [system, userDisks.join(' and ')].filter(Boolean).join(' and ') || 'nothing';
}
