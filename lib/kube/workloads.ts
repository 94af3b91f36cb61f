import { type Condition, type Failure, holds, never, notYet, type Observation } from '../base/index.ts';
import type { KubeReader } from './client.ts';
import { kubeFailure } from './failures.ts';
import { conditionOf, describeRef, fieldsAt, type KubeObject, listAt, numberAt, type ObjectRef, textAt } from './object.ts';
import { isTransient } from './retry.ts';

export interface WaitOptions {
  readonly deadlineMs: number;
  /** Default 2 s. */
  readonly intervalMs?: number;
  readonly see?: string;
}

const pollMs = 2000;

export type Readiness =
  | { readonly state: 'ready' }
  | { readonly state: 'waiting'; readonly seen: string }
  | { readonly state: 'failed'; readonly failure: Failure };

/**
 * How far a workload is, from its own status. Kinds without a notion of readiness are ready as soon as they exist.
 * Source: the rules that Helm 4 and kubectl rollout status apply (kstatus).
 */
export function readinessOf(object: KubeObject): Readiness {
  const spec = fieldsAt(object, 'spec');
  const status = fieldsAt(object, 'status');
  const generation = object.metadata.generation ?? 0;
  const isObserved = (numberAt(status, 'observedGeneration') ?? 0) >= generation;
  const waiting = (seen: string): Readiness => ({ state: 'waiting', seen });
  const outOf = (ready: number, wanted: number, updated: number): Readiness => {
    if (!isObserved) return waiting('not seen by its controller yet');
    if (updated < wanted) return waiting(`${updated} of ${wanted} updated`);
    return ready < wanted ? waiting(`${ready} of ${wanted} ready`) : { state: 'ready' };
  };
  switch (object.kind) {
    case 'Deployment': {
      const progressing = conditionOf(object, 'Progressing');
      if (isObserved && progressing?.reason === 'ProgressDeadlineExceeded')
        return waiting(`progress deadline exceeded: ${progressing.message}`);
      const wanted = numberAt(spec, 'replicas') ?? 1;
      const counted = outOf(numberAt(status, 'availableReplicas') ?? 0, wanted, numberAt(status, 'updatedReplicas') ?? 0);
      if (counted.state !== 'ready') return counted;
      const old = (numberAt(status, 'replicas') ?? 0) - wanted;
      return old > 0 ? waiting(`${old} old still there`) : counted;
    }
    case 'StatefulSet': {
      const wanted = numberAt(spec, 'replicas') ?? 1;
      return outOf(
        numberAt(status, 'readyReplicas') ?? 0,
        wanted,
        numberAt(status, 'updatedReplicas') ?? numberAt(status, 'currentReplicas') ?? 0,
      );
    }
    case 'ReplicaSet': {
      const wanted = numberAt(spec, 'replicas') ?? 1;
      return outOf(numberAt(status, 'readyReplicas') ?? 0, wanted, wanted);
    }
    case 'DaemonSet': {
      const wanted = numberAt(status, 'desiredNumberScheduled') ?? 0;
      if (isObserved && wanted === 0) return waiting('no node takes it');
      return outOf(numberAt(status, 'numberReady') ?? 0, wanted, numberAt(status, 'updatedNumberScheduled') ?? 0);
    }
    case 'Job': {
      const failed = conditionOf(object, 'Failed');
      if (failed?.status === 'True') return { state: 'failed', failure: workloadFailure(object, failed.reason, failed.message) };
      if (conditionOf(object, 'Complete')?.status === 'True') return { state: 'ready' };
      const count = numberAt(status, 'failed') ?? 0;
      return waiting(count === 0 ? 'not complete' : `not complete, ${count} failed`);
    }
    case 'Pod': {
      const phase = textAt(status, 'phase') ?? 'Pending';
      if (phase === 'Succeeded' || conditionOf(object, 'Ready')?.status === 'True') return { state: 'ready' };
      return waiting(podTrouble(object) ?? phase);
    }
    case 'CustomResourceDefinition':
      if (conditionOf(object, 'NamesAccepted')?.status === 'False') {
        const names = conditionOf(object, 'NamesAccepted');
        return { state: 'failed', failure: workloadFailure(object, names?.reason ?? '', names?.message ?? '') };
      }
      return conditionOf(object, 'Established')?.status === 'True' ? { state: 'ready' } : waiting('not established');
    case 'Namespace':
      return textAt(status, 'phase') === 'Active' ? { state: 'ready' } : waiting(textAt(status, 'phase') ?? 'no phase');
    case 'APIService': {
      const available = conditionOf(object, 'Available');
      return available?.status === 'True' ? { state: 'ready' } : waiting(available?.message || 'not available');
    }
    case 'PersistentVolumeClaim':
      return textAt(status, 'phase') === 'Bound' ? { state: 'ready' } : waiting(textAt(status, 'phase') ?? 'Pending');
    default:
      return { state: 'ready' };
  }
}

