import { defineTask, fail, z } from 'talos-tk';

/** Stages that one may want to wait for, by the last check that they hold. */
const stages = {
  etcd: 'etcd members to be control plane nodes',
  apid: 'apid to be ready',
  machines: 'no diagnostics',
  boot: 'all nodes to finish boot sequence',
  registered: 'all k8s nodes to report',
  'control-plane': 'all control plane components to be ready',
  ready: 'all k8s nodes to report ready',
  all: 'all k8s nodes to report schedulable',
} as const;

export default defineTask({
  summary: "Wait for the cluster's health checks, in upstream's order",
  description:
    'The 16 checks of talosctl health, under their names. --until ends earlier: `control-plane` is as far as a cluster comes before it has a container network. Changes nothing and needs nothing done before.',
  params: z.object({
    until: z
      .enum(Object.keys(stages) as [keyof typeof stages])
      .default('all')
      .describe('the last stage to wait for'),
    timeout: z
      .string()
      .regex(/^[1-9]\d{0,4}[smh]$/, 'expected seconds, minutes or hours, as in 30s, 20m, 1h')
      .default('20m')
      .describe('how long each check may take'),
  }),
  examples: ['talos:health', 'talos:health --until control-plane --timeout 5m'],
  effect: 'read',
  async run({ params, cluster, step, detail }) {
    const checks = cluster.health.checks();
    const last = checks.findIndex((check) => check.description === stages[params.until]);
    if (last === -1) fail(`no check is called ${stages[params.until]}`);
    const unitMs = { s: 1000, m: 60_000, h: 3_600_000 }[params.timeout.at(-1) as 's'];
    const deadlineMs = Number.parseInt(params.timeout, 10) * unitMs;
    let passed = 0;
    for (const check of checks.slice(0, last + 1)) {
      await step.pure(check.description, async (handle) => {
        const answer = await handle.wait({ ...check, deadlineMs });
        if (answer.state === 'skipped') handle.skip(answer.because);
        else passed += 1;
      });
    }
    detail(`${passed} checks hold`);
    return { passed, until: params.until };
  },
});
