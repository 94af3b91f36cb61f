import { defineTask, installRelease, planReleases, probeReleases } from 'talos-tk';
import cilium from './cilium.ts';

export default defineTask({
  summary: 'Install CoreDNS',
  effect: 'mutate',
  needs: { cilium: cilium() },
  probe: (context) => probeReleases(context, (name) => name === 'coredns'),
  plan: (_context, facts) => planReleases(facts),
  run: (context) => installRelease(context, 'coredns'),
});
