import type { Kind } from '../kube/kinds.ts';
import type { KubeState } from '../kube/state.ts';
import { equal, listAt, numberAt, type Obj, objAt, textAt } from '../kube/value.ts';

export interface Verdict {
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
}

/**
 * Writes `Ready`, drops or keeps the others, and notes the generation.
 * Source: fluxcd/pkg runtime/conditions
 */
export function setReady(state: KubeState, kind: Kind, object: Obj, verdict: Verdict, more: Obj = {}): void {
  const current = state.get(kind, textAt(object, 'metadata', 'namespace'), textAt(object, 'metadata', 'name'));
  if (!current) return;
  const generation = numberAt(current, 'metadata', 'generation') ?? 1;
  const status = objAt(current, 'status');
  const before = listAt(status, 'conditions').find((one) => textAt(one, 'type') === 'Ready');
  const since = before && textAt(before, 'status') === verdict.status ? textAt(before, 'lastTransitionTime') : state.timestamp();
  const condition: Obj = {
    lastTransitionTime: since,
    message: verdict.message,
    observedGeneration: generation,
    reason: verdict.reason,
    status: verdict.status,
    type: 'Ready',
  };
  const requestedAt = textAt(object, 'metadata', 'annotations', 'reconcile.fluxcd.io/requestedAt');
  const reconciling: Obj[] = verdict.status === 'Unknown' ? [{ ...condition, status: 'True', type: 'Reconciling' }] : [];
  // A failed attempt is not an observed generation: what waits for it goes on waiting.
  const next: Obj = {
    ...status,
    ...more,
    conditions: [...reconciling, condition],
    ...(verdict.status === 'True' ? { observedGeneration: generation } : {}),
    // Source: fluxcd/pkg apis/meta reconcile.go: also after an attempt that failed
    ...(requestedAt !== '' && verdict.status !== 'Unknown' ? { lastHandledReconcileAt: requestedAt } : {}),
  };
  if (!equal(next, status)) state.put(kind, { ...current, status: next });
}

export function readyOf(object: Obj | undefined): boolean {
  if (!object) return false;
  const ready = listAt(object, 'status', 'conditions').find((one) => textAt(one, 'type') === 'Ready');
  const generation = numberAt(object, 'metadata', 'generation') ?? 1;
  return ready !== undefined && textAt(ready, 'status') === 'True' && (numberAt(ready, 'observedGeneration') ?? generation) >= generation;
}

/**
 * kstatus, as far as kinds of the simulation have a status.
 * Source: cli-utils pkg/kstatus/status/core.go
 */
export function isCurrent(object: Obj): boolean {
  const status = objAt(object, 'status');
  const spec = objAt(object, 'spec');
  const generation = numberAt(object, 'metadata', 'generation') ?? 0;
  const seen = (numberAt(status, 'observedGeneration') ?? 0) >= generation;
  switch (textAt(object, 'kind')) {
    case 'Deployment':
      return seen && (numberAt(status, 'availableReplicas') ?? 0) >= (numberAt(spec, 'replicas') ?? 1);
    case 'StatefulSet':
      return seen && (numberAt(status, 'readyReplicas') ?? 0) >= (numberAt(spec, 'replicas') ?? 1);
    case 'DaemonSet':
      return seen && (numberAt(status, 'numberReady') ?? 0) >= (numberAt(status, 'desiredNumberScheduled') ?? 0);
    case 'Job':
      return listAt(status, 'conditions').some((one) => textAt(one, 'type') === 'Complete' && textAt(one, 'status') === 'True');
    case 'CustomResourceDefinition':
      return listAt(status, 'conditions').some((one) => textAt(one, 'type') === 'Established' && textAt(one, 'status') === 'True');
    default:
      return isCurrentByConditions(object);
  }
}

/** Without conditions there is nothing to wait for, but Flux' own kinds begin with a status that nobody has written yet. */
function isCurrentByConditions(object: Obj): boolean {
  const status = objAt(object, 'status');
  const conditions = listAt(status, 'conditions');
  const generation = numberAt(object, 'metadata', 'generation') ?? 0;
  const observed = numberAt(status, 'observedGeneration');
  if (observed !== undefined && observed !== generation) return false;
  const of = (type: string) => conditions.find((one) => textAt(one, 'type') === type);
  if (['Reconciling', 'Stalled'].some((type) => textAt(of(type), 'status') === 'True')) return false;
  const ready = of('Ready');
  if (ready !== undefined) return textAt(ready, 'status') === 'True';
  const isOfRegistry = textAt(object, 'kind') === 'HelmRepository' && textAt(object, 'spec', 'type') === 'oci';
  return isOfRegistry || !hasReconciler.test(`${textAt(object, 'apiVersion')} ${textAt(object, 'kind')}`);
}

const hasReconciler =
  /\.toolkit\.fluxcd\.io\/\S+ (?:Kustomization|HelmRelease|GitRepository|OCIRepository|HelmRepository|HelmChart|Bucket)$/;

/** `30s`, `1h`, `1h30m`. */
export function durationMs(text: string, fallbackMs: number): number {
  const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
  return parts.length === 0
    ? fallbackMs
    : parts.reduce((sum, [, count, unit]) => sum + Number(count) * (units[unit as string] as number), 0);
}

/** As Go prints it: `30s`, `5m0s`, `1h0m0s`. */
export function goDuration(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return `${hours === 0 ? '' : `${hours}h`}${seconds < 60 ? '' : `${minutes}m`}${seconds % 60}s`;
}
