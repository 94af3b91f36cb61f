import { defineTask, z } from 'talos-tk';

export default defineTask({
  summary: 'Fetch the kubeconfig, and put it into your own when asked to',
  description:
    'The file of the repository is fetched anew when it is missing, of another cluster, or ends within a week. --merge puts its context into your own kubeconfig, and leaves every other context as it is.',
  params: z.object({
    force: z.boolean().default(false).describe('fetch it also when it is right'),
    merge: z.boolean().default(false).describe('into your own: KUBECONFIG, else ~/.kube/config'),
    activate: z.boolean().default(true).describe('with --merge: make it the current context'),
  }),
  examples: ['talos:kubeconfig', 'talos:kubeconfig --merge'],
  effect: 'write',
  probe: ({ cluster }) => cluster.kubeconfig.state(),
  plan: ({ params }, state) => [
    state?.state === 'right' && !params.force
      ? { decision: 'skip', title: 'fetch kubeconfig', reason: `it is right for ${state.server}` }
      : {
          decision: 'run',
          title: 'fetch kubeconfig',
          ...(state?.state === 'wrong' ? { reason: state.because } : {}),
          calls: [{ target: 'kubeconfig', call: 'write file' }],
        },
    ...(params.merge
      ? [{ decision: 'run' as const, title: 'merge into your own', calls: [{ target: 'your kubeconfig', call: 'write file' }] }]
      : []),
  ],
  async run({ params, cluster, step, skip, detail }) {
    const before = await cluster.kubeconfig.state();
    const isFetched = before.state !== 'right' || params.force;
    if (isFetched) {
      await step('fetch', async (handle) => {
        const { server } = await cluster.kubeconfig.fetch(handle.signal);
        handle.detail(server);
      });
    }
    const merged = params.merge
      ? await step('merge', async (handle) => {
          const result = await cluster.kubeconfig.merge({ activate: params.activate });
          if (result.isChanged) handle.detail(result.path);
          else handle.skip(`${result.path} has it`);
          return result;
        })
      : undefined;
    if (!isFetched && merged?.isChanged !== true) skip(before.state === 'right' ? `it is right for ${before.server}` : 'nothing to do');
    else if (merged !== undefined) detail(merged.path);
    return { path: cluster.model.paths.kubeconfig, fetched: isFetched, ...(merged === undefined ? {} : { mergedInto: merged.path }) };
  },
});
