import { defineTask, installRelease, planReleases, probeReleases } from 'talos-tk';
import coredns from './coredns.ts';

const ofTheirOwn = new Set(['cilium', 'coredns', 'flux-operator', 'flux-instance']);

export default defineTask({
  summary: 'Install the further releases that come before Flux',
  effect: 'mutate',
  needs: { coredns: coredns() },
  probe: (context) => probeReleases(context, (name) => !ofTheirOwn.has(name)),
  plan: (_context, facts) => planReleases(facts),
  async run(context) {
    const releases = (await context.cluster.releases.forBootstrap()).filter((release) => !ofTheirOwn.has(release.name));
    if (releases.length === 0) {
      context.skip('there are none');
      return [];
    }
    // `forBootstrap` is in the order of needs, and one at a time keeps that order.
    return context.each(releases, (release) => installRelease(context, release.name), { parallel: 1 });
  },
});
