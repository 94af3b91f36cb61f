import { defineTask, installRelease, planReleases, probeReleases } from 'talos-tk';
import crds from './crds.ts';

export default defineTask({
  summary: 'Install Cilium, and wait until every node is Ready',
  effect: 'mutate',
  needs: { crds: crds() },
  probe: (context) => probeReleases(context, (name) => name === 'cilium'),
  plan: (_context, facts) => planReleases(facts),
  async run(context) {
    const installed = await installRelease(context, 'cilium');
    // A tree that bootstraps nothing leaves the network to somebody else: waiting for it here would be in vain.
    if ((await context.cluster.releases.forBootstrap()).length > 0) await context.wait(context.cluster.kubernetes.nodesReady());
    return installed;
  },
});
