import { defineTask, z } from 'talos-tk';

export default defineTask({
  summary: 'Let Flux fetch its source and apply it now',
  description:
    'As `flux reconcile kustomization … --with-source`: the source first, then the Kustomization, until both say that this very request was handled. Without a name it is the root of the tree.',
  params: z.object({
    name: z.string().optional().describe('Kustomization; default: the root'),
    namespace: z.string().default('flux-system').describe('of the Kustomization'),
    source: z.boolean().default(true).describe('fetch its source first'),
  }),
  positional: ['name'],
  examples: ['flux:reconcile'],
  effect: 'mutate',
  probe: ({ params, cluster, signal }) => cluster.operations.flux.objects(params, signal),
  plan: ({ params }, objects) =>
    objects === undefined
      ? [{ decision: 'unknown', title: 'reconcile', reason: 'Kubernetes was not asked' }]
      : objects
          .filter((object) => params.source || object.kind === 'Kustomization')
          .map((object) => ({
            decision: 'run' as const,
            title: `reconcile ${object.kind} ${object.namespace}/${object.name}`,
            calls: [{ target: `${object.kind} ${object.namespace}/${object.name}`, call: 'patch annotations' }],
          })),
  async run({ params, cluster, step, detail, signal }) {
    const objects = await cluster.operations.flux.objects(params, signal);
    let revision = '';
    for (const object of objects.filter(({ kind }) => params.source || kind === 'Kustomization')) {
      revision = await step(`${object.kind} ${object.namespace}/${object.name}`, async (handle) => {
        const requestedAt = await cluster.operations.flux.request(object, handle.signal);
        const seen = await handle.wait(cluster.operations.flux.handled(object, requestedAt));
        handle.detail(seen);
        return seen;
      });
    }
    detail(revision);
    return { revision };
  },
});
