import { type Condition, hasCode, holds, minutes, notYet, type Observation, seconds } from '../base/index.ts';
import { conditionOf, type KubeObject, type KubeReader, type KubeWriter, type ObjectRef, refOf } from '../kube/index.ts';
import { rfc3339 } from './operations/resources.ts';

const kustomizations = { apiVersion: 'kustomize.toolkit.fluxcd.io/v1', kind: 'Kustomization' };
const instances = { apiVersion: 'fluxcd.controlplane.io/v1', kind: 'FluxInstance' };

/**
 * Every Kustomization that exists is Ready at its current generation, and the root has applied its source.
 *
 * Shape: the revision that the root applied, short: `main@4c1d2e8`.
 * Source: kstatus conditions of kustomize-controller; the root is the one that flux-operator names after the instance's namespace.
 */
export function fluxReconciled(reader: () => Promise<KubeReader>, ask?: Ask): Condition<string> {
  const patience = new Patience();
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
        const observation = reconciled(kube, items, await rootName(kube, items, signal));
        if (ask !== undefined) for (const item of patience.lost(items)) await ask(refOf(item), signal);
        return observation;
      } catch (error) {
        if (hasCode(error, 'kube/kind-not-served')) return notYet('Flux is not installed yet');
        throw error;
      }
    },
  };
}

/** Asks the controller to look at a Kustomization now. */
export type Ask = (kustomization: ObjectRef, signal: AbortSignal) => Promise<unknown>;

/** Source: fluxcd/pkg apis/meta annotations.go */
const requestedAtAnnotation = 'reconcile.fluxcd.io/requestedAt';

/** Returns what the object will repeat when the request was handled. */
export async function requestReconciliation(kube: KubeWriter, object: ObjectRef, nowMs: number, signal: AbortSignal): Promise<string> {
  const requestedAt = `${rfc3339(nowMs).slice(0, -1)}.${String(Math.floor(nowMs) % 1000).padStart(3, '0')}Z`;
  await kube.patch(object, { type: 'merge', value: { metadata: { annotations: { [requestedAtAnnotation]: requestedAt } } } }, signal);
  return requestedAt;
}

/**
 * Kustomizations that failed before something came up that they may have needed. Flux looks at them again after their interval, which
 * many have set to an hour; a first start is full of such failures.
 *
 * Shape: each once after the number of those that are Ready has changed and stood still for a minute.
 */
class Patience {
  #ready = -1;
  #looks = 0;
  readonly #asked = new Map<string, number>();

