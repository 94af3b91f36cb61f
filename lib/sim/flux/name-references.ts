import { isObj, listAt, type Obj, textAt, type Value } from '../kube/value.ts';

/** A ConfigMap or Secret that got a suffix when it was generated. */
export interface RenamedObject {
  readonly kind: string;
  readonly from: string;
  readonly to: string;
}

export interface NameReference {
  /** What is referred to. */
  readonly kind: string;
  /** What refers to it; empty: every kind. */
  readonly by: string;
  readonly path: readonly string[];
}

const podSpecs: Readonly<Record<string, string>> = {
  Pod: 'spec',
  Deployment: 'spec/template/spec',
  ReplicaSet: 'spec/template/spec',
  StatefulSet: 'spec/template/spec',
  DaemonSet: 'spec/template/spec',
  Job: 'spec/template/spec',
  CronJob: 'spec/jobTemplate/spec/template/spec',
};
const inPod: Readonly<Record<string, readonly string[]>> = {
  ConfigMap: [
    'volumes/configMap/name',
    'volumes/projected/sources/configMap/name',
    ...['containers', 'initContainers'].flatMap((list) => [
      `${list}/env/valueFrom/configMapKeyRef/name`,
      `${list}/envFrom/configMapRef/name`,
    ]),
  ],
  Secret: [
    'volumes/secret/secretName',
    'volumes/projected/sources/secret/name',
    'imagePullSecrets/name',
    ...['containers', 'initContainers'].flatMap((list) => [`${list}/env/valueFrom/secretKeyRef/name`, `${list}/envFrom/secretRef/name`]),
  ],
};

const builtIn: readonly NameReference[] = Object.entries(podSpecs).flatMap(([by, at]) =>
  Object.entries(inPod).flatMap(([kind, paths]) => paths.map((path) => ({ kind, by, path: `${at}/${path}`.split('/') }))),
);

/** `nameReference` of a file that a kustomization.yaml lists under `configurations`. */
export const nameReferencesOf = (configuration: Obj): readonly NameReference[] =>
  listAt(configuration, 'nameReference').flatMap((reference) =>
    listAt(reference, 'fieldSpecs').map((spec) => ({
      kind: textAt(reference, 'kind'),
      by: textAt(spec, 'kind'),
      path: textAt(spec, 'path').split('/'),
    })),
  );

/**
 * The object with the new names in it. Only where a workload refers to them, and where a configuration says so: of the fields of other
 * kinds kustomize knows nothing.
 *
 * Source: kustomize api/internal/accumulator/namereferencetransformer.go, api/internal/konfig/builtinpluginconsts/namereference.go
 */
export function withNewNames(object: Obj, renamed: readonly RenamedObject[], configured: readonly NameReference[]): Obj {
  if (renamed.length === 0) return object;
  const kind = textAt(object, 'kind');
  const references = [...builtIn, ...configured].filter(({ by }) => by === '' || by === kind);
  return references.reduce<Obj>((value, reference) => {
    const names = new Map(renamed.filter((one) => one.kind === reference.kind).map(({ from, to }) => [from, to]));
    return names.size === 0 ? value : (replaced(value, reference, names, reference.path) as Obj);
  }, object);
}

/** Lists on the way are gone through. An entry that names another kind than the one that was generated stays. */
function replaced(value: Value, reference: NameReference, names: ReadonlyMap<string, string>, path: readonly string[]): Value {
  if (Array.isArray(value)) return value.map((item) => replaced(item as Value, reference, names, path));
  const [field, ...rest] = path;
  if (field === undefined) return typeof value === 'string' ? (names.get(value) ?? value) : value;
  if (!isObj(value) || value[field] === undefined) return value;
  const isOfOtherKind = rest.length === 0 && !['', reference.kind].includes(textAt(value, 'kind'));
  return isOfOtherKind ? value : { ...value, [field]: replaced(value[field] as Value, reference, names, rest) };
}
