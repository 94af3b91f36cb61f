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
    for (const check of cluster.health.checks()) {
      await step.pure(check.description, async (handle) => {
        const answer = await handle.wait(check);
        if (answer.state === 'skipped') handle.skip(answer.because);
        else passed += 1;
      });
    }
    if (needs.flux.revision !== undefined) {
      await step.pure('flux to be reconciled', async (handle) => handle.detail(await handle.wait(cluster.kubernetes.fluxReconciled())));
    }
    detail(`${passed} checks hold`);
    const controlPlanes = cluster.controlPlanes.length;
    report({
      headline: [
        `Healthy: ${cluster.nodes.length} nodes Ready`,
        `etcd ${controlPlanes} of ${controlPlanes}`,
        ...(needs.flux.revision === undefined ? [] : [`Flux reconciled ${needs.flux.revision}`]),
      ].join(', '),
    });
    return { passed };
  },
});
