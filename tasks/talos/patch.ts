import {
  bootedWith,
  defineTask,
  disruptionOptions,
  disruptionParams,
  etcdSettled,
  namedNodesParams,
  seeThrough,
  takeAway,
  z,
} from 'talos-tk';

export default defineTask({
  summary: 'Patch the config that machines run, one after the other',
  description:
    'A strategic merge patch, as a file or as text; a JSON patch only where Talos takes one, else its strategic form is proposed. A change that needs a reboot goes through the gates like one. What the repository generates stays as it is: the next talos:apply takes a patch back that is not in it.',
  params: z.object({
    patch: z.array(z.string()).min(1).describe('a file, or the patch itself; may be given again').meta({ whole: true }),
    ...namedNodesParams,
    mode: z.enum(['auto', 'no-reboot', 'staged', 'try']).default('auto').describe('how the machine takes the config'),
    tryFor: z
      .string()
      .regex(/^[1-9]\d{0,3}[sm]$/, 'expected seconds or minutes, as in 30s, 5m')
      .default('1m')
      .describe('with --mode=try: when the machine goes back by itself'),
    ...disruptionParams,
  }),
  positional: ['patch'],
  examples: [
    `talos:patch 'machine: { sysctls: { vm.swappiness: "10" } }' --role worker`,
    'talos:patch @patch.yaml NODE=cp-1 --mode try --try-for 5m',
  ],
  effect: 'mutate',
  locks: ['machines'],
  async probe({ params, cluster, signal }) {
    const patches = await cluster.operations.patching.load(params.patch);
    const nodes = cluster.operations.named(params);
    return Promise.all(nodes.map((node) => cluster.operations.patching.preview(node, patches, params.mode, signal)));
  },
  plan({ params, cluster }, previews) {
    if (previews === undefined)
      return cluster.operations
        .named(params)
        .map(({ name }) => ({ decision: 'unknown', title: 'patch', node: name, reason: 'it was not asked' }));
    return previews.map(({ node, differences, mode }) =>
      differences.length === 0
        ? { decision: 'skip', title: 'patch', node: node.name, reason: 'it changes nothing' }
        : {
            decision: 'run',
            title: 'patch',
            node: node.name,
            reason: [...differences.map(lineOf), ...(mode === undefined ? [] : [`applied as ${mode}`])].join('; '),
            calls: [
              ...(mode === 'reboot' ? [{ target: node.name, call: 'cordon and drain' }] : []),
              { target: node.name, call: 'machine.MachineService/ApplyConfiguration' },
            ],
          },
    );
  },
  async run(context) {
    const { params, cluster, step, each, skip, detail, log } = context;
    const patches = await cluster.operations.patching.load(params.patch);
    const nodes = cluster.operations.named(params).toSorted((a, b) => Number(a.role === 'worker') - Number(b.role === 'worker'));
    const options = disruptionOptions(params, cluster.gates);
    // A patch that is wrong is wrong before anything is touched.
    await step.pure('look', async (handle) => {
      // Of all, also when one fails: nothing of this run asks a machine after its end.
      const previews = await each(nodes, (node) => cluster.operations.patching.preview(node, patches, params.mode, handle.signal), {
        parallel: nodes.length,
      });
      handle.detail(`${previews.filter((one) => one.differences.length > 0).length} of ${nodes.length} change`);
    });
    const tryForMs = Number.parseInt(params.tryFor, 10) * (params.tryFor.endsWith('m') ? 60_000 : 1000);
    const patched: { node: string; mode: string }[] = [];
    for (const node of nodes) {
      await step(
        node.name,
        async (handle) => {
          const preview = await cluster.operations.patching.preview(node, patches, params.mode, handle.signal);
          for (const warning of preview.warnings) handle.log.warn(warning);
          if (preview.differences.length === 0) {
            if (await seeThrough(context, node, `patch ${node.name}`, handle)) handle.detail('it is back with it');
            else handle.skip('it changes nothing');
            return;
          }
          for (const difference of preview.differences) handle.log(lineOf(difference));
          // The one before may still be starting what the patch has changed.
          if (node.role === 'controlplane' && patched.length > 0) {
            const disruption = { node, kind: 'reboot', etcd: 'away', acceptsDowntime: options.acceptsDowntime } as const;
            await handle.wait(etcdSettled(cluster.gates, disruption));
          }
          if (preview.mode === 'reboot') {
            const isPatched = async (signal: AbortSignal) =>
              (await cluster.operations.patching.preview(node, patches, params.mode, signal)).differences.length === 0;
            await takeAway({ ...context, step: handle.step, log: handle.log }, [node], {
              kind: 'reboot',
              title: 'patch',
              etcd: 'away',
              ...options,
              act: async (target, inner) =>
                void (await cluster.operations.patching.apply(target, preview.text, params.mode, {}, inner.signal)),
              comesBack: (target, bootId, version) => cluster.lifecycle.back(target, { afterBoot: bootId, noOlderThan: version }),
              happened: (target, bootId, inner, intent) =>
                bootedWith(cluster, { node: target, bootId, what: 'the patch', has: isPatched }, inner, intent),
            });
          } else {
            const answer = await cluster.operations.patching.apply(node, preview.text, params.mode, { tryForMs }, handle.signal);
            if (params.mode === 'auto' || params.mode === 'no-reboot') {
              await handle.wait(cluster.machines.installed(node));
              if (node.role === 'controlplane') await handle.wait(cluster.kubeconfig.apiServerReady(node));
            }
            handle.detail(answer.mode);
          }
          patched.push({ node: node.name, mode: preview.mode ?? params.mode });
        },
        { node: node.name },
      );
    }
    if (patched.length === 0) skip('it changes nothing');
    else detail(patched.map(({ node }) => node).join(' '));
    if (patched.length > 0 && params.mode === 'try') log(`it goes back after ${params.tryFor}, unless the same is applied for good`);
    return { patched };
  },
});

interface Difference {
  readonly document: string;
  readonly path: string;
  readonly change: 'added' | 'removed' | 'changed';
  readonly before?: unknown;
  readonly after?: unknown;
}

function lineOf({ document, path, change, before, after }: Difference): string {
  const mark = { added: '+', removed: '-', changed: '~' }[change];
  if (path === '') return `${mark} ${document}`;
  const value =
    change === 'changed' ? `${JSON.stringify(before)} → ${JSON.stringify(after)}` : JSON.stringify(change === 'added' ? after : before);
  return `${mark} ${document} ${path}: ${value}`;
}
