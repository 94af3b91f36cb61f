import { type ClusterView, defineTask, installRelease, planReleases, probeReleases } from 'talos-tk';
import apps from './apps.ts';

const isOperators = (name: string): boolean => name.startsWith('flux-');

/** Flux on its own, or an instance that is told to follow nothing: the repository has a folder with what to follow. */
async function rootOf({ cluster, signal }: { readonly cluster: ClusterView; readonly signal: AbortSignal }) {
  const releases = await cluster.releases.forBootstrap();
  const hasFlux = releases.some(({ name, chart }) => chart === 'flux2' || name === 'flux-instance');
  return hasFlux ? cluster.kubernetes.fluxRoot(signal) : [];
}

export default defineTask({
  summary: 'Install Flux, and wait until it has reconciled the repository',
  effect: 'mutate',
  needs: { apps: apps() },
  async probe(context) {
    const { cluster, signal } = context;
    const releases = await probeReleases(context, isOperators);
    const declared = await rootOf(context);
    const isReachable = declared.length > 0 && (await cluster.kubernetes.isReachable(signal));
    const root = await Promise.all(
      declared.map(async (object) => ({ object, isApplied: isReachable && (await object.isApplied(signal).catch(() => false)) })),
    );
    return { releases, root };
  },
  plan: (_context, facts) => [
    ...planReleases(facts?.releases),
    ...(facts?.root ?? []).map(({ object: { kind, namespace, name }, isApplied }) =>
      isApplied
        ? ({ decision: 'skip', title: `${kind} ${namespace}/${name}`, reason: 'equal' } as const)
        : ({
            decision: 'run',
            title: `${kind} ${namespace}/${name}`,
            calls: [{ target: `${namespace}/${name}`, call: `apply ${kind}` }],
          } as const),
    ),
  ],
  async run(context) {
    const { cluster, step } = context;
    const operator = await installRelease(context, 'flux-operator');
    const instance = await installRelease(context, 'flux-instance');
    const root = await rootOf(context);
    if (operator === undefined && instance === undefined && root.length === 0) return { revision: undefined };
    // An operator brings them a while after its own definitions.
    const definitions = [...new Set(root.map(({ definition }) => definition))];
    if (definitions.length > 0) await context.wait(cluster.kubernetes.crdsServed(definitions));
    for (const object of root) {
      await step.probeAct(`${object.kind} ${object.namespace}/${object.name}`, {
        probe: async (handle) =>
          (await object.isApplied(handle.signal)) ? { state: 'done', seen: 'equal', value: undefined } : { state: 'not-done' },
        act: (handle) => cluster.kubernetes.applyFluxRoot(object, handle.signal),
      });
    }
    const revision = await context.wait(cluster.kubernetes.reconcileFlux());
    context.detail(revision);
    return { revision };
  },
});
