import type { Json } from '../../base/index.ts';
import type { RenderedObject } from '../../wasm/index.ts';
import type { KubeReader } from '../client.ts';
import { type KubeObject, type ObjectMeta, type ObjectRef, refOf } from '../object.ts';
import { isFields } from './fields.ts';
import type { ReleasePlan } from './release-plan.ts';

const managedBy = 'app.kubernetes.io/managed-by';
const releaseName = 'meta.helm.sh/release-name';
const releaseNamespace = 'meta.helm.sh/release-namespace';
const keepPolicy = 'helm.sh/resource-policy';

export const isCrd = ({ kind, apiVersion }: { readonly kind?: unknown; readonly apiVersion?: unknown }): boolean =>
  kind === 'CustomResourceDefinition' && String(apiVersion).startsWith('apiextensions.k8s.io/');

/** Rendered text is anything; only what has a kind and a name can be applied. */
export function toKubeObject({ object }: RenderedObject): KubeObject | undefined {
  const { apiVersion, kind, metadata } = object;
  const isNamed = isFields(metadata) && typeof metadata.name === 'string' && metadata.name !== '';
  return typeof apiVersion === 'string' && typeof kind === 'string' && isNamed ? (object as unknown as KubeObject) : undefined;
}

/** With the namespace of the release where its kind has one and the chart named none. */
export async function placed(object: KubeObject, namespace: string, kube: KubeReader, signal: AbortSignal): Promise<KubeObject> {
  const { isNamespaced } = await kube.resource(object, signal);
  const { namespace: own, ...metadata } = object.metadata;
  if (!isNamespaced) return { ...object, metadata: metadata as ObjectMeta };
  return { ...object, metadata: { ...metadata, namespace: own ?? namespace } as ObjectMeta };
}

/** The marks by which Helm knows whose an object is; an object without them makes helm refuse the release. */
export function owned(object: KubeObject, plan: ReleasePlan): KubeObject {
  const { labels, annotations, ...metadata } = object.metadata;
  return {
    ...object,
    metadata: {
      ...metadata,
      labels: { ...labels, ...originLabels(plan), [managedBy]: 'Helm' },
      annotations: { ...annotations, [releaseName]: plan.name, [releaseNamespace]: plan.namespace },
    },
  };
}

/** What helm-controller's post-renderer adds to each object. Source: helm-controller internal/postrender/build.go */
export function withOrigin(object: KubeObject, plan: ReleasePlan): KubeObject {
  const labels = originLabels(plan);
  if (Object.keys(labels).length === 0) return object;
  return { ...object, metadata: { ...object.metadata, labels: { ...object.metadata.labels, ...labels } } };
}

const originLabels = ({ origin }: ReleasePlan): Readonly<Record<string, string>> =>
  origin === undefined ? {} : { 'helm.toolkit.fluxcd.io/name': origin.name, 'helm.toolkit.fluxcd.io/namespace': origin.namespace };

export const isOwned = (object: KubeObject, plan: ReleasePlan): boolean =>
  object.metadata.labels?.[managedBy] === 'Helm' &&
  object.metadata.annotations?.[releaseName] === plan.name &&
  object.metadata.annotations[releaseNamespace] === plan.namespace;

export const isKept = (object: KubeObject): boolean => object.metadata.annotations?.[keepPolicy] === 'keep';

/** The kinds whose readiness Helm waits for; everything else is ready when it exists. */
export const hasReadiness = ({ kind }: KubeObject): boolean =>
  [
    'Deployment',
    'DaemonSet',
    'StatefulSet',
    'ReplicaSet',
    'Job',
    'Pod',
    'PersistentVolumeClaim',
    'CustomResourceDefinition',
    'APIService',
  ].includes(kind);

export const keyOf = (object: KubeObject): string => {
  const ref: ObjectRef = refOf(object);
  const group = ref.apiVersion.includes('/') ? ref.apiVersion.slice(0, ref.apiVersion.indexOf('/')) : '';
  return `${group}|${ref.kind}|${ref.namespace ?? ''}|${ref.name}`;
};

/** Equal as JSON, whatever the order of keys; a field that is undefined is not there. */
export function isEqualJson(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((item, index) => isEqualJson(item as Json, b[index] as Json));
  if (!isFields(a) || !isFields(b)) return false;
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].every((key) => isEqualJson(a[key], b[key]));
}
