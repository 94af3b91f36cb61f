import { defineTask } from 'talos-tk';
import verify from './bootstrap/verify.ts';

export default defineTask({
  summary: 'Take bare machines to a healthy cluster under Flux',
  description:
    'Configure, generate, preflight, apply, bootstrap etcd, kubeconfig, namespaces, secrets, CRDs, releases, verify. A second run probes everything and changes only what is left.',
  effect: 'mutate',
  needs: { verify: verify() },
  plan: () => [],
  run: ({ needs, detail }) => detail(`${needs.verify.passed} checks hold`),
});
