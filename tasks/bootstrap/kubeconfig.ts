import { defineTask } from 'talos-tk';
import bootstrapTalos from './talos.ts';

export default defineTask({
  summary: 'Fetch the kubeconfig of the cluster',
  effect: 'write',
  needs: { etcd: bootstrapTalos() },
  probe: ({ cluster }) => cluster.kubeconfig.state(),
  plan: (_context, state) =>
    state?.state === 'right'
      ? [{ decision: 'skip', title: 'fetch kubeconfig', reason: `it is right for ${state.server}` }]
      : [{ decision: 'run', title: 'fetch kubeconfig', calls: [{ target: 'kubeconfig', call: 'write file' }] }],
  async run({ cluster, step, wait, detail, skip, each }) {
    await each(cluster.controlPlanes, (node) => wait(cluster.kubeconfig.apiServerReady(node)));
    const before = await cluster.kubeconfig.state();
    if (before.state !== 'right') {
      await step('fetch', async (handle) => {
        const fetched = await cluster.kubeconfig.fetch(handle.signal);
        handle.detail(fetched.server);
      });
    }
    const server = await wait(cluster.kubeconfig.answers());
    if (before.state === 'right') skip(`it is right for ${server}`);
    else detail(server);
    return { server };
  },
});
