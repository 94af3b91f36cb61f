import { defineTask, nodeParams, refuse, z } from 'talos-tk';

export default defineTask({
  summary: 'Let pods come to a node again',
  description: "Takes back a cordon of tk's. One that somebody else has set is left, unless --foreign is given.",
  params: z.object({ ...nodeParams, foreign: z.boolean().default(false).describe('also a cordon that tk has not set') }),
  examples: ['talos:uncordon NODE=worker-1'],
  effect: 'mutate',
  probe: async ({ params, cluster, signal }) => (await cluster.lifecycle.facts(cluster.find(params), signal)).kube?.cordon,
  plan({ params, cluster }, cordon) {
    const node = cluster.find(params).name;
    if (cordon === undefined) return [{ decision: 'unknown', title: 'uncordon', node, reason: 'Kubernetes does not tell of it' }];
    if (cordon.state === 'none') return [{ decision: 'skip', title: 'uncordon', node, reason: 'it is not cordoned' }];
    if (cordon.state === 'foreign' && !params.foreign)
      return [{ decision: 'skip', title: 'uncordon', node, reason: 'somebody else has cordoned it' }];
    return [{ decision: 'run', title: 'uncordon', node, calls: [{ target: node, call: 'patch Node' }] }];
  },
  async run({ params, cluster, step, skip, signal }) {
    const node = cluster.find(params);
    const cordon = (await cluster.lifecycle.facts(node, signal)).kube?.cordon;
    if (cordon?.state === 'none') {
      skip('it is not cordoned');
      return { node: node.name, changed: false };
    }
    if (cordon?.state === 'foreign' && !params.foreign) refuseForeign(node.name);
    const changed = await step(
      'uncordon',
      async (handle) => {
        if (cordon?.state !== 'foreign' && (await cluster.lifecycle.uncordon(node, handle.signal))) return true;
        // What could not be read before may be somebody's too.
        const left = cordon ?? (await cluster.lifecycle.facts(node, handle.signal)).kube?.cordon;
        if (left?.state !== 'foreign') {
          handle.skip('it is not cordoned');
          return false;
        }
        if (!params.foreign) refuseForeign(node.name);
        await cluster.operations.uncordonForeign(node, handle.signal);
        return true;
      },
      { node: node.name },
    );
    return { node: node.name, changed };
  },
});

const refuseForeign = (node: string): never =>
  refuse(`${node} was cordoned by somebody else`, { help: `npx tk talos:uncordon NODE=${node} --foreign` });
