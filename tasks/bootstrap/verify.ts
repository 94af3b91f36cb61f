import { defineTask } from 'talos-tk';
import flux from './flux.ts';

export default defineTask({
  summary: "Check the cluster's health, from etcd to Flux",
  effect: 'read',
  needs: { flux: flux() },
  plan: ({ cluster }) => [
    { decision: 'run', title: `${cluster.health.checks().length} health checks, then Flux`, reason: 'changes nothing' },
  ],
  async run({ cluster, needs, step, detail, report }) {
    let passed = 0;
    const passedOver = new Set<string>();
    for (const check of cluster.health.checks()) {
      await step.pure(check.description, async (handle) => {
        const answer = await handle.wait(check);
        if (answer.state === 'ok') passed += 1;
        else {
          passedOver.add(check.description);
          handle.skip(answer.because);
        }
      });
    }
    if (needs.flux.revision !== undefined) {
      await step.pure('flux to be reconciled', async (handle) => handle.detail(await handle.wait(cluster.kubernetes.fluxReconciled())));
    }
    detail(`${passed} checks hold`);
    const controlPlanes = cluster.controlPlanes.length;
    const nodes = cluster.nodes.length === 1 ? '1 node' : `${cluster.nodes.length} nodes`;
    report({
      headline: [
        passedOver.has('all k8s nodes to report ready')
          ? `Up, and waiting for a container network: ${nodes} registered`
          : `Healthy: ${nodes} Ready`,
        `etcd ${controlPlanes} of ${controlPlanes}`,
        ...(needs.flux.revision === undefined ? [] : [`Flux reconciled ${needs.flux.revision}`]),
        ...(needs.flux.revision === undefined && cluster.model.paths.kubernetes !== undefined ? ['nothing follows kubernetes/ yet'] : []),
      ].join(', '),
    });
    return { passed };
  },
});
