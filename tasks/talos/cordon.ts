import { defineTask, nodeParams, z } from 'talos-tk';

export default defineTask({
  summary: 'Let no new pods come to a node',
  description: 'The cordon carries the mark of tk; npx tk talos:uncordon takes it back.',
  params: z.object(nodeParams),
  examples: ['talos:cordon NODE=worker-1'],
  effect: 'mutate',
  probe: async ({ params, cluster, signal }) => (await cluster.lifecycle.facts(cluster.find(params), signal)).kube?.cordon,
  plan({ params, cluster }, cordon) {
    const node = cluster.find(params).name;
    if (cordon === undefined) return [{ decision: 'unknown', title: 'cordon', node, reason: 'Kubernetes does not tell of it' }];
    if (cordon.state !== 'none') return [{ decision: 'skip', title: 'cordon', node, reason: 'it is cordoned' }];
    return [{ decision: 'run', title: 'cordon', node, calls: [{ target: node, call: 'patch Node' }] }];
  },
  async run({ params, cluster, step, skip, runId, signal }) {
    const node = cluster.find(params);
    const before = (await cluster.lifecycle.facts(node, signal)).kube?.cordon;
    if (before !== undefined && before.state !== 'none') {
      skip(before.state === 'ours' ? 'it is cordoned' : 'somebody has cordoned it already');
      return { node: node.name, changed: false };
    }
    await step('cordon', (handle) => cluster.lifecycle.cordon(node, runId, handle.signal), { node: node.name });
    return { node: node.name, changed: true };
  },
});
