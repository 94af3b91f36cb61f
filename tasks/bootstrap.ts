import { defineTask } from 'talos-tk';
import verify from './bootstrap/verify.ts';

export default defineTask({
  summary: 'Take bare machines to a healthy cluster under Flux',
  description:
    'Configure, generate, preflight, apply, bootstrap etcd, kubeconfig, namespaces, secrets, CRDs, releases, verify. A second run probes everything and changes only what is left.',
  effect: 'mutate',
  needs: { verify: verify() },
  plan: () => [],
  run({ needs, cluster, detail, report }) {
    detail(`${needs.verify.passed} checks hold`);
    report({
      rows: cluster.isSandbox
        ? { Sandbox: '.tk/sim/  (npx tk sim:up lets talosctl and kubectl in)', Next: 'npx tk talos:health --sim' }
        : { Kubeconfig: cluster.model.paths.kubeconfig, Talosconfig: cluster.model.paths.talosconfig, Next: 'npx tk talos:health' },
    });
  },
});
