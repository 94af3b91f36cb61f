import { defineTask, installRelease, planReleases, probeReleases } from 'talos-tk';
import apps from './apps.ts';

export default defineTask({
  summary: 'Install Flux, and wait until it has reconciled the repository',
  effect: 'mutate',
  needs: { apps: apps() },
  probe: (context) => probeReleases(context, (name) => name.startsWith('flux-')),
  plan: (_context, facts) => planReleases(facts),
  async run(context) {
    const operator = await installRelease(context, 'flux-operator');
    const instance = await installRelease(context, 'flux-instance');
    if (operator === undefined && instance === undefined) return { revision: undefined };
    const revision = await context.wait(context.cluster.kubernetes.reconcileFlux());
    context.detail(revision);
    return { revision };
  },
});
