import { mergePatch } from '../kube/patches.ts';
import { isObj, listAt, type Obj, objAt, textAt, type Value } from '../kube/value.ts';
import { type NameReference, withNewNames } from './name-references.ts';
import { applyReplacements } from './replacements.ts';

/**
 * What a kustomization.yaml does to everything that it has taken in, after its patches: namespace, prefix and suffix, labels,
 * annotations, replicas, images, replacements, in this order.
 *
 * Source: kustomize api/internal/target/kusttarget_configplugin.go
 */
export function transformed<T extends { readonly object: Obj }>(
  objects: readonly T[],
  spec: Obj,
  references: readonly NameReference[],
): T[] {
  const steps: ((object: Obj) => Obj)[] = [];
  const namespace = textAt(spec, 'namespace');
  if (namespace !== '') steps.push((object) => inNamespace(object, namespace));
  const [prefix, suffix] = [textAt(spec, 'namePrefix'), textAt(spec, 'nameSuffix')];
  const renamed = prefix === '' && suffix === '' ? [] : objects.flatMap(({ object }) => renamedAs(object, prefix, suffix));
  if (renamed.length > 0) steps.push((object) => withNewNames(withAffixes(object, prefix, suffix), renamed, references));
  for (const [pairs, isSelector, isTemplate] of labelsOf(spec)) steps.push((object) => labelled(object, pairs, isSelector, isTemplate));
  const annotations = objAt(spec, 'commonAnnotations');
  if (Object.keys(annotations).length > 0) steps.push((object) => annotated(object, annotations));
  for (const replica of listAt(spec, 'replicas')) steps.push((object) => scaled(object, replica));
  const images = listAt(spec, 'images').filter(isObj);
  if (images.length > 0) steps.push((object) => withImages(object, images) as Obj);
  const result = objects.map((one) => ({ ...one, object: steps.reduce((object, step) => step(object), one.object) }));
  return applyReplacements(result, listAt(spec, 'replacements'));
}

function inNamespace(object: Obj, namespace: string): Obj {
  if (isClusterScoped(object)) {
    // Source: kustomize api/internal/konfig/builtinpluginconsts/namespace.go
    return textAt(object, 'kind') === 'Namespace' ? (mergePatch(object, { metadata: { name: namespace } }) as Obj) : object;
  }
  return mergePatch(object, { metadata: { namespace } }) as Obj;
}

const isNamedByOthers = (object: Obj): boolean => ['Namespace', 'CustomResourceDefinition', 'APIService'].includes(textAt(object, 'kind'));

/** Source: kustomize api/internal/builtins/PrefixTransformer.go */
const withAffixes = (object: Obj, prefix: string, suffix: string): Obj =>
  isNamedByOthers(object)
    ? object
    : (mergePatch(object, { metadata: { name: `${prefix}${textAt(object, 'metadata', 'name')}${suffix}` } }) as Obj);

function renamedAs(object: Obj, prefix: string, suffix: string): readonly { kind: string; from: string; to: string }[] {
  const from = textAt(object, 'metadata', 'name');
  return isNamedByOthers(object) ? [] : [{ kind: textAt(object, 'kind'), from, to: `${prefix}${from}${suffix}` }];
}

type LabelRule = readonly [pairs: Obj, isSelector: boolean, isTemplate: boolean];

const labelsOf = (spec: Obj): readonly LabelRule[] => [
  ...(isObj(spec.commonLabels) ? [[spec.commonLabels, true, true] as const] : []),
  ...listAt(spec, 'labels')
    .filter(isObj)
    .map(
      (one): LabelRule => [
        objAt(one, 'pairs'),
        one.includeSelectors === true,
        one.includeTemplates === true || one.includeSelectors === true,
      ],
    ),
];

const workloads = new Set(['Deployment', 'DaemonSet', 'StatefulSet', 'ReplicaSet', 'Job']);

function labelled(object: Obj, pairs: Obj, isSelector: boolean, isTemplate: boolean): Obj {
  const change: Obj = { metadata: { labels: pairs } };
  if (workloads.has(textAt(object, 'kind'))) {
    const isMatched = isSelector && textAt(object, 'kind') !== 'Job';
    change.spec = {
      ...(isMatched ? { selector: { matchLabels: pairs } } : {}),
      ...(isTemplate ? { template: { metadata: { labels: pairs } } } : {}),
    };
  }
  if (textAt(object, 'kind') === 'Service' && isSelector && isObj(objAt(object, 'spec').selector)) change.spec = { selector: pairs };
  return mergePatch(object, change) as Obj;
}

function annotated(object: Obj, annotations: Obj): Obj {
  const change: Obj = { metadata: { annotations } };
  if (workloads.has(textAt(object, 'kind'))) change.spec = { template: { metadata: { annotations } } };
  return mergePatch(object, change) as Obj;
}

const scaled = (object: Obj, replica: Value): Obj =>
  ['Deployment', 'StatefulSet', 'ReplicaSet'].includes(textAt(object, 'kind')) &&
  textAt(object, 'metadata', 'name') === textAt(replica, 'name')
    ? (mergePatch(object, { spec: { replicas: objAt(replica).count ?? null } }) as Obj)
    : object;

/** Every `image` of a container, wherever containers stand. Source: kustomize api/filters/imagetag/legacy.go */
function withImages(value: Value, images: readonly Obj[], isContainer = false): Value {
  if (Array.isArray(value)) return value.map((item) => withImages(item, images, isContainer));
  if (!isObj(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) =>
      isContainer && key === 'image' && typeof inner === 'string'
        ? [key, imageAfter(inner, images)]
        : [key, withImages(inner, images, key === 'containers' || key === 'initContainers')],
    ),
  );
}

function imageAfter(image: string, changes: readonly Obj[]): string {
  const [, name = image, tag = '', digest = ''] = /^(.+?)(:[^:/@]+)?(@.+)?$/.exec(image) ?? [];
  const change = changes.find((one) => textAt(one, 'name') === name);
  if (change === undefined) return image;
  const now = textAt(change, 'newName') || name;
  const [newTag, newDigest] = [String(change.newTag ?? ''), textAt(change, 'digest')];
  if (newDigest !== '') return `${now}${newTag === '' ? '' : `:${newTag}`}@${newDigest}`;
  return newTag === '' ? `${now}${tag}${digest}` : `${now}:${newTag}`;
}

const clusterScoped = new Set(
  'Namespace Node PersistentVolume ClusterRole ClusterRoleBinding CustomResourceDefinition StorageClass PriorityClass IngressClass APIService MutatingWebhookConfiguration ValidatingWebhookConfiguration ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding MutatingAdmissionPolicy MutatingAdmissionPolicyBinding RuntimeClass CSIDriver CSINode VolumeAttachment CertificateSigningRequest FlowSchema PriorityLevelConfiguration ClusterTrustBundle DeviceClass ResourceSlice'.split(
    ' ',
  ),
);

/** kustomize knows it of built-in kinds; of others the API server takes the namespace out. */
export const isClusterScoped = (object: Obj): boolean => clusterScoped.has(textAt(object, 'kind'));
