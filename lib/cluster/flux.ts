import { type Condition, hasCode, holds, minutes, notYet, type Observation, seconds } from '../base/index.ts';
import { conditionOf, type KubeObject, type KubeReader } from '../kube/index.ts';

const kustomizations = { apiVersion: 'kustomize.toolkit.fluxcd.io/v1', kind: 'Kustomization' };
const instances = { apiVersion: 'fluxcd.controlplane.io/v1', kind: 'FluxInstance' };

/**
 * Every Kustomization that exists is Ready at its current generation, and the root has applied its source.
 *
 * Shape: the revision that the root applied, short: `main@4c1d2e8`.
 * Source: kstatus conditions of kustomize-controller; the root is the one that flux-operator names after the instance's namespace.
 */
export function fluxReconciled(reader: () => Promise<KubeReader>): Condition<string> {
  return {
    description: 'Flux to reconcile the repository',
    deadlineMs: minutes(20),
    intervalMs: seconds(5),
    see: 'kubectl get kustomizations,helmreleases -A',
    transient: (failure) => failure.code.startsWith('kube/'),
    async check(signal) {
      const kube = await reader();
      try {
        const { items } = await kube.list(kustomizations, {}, signal);
        return reconciled(items, await rootName(kube, signal));
      } catch (error) {
        if (hasCode(error, 'kube/kind-not-served')) return notYet('Flux is not installed yet');
        throw error;
      }
    },
  };
}

async function rootName(kube: KubeReader, signal: AbortSignal): Promise<string> {
  const instance = await kube.get({ ...instances, namespace: 'flux-system', name: 'flux' }, signal);
  const sync = (instance?.['spec'] as { readonly sync?: { readonly name?: string } } | undefined)?.sync;
  return sync?.name ?? 'flux-system';
}

function reconciled(items: readonly KubeObject[], root: string): Observation<string> {
  const rootObject = items.find((item) => item.metadata.name === root && item.metadata.namespace === 'flux-system');
  if (rootObject === undefined) return notYet(`kustomization flux-system/${root} does not exist yet`);
  const waiting = items.filter((item) => !isReady(item));
  // The root waits for everything that it made: what it waits for says more than it does.
  const [first] = [...waiting.filter((item) => item !== rootObject), ...waiting.filter((item) => item === rootObject)];
  if (first !== undefined) {
    const ready = conditionOf(first, 'Ready');
    const more = waiting.length > 1 ? ` (and ${waiting.length - 1} more)` : '';
    return notYet(
      `kustomization ${first.metadata.namespace}/${first.metadata.name}: ${ready?.message || ready?.reason || 'no condition yet'}${more}`,
    );
  }
  const { lastAppliedRevision } = rootObject['status'] as { readonly lastAppliedRevision?: string };
  return holds(shortRevision(lastAppliedRevision ?? ''));
}

function isReady(item: KubeObject): boolean {
  const { observedGeneration } = (item['status'] ?? {}) as { readonly observedGeneration?: number };
  return conditionOf(item, 'Ready')?.status === 'True' && observedGeneration === item.metadata.generation;
}

/** `refs/heads/main@sha1:4c1d2e8f…` and `main@sha1:…` become `main@4c1d2e8`. */
export function shortRevision(revision: string): string {
  const match = /^(?:refs\/(?:heads|tags)\/)?(.+)@(?:sha\d+:)?([0-9a-f]{7})[0-9a-f]*$/.exec(revision);
  return match ? `${match[1]}@${match[2]}` : revision;
}