  lost(items: readonly KubeObject[]): readonly KubeObject[] {
    const ready = items.filter(isReady).length;
    this.#looks = ready === this.#ready ? this.#looks + 1 : 0;
    this.#ready = ready;
    if (this.#looks < looksWithoutChange) return [];
    const again = items.filter(
      (item) =>
        hasFailed(item) &&
        reasonOf(item) !== 'DependencyNotReady' &&
        retryMs(item) > soonMs &&
        this.#asked.get(`${item.metadata.namespace}/${item.metadata.name}`) !== ready,
    );
    for (const item of again) this.#asked.set(`${item.metadata.namespace}/${item.metadata.name}`, ready);
    return again;
  }
}

const looksWithoutChange = 12;
const soonMs = minutes(5);

/** Go's form of a duration; what is not set is the interval. */
function retryMs(item: KubeObject): number {
  const { retryInterval, interval } = (item['spec'] ?? {}) as { readonly retryInterval?: string; readonly interval?: string };
  const parts = [...(retryInterval ?? interval ?? '').matchAll(/(\d+(?:\.\d+)?)(h|m|s)/g)];
  const units: Readonly<Record<string, number>> = { h: minutes(60), m: minutes(1), s: seconds(1) };
  return parts.reduce((sum, [, amount = '0', unit = 's']) => sum + Number(amount) * (units[unit] ?? 0), 0);
}

async function rootName(kube: KubeReader, items: readonly KubeObject[], signal: AbortSignal): Promise<string> {
  const instance = await kube.get({ ...instances, namespace: 'flux-system', name: 'flux' }, signal);
  const sync = (instance?.['spec'] as { readonly sync?: { readonly name?: string } } | undefined)?.sync;
  if (sync?.name !== undefined) return sync.name;
  const inNamespace = items.filter(({ metadata }) => metadata.namespace === 'flux-system');
  if (inNamespace.some(({ metadata }) => metadata.name === 'flux-system')) return 'flux-system';
  // Nobody applied it but itself.
  const isRoot = ({ metadata }: KubeObject) => [undefined, metadata.name].includes(metadata.labels?.['kustomize.toolkit.fluxcd.io/name']);
  const roots = inNamespace.filter(isRoot);
  const ofGit = roots.find(
    (item) => (item['spec'] as { readonly sourceRef?: { readonly kind?: string } }).sourceRef?.kind === 'GitRepository',
  );
  return (ofGit ?? roots[0])?.metadata.name ?? 'flux-system';
}

function reconciled(kube: KubeReader, items: readonly KubeObject[], root: string): Observation<string> {
  const rootObject = items.find((item) => item.metadata.name === root && item.metadata.namespace === 'flux-system');
  if (rootObject === undefined) return notYet(`kustomization flux-system/${root} does not exist yet`);
  const waiting = items.filter((item) => !isReady(item));
  if (waiting.length === 0) {
    const { lastAppliedRevision } = rootObject['status'] as { readonly lastAppliedRevision?: string };
    return holds(shortRevision(lastAppliedRevision ?? ''));
  }
  // What only waits for another one says nothing. Neither does the root, which waits for everything that it made.
  const causes = waiting.filter((item) => item !== rootObject && reasonOf(item) !== 'DependencyNotReady');
  const told = causes.length > 0 ? [...causes.filter(hasFailed), ...causes.filter((item) => !hasFailed(item))] : waiting;
  const more = waiting.length > 1 ? ` (and ${waiting.length - 1} more)` : '';
  return notYet(`${stateOf(told[0] as KubeObject)}${more}`, async (signal) => {
    const without = told.filter((item) => missingKind(item) !== undefined);
    const others = told.filter((item) => missingKind(item) === undefined);
    const shown = await Promise.all(others.slice(0, shownCauses).map((item) => withWhatItWaitsFor(kube, item, signal)));
    const untold = waiting.length - shown.length - without.length;
    return waiting.length === 1 && shown[0] === stateOf(told[0] as KubeObject)
      ? []
      : [...missingDefinitions(without), ...shown, ...(untold > 0 ? [`${untold} more, most of which wait for these`] : [])];
  });
}

/** `HTTPRoute.gateway.networking.k8s.io`. Source: apimachinery pkg/api/meta/errors.go (`NoKindMatchError`) */
function missingKind(item: KubeObject): string | undefined {
  const [, kind, version = ''] = /no matches for kind "([^"]+)" in version "([^"]+)"/.exec(messageOf(item)) ?? [];
  return kind === undefined ? undefined : `${kind}.${version.slice(0, Math.max(0, version.indexOf('/')))}`;
}

/** Nothing that waits brings them: a Kustomization is applied as a whole or not at all, and so is a chart that stands in one of these. */
function missingDefinitions(items: readonly KubeObject[]): readonly string[] {
  const kinds = [...new Set(items.map((item) => missingKind(item) ?? ''))].sort();
  const names = items.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`).sort();
  const shown = names.slice(0, shownCauses).join(', ');
  return items.length === 0
    ? []
    : [
        `no definition of ${kinds.join(', ')}, without which nothing of ${shown}${names.length > shownCauses ? ', …' : ''} is applied: ` +
          'let bootstrap:crds take it from its chart (bootstrap/helmfile.d/00-crds.yaml), or let another Kustomization install the chart first',
      ];
}

/** So many are told when it is too late. */
const shownCauses = 12;

const reasonOf = (item: KubeObject): string => conditionOf(item, 'Ready')?.reason ?? '';
const hasFailed = (item: KubeObject): boolean => conditionOf(item, 'Ready')?.status === 'False';
const messageOf = (item: KubeObject): string => {
  const ready = conditionOf(item, 'Ready');
  return ready?.message || ready?.reason || 'no condition yet';
};
const stateOf = (item: KubeObject): string => `kustomization ${item.metadata.namespace}/${item.metadata.name}: ${messageOf(item)}`;

async function withWhatItWaitsFor(kube: KubeReader, item: KubeObject, signal: AbortSignal): Promise<string> {
  const behind: string[] = [];
  for (const ref of blamedBy(item)) {
    const found = await kube.get(ref, signal).catch(() => undefined);
    if (found !== undefined && !isReady(found)) behind.push(`${ref.kind.toLowerCase()} ${ref.namespace}/${ref.name}: ${messageOf(found)}`);
    if (behind.length === shownBehind) break;
  }
  return [stateOf(item), ...behind].join('; ');
}

const shownBehind = 3;

/** Its source while it has nothing of it, its releases while it waits for their health. Source: kustomize-controller 1.7 internal/controller/kustomization_controller.go, internal/inventory */
function blamedBy(item: KubeObject): readonly ObjectRef[] {
  const message = messageOf(item);
  const { sourceRef } = item['spec'] as { readonly sourceRef?: { readonly [key: string]: string } };
  if (message.startsWith('Source artifact not found') && sourceRef !== undefined)
    return [
      {
        apiVersion: sourceRef['apiVersion'] ?? 'source.toolkit.fluxcd.io/v1',
        kind: sourceRef['kind'] ?? '',
        namespace: sourceRef['namespace'] ?? item.metadata.namespace,
        name: sourceRef['name'] ?? '',
      },
    ];
  const { inventory } = (item['status'] ?? {}) as {
    readonly inventory?: { readonly entries?: readonly { readonly id: string; readonly v: string }[] };
  };
  if (!/health check/i.test(message)) return [];
  return (inventory?.entries ?? []).flatMap(({ id, v }) => {
    const [namespace = '', name = '', group = '', kind = ''] = id.split('_');
    return group.endsWith('.toolkit.fluxcd.io') ? [{ apiVersion: `${group}/${v}`, kind, namespace, name }] : [];
  });
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
