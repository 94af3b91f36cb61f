import { defineTask } from 'talos-tk';

export default defineTask({
  summary: "Wait for the cluster's health checks, in upstream's order",
  description: 'The 16 checks of talosctl health, under their names. Changes nothing and needs nothing done before.',
  effect: 'read',
  async run({ cluster, step, detail }) {
    let passed = 0;
    for (const check of cluster.health.checks()) {
      await step.pure(check.description, async (handle) => {
        const answer = await handle.wait(check);
        if (answer.state === 'skipped') handle.skip(answer.because);
        else passed += 1;
      });
    }
    detail(`${passed} checks hold`);
    return { passed };
  },
});