const workloadFailure = (object: KubeObject, reason: string, message: string): Failure =>
  kubeFailure('kube/workload-failed', {
    kind: object.kind,
    name: object.metadata.name,
    ...(object.metadata.namespace === undefined ? {} : { namespace: object.metadata.namespace }),
    reason,
    message,
  });

/** Why a pod does not run: the container that waits, or the scheduler's words. */
export function podTrouble(pod: KubeObject): string | undefined {
  const status = fieldsAt(pod, 'status');
  for (const container of [...listAt(status, 'initContainerStatuses'), ...listAt(status, 'containerStatuses')]) {
    const waiting = fieldsAt(container, 'state', 'waiting');
    const reason = textAt(waiting, 'reason');
    if (reason === undefined || reason === 'PodInitializing') continue;
    const message = textAt(waiting, 'message');
    return reason === 'ContainerCreating' || message === undefined ? reason : `${reason} (${message})`;
  }
  const scheduled = conditionOf(pod, 'PodScheduled');
  return scheduled?.status === 'False' ? scheduled.message || scheduled.reason : undefined;
}

/** What the pods of a workload are stuck on; undefined when they tell nothing. */
async function troubleOfPods(kube: KubeReader, owner: KubeObject, signal: AbortSignal): Promise<string | undefined> {
  const labels = fieldsAt(owner, 'spec', 'selector', 'matchLabels');
  const labelSelector = Object.entries(labels)
    .map(([key, value]) => `${key}=${String(value)}`)
    .join(',');
  const { namespace } = owner.metadata;
  if (labelSelector === '' || namespace === undefined) return undefined;
  const pods = await kube.list({ apiVersion: 'v1', kind: 'Pod' }, { namespace, labelSelector }, signal);
  for (const pod of pods.items) {
    if (readinessOf(pod).state === 'ready') continue;
    const trouble = podTrouble(pod);
    if (trouble !== undefined) return `${pod.metadata.name} ${trouble}`;
  }
  return undefined;
}

/**
 * The object exists and is ready. While it is not, what its pods are stuck on is told.
 * Failure: `kube/workload-failed` for a failed Job.
 */
export function workloadReady(kube: KubeReader, ref: ObjectRef, options: WaitOptions): Condition<KubeObject> {
  return {
    description: describeRef(ref),
    intervalMs: pollMs,
    see: `kubectl describe ${describeForKubectl(ref)}`,
    ...options,
    transient: isTransient,
    async check(signal): Promise<Observation<KubeObject>> {
      const object = await kube.get(ref, signal);
      if (!object) return notYet('does not exist');
      const readiness = readinessOf(object);
      if (readiness.state === 'ready') return holds(object);
      if (readiness.state === 'failed') return never(readiness.failure);
      const trouble = await troubleOfPods(kube, object, signal);
      return notYet(trouble === undefined ? readiness.seen : `${readiness.seen}: ${trouble}`);
    },
  };
}

/** All of them; tells how many are ready and what the first that is not waits for. */
export function workloadsReady(kube: KubeReader, refs: readonly ObjectRef[], options: WaitOptions): Condition<readonly KubeObject[]> {
  const conditions = refs.map((ref) => workloadReady(kube, ref, options));
  return {
    description: refs.length === 1 && refs[0] ? describeRef(refs[0]) : `${refs.length} workloads`,
    intervalMs: pollMs,
    ...options,
    transient: isTransient,
    async check(signal): Promise<Observation<readonly KubeObject[]>> {
      const ready: KubeObject[] = [];
      let first: string | undefined;
      for (const condition of conditions) {
        const seen = await condition.check(signal);
        if (seen.state === 'never') return seen;
        if (seen.state === 'holds') ready.push(seen.value);
        else first ??= `${condition.description}: ${seen.seen}`;
      }
      return first === undefined ? holds(ready) : notYet(`${ready.length} of ${refs.length} ready; ${first}`);
    },
  };
}

const describeForKubectl = ({ kind, namespace, name }: ObjectRef): string =>
  `${namespace === undefined ? '' : `-n ${namespace} `}${kind.toLowerCase()} ${name}`;
