import { ApiError, badRequest, notFound } from './errors.ts';
import { builtIn } from './kinds.ts';
import { matchesSelector } from './selectors.ts';
import type { KubeState } from './state.ts';
import { isObj, listAt, numberAt, type Obj, objAt, textAt, type Value } from './value.ts';
import type { Place, Writes } from './writes.ts';

const podKind = builtIn('v1', 'Pod');
const budgetKind = builtIn('policy/v1', 'PodDisruptionBudget');

export const isPodReady = (pod: Obj): boolean =>
  listAt(pod, 'status', 'conditions').some((one) => textAt(one, 'type') === 'Ready' && textAt(one, 'status') === 'True');

export interface Budget {
  readonly expected: number;
  readonly healthy: number;
  readonly desired: number;
  readonly allowed: number;
}

/** Source: kubernetes pkg/controller/disruption */
export function budgetOf(budget: Obj, pods: readonly Obj[]): Budget {
  const spec = objAt(budget, 'spec');
  const mine = pods.filter((pod) => matchesSelector(spec.selector, objAt(pod, 'metadata', 'labels')));
  const healthy = mine.filter((pod) => isPodReady(pod) && objAt(pod, 'metadata').deletionTimestamp === undefined).length;
  const share = (value: Value): number =>
    typeof value === 'string' && value.endsWith('%') ? Math.ceil((Number.parseInt(value, 10) / 100) * mine.length) : Number(value);
  const desired = spec.minAvailable !== undefined ? share(spec.minAvailable) : Math.max(0, mine.length - share(spec.maxUnavailable ?? 1));
  return { expected: mine.length, healthy, desired, allowed: Math.max(0, healthy - desired) };
}

/** Source: kubernetes pkg/registry/core/pod/storage/eviction.go */
export function evict(state: KubeState, writes: Writes, place: Place, body: Obj): void {
  const pod = state.get(podKind, place.namespace, place.name);
  if (!pod) throw notFound(podKind, place.name);
  if (textAt(body, 'metadata', 'name') !== place.name) throw badRequest('name in URL does not match name in Eviction object');
  const options = objAt(body, 'deleteOptions');
  const isDone = ['Succeeded', 'Failed', 'Pending'].includes(textAt(pod, 'status', 'phase'));
  if (!isDone && objAt(pod, 'metadata').deletionTimestamp === undefined) {
    const pods = state.list(podKind, place.namespace);
    for (const budget of state.list(budgetKind, place.namespace)) {
      if (!matchesSelector(objAt(budget, 'spec').selector, objAt(pod, 'metadata', 'labels'))) continue;
      const { allowed, healthy, desired } = budgetOf(budget, pods);
      const name = textAt(budget, 'metadata', 'name');
      if (allowed <= 0 || state.kernel.fault('kube/eviction', { namespace: place.namespace, pod: place.name })) {
        throw new ApiError(429, 'TooManyRequests', "Cannot evict pod as it would violate the pod's disruption budget.", {
          causes: [
            {
              reason: 'DisruptionBudget',
              message: `The disruption budget ${name} needs ${desired} healthy pods and has ${healthy} currently`,
            },
          ],
        });
      }
    }
  }
  const grace = numberAt(options, 'gracePeriodSeconds');
  const uid = isObj(options.preconditions) ? textAt(options.preconditions, 'uid') : '';
  writes.delete(
    { ...place, subresource: '' },
    { propagation: 'Background', ...(uid === '' ? {} : { uid }), ...(grace === undefined ? {} : { gracePeriodSeconds: grace }) },
    { fieldManager: 'eviction', isDryRun: false, fieldValidation: 'Ignore', warnings: [] },
  );
}
