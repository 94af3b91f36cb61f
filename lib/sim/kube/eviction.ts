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

/** Kinds that know how many pods there should be. */
const scaled = [builtIn('apps/v1', 'ReplicaSet'), builtIn('apps/v1', 'StatefulSet'), builtIn('v1', 'ReplicationController')];

/**
 * Percentages and `maxUnavailable` count against what the owners want, a plain `minAvailable` against nothing.
 * Source: kubernetes v1.35 pkg/controller/disruption/disruption.go (getExpectedPodCount, countHealthyPods)
 */
export function budgetOf(state: KubeState, budget: Obj): Budget {
  const namespace = textAt(budget, 'metadata', 'namespace');
  const spec = objAt(budget, 'spec');
  const mine = state.list(podKind, namespace).filter((pod) => matchesSelector(spec.selector, objAt(pod, 'metadata', 'labels')));
  const disrupted = objAt(budget, 'status', 'disruptedPods');
  const healthy = mine.filter(
    (pod) =>
      isPodReady(pod) && objAt(pod, 'metadata').deletionTimestamp === undefined && disrupted[textAt(pod, 'metadata', 'name')] === undefined,
  ).length;
  const isPlain = spec.minAvailable !== undefined && typeof spec.minAvailable !== 'string';
  const expected = isPlain ? mine.length : ownedCount(state, namespace, mine);
  const share = (value: Value): number =>
    typeof value === 'string' && value.endsWith('%') ? Math.ceil((Number.parseInt(value, 10) / 100) * expected) : Number(value);
  const desired = spec.minAvailable !== undefined ? share(spec.minAvailable) : Math.max(0, expected - share(spec.maxUnavailable ?? 1));
  return { expected, healthy, desired, allowed: Math.max(0, healthy - desired) };
}

function ownedCount(state: KubeState, namespace: string, pods: readonly Obj[]): number {
  const owners = new Set(pods.map(controllerUid).filter((uid) => uid !== ''));
  let count = 0;
  for (const kind of scaled) {
    for (const owner of state.list(kind, namespace))
      if (owners.has(textAt(owner, 'metadata', 'uid'))) count += numberAt(owner, 'spec', 'replicas') ?? 1;
  }
  return count > 0 ? count : pods.length;
}

const controllerUid = (object: Obj): string =>
  textAt(listAt(object, 'metadata', 'ownerReferences').find((owner) => objAt(owner).controller === true) ?? {}, 'uid');

/** What the API server answers when a budget does not allow it. */
function tooMany(message: string, retryAfterSeconds?: number): ApiError {
  return new ApiError(429, 'TooManyRequests', "Cannot evict pod as it would violate the pod's disruption budget.", {
    causes: [{ reason: 'DisruptionBudget', message }],
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  });
}

/**
 * Asks the one budget of the pod, as its status stands; a pod with two is refused outright.
 * Source: kubernetes v1.35 pkg/registry/core/pod/storage/eviction.go
 */
export function evict(state: KubeState, writes: Writes, place: Place, body: Obj, isDryRun = false): void {
  const pod = state.get(podKind, place.namespace, place.name);
  if (!pod) throw notFound(podKind, place.name);
  if (textAt(body, 'metadata', 'name') !== place.name) throw badRequest('name in URL does not match name in Eviction object');
  const options = objAt(body, 'deleteOptions');
  const isDone = ['Succeeded', 'Failed', 'Pending'].includes(textAt(pod, 'status', 'phase'));
  if (!isDone && objAt(pod, 'metadata').deletionTimestamp === undefined) {
    const budgets = state
      .list(budgetKind, place.namespace)
      .filter((one) => matchesSelector(objAt(one, 'spec').selector, objAt(pod, 'metadata', 'labels')));
    if (budgets.length > 1) {
      throw new ApiError(500, '', 'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.');
    }
    const [budget] = budgets;
    if (budget && !mayGoUnhealthy(pod, budget)) take(state, place, budget, isDryRun);
  }
  const grace = numberAt(options, 'gracePeriodSeconds');
  const uid = isObj(options.preconditions) ? textAt(options.preconditions, 'uid') : '';
  writes.delete(
    { ...place, subresource: '' },
    { propagation: 'Background', ...(uid === '' ? {} : { uid }), ...(grace === undefined ? {} : { gracePeriodSeconds: grace }) },
    { fieldManager: 'eviction', isDryRun, fieldValidation: 'Ignore', warnings: [] },
  );
  if (!isDryRun)
    state.kernel.emit({
      kind: 'kube/evicted',
      facts: { namespace: place.namespace, pod: place.name, node: textAt(pod, 'spec', 'nodeName') },
    });
}

/** Pods that are not ready spend nothing where the policy, or a healthy budget, lets them go. */
function mayGoUnhealthy(pod: Obj, budget: Obj): boolean {
  if (isPodReady(pod)) return false;
  if (textAt(budget, 'spec', 'unhealthyPodEvictionPolicy') === 'AlwaysAllow') return true;
  const [healthy, desired] = [numberAt(budget, 'status', 'currentHealthy') ?? 0, numberAt(budget, 'status', 'desiredHealthy') ?? 0];
  return healthy >= desired && desired > 0;
}

function take(state: KubeState, place: Place, budget: Obj, isDryRun: boolean): void {
  const name = textAt(budget, 'metadata', 'name');
  const status = objAt(budget, 'status');
  if ((numberAt(status, 'observedGeneration') ?? 0) < (numberAt(budget, 'metadata', 'generation') ?? 1))
    throw tooMany(`The disruption budget ${name} is still being processed by the server.`, 10);
  const allowed = numberAt(status, 'disruptionsAllowed') ?? 0;
  const fault = state.kernel.fault('kube/eviction', { namespace: place.namespace, pod: place.name });
  if (allowed <= 0 || fault) {
    state.kernel.emit({ kind: 'kube/eviction-blocked', facts: { namespace: place.namespace, pod: place.name, budget: name } });
    throw tooMany(
      `The disruption budget ${name} needs ${numberAt(status, 'desiredHealthy') ?? 0} healthy pods and has ${numberAt(status, 'currentHealthy') ?? 0} currently`,
    );
  }
  if (isDryRun) return;
  state.put(budgetKind, {
    ...budget,
    status: {
      ...status,
      disruptionsAllowed: allowed - 1,
      disruptedPods: { ...objAt(status, 'disruptedPods'), [place.name]: state.timestamp() },
    },
  });
}
