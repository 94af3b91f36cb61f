import type { Json } from '../../base/index.ts';
import { type Fields, fieldsOf, isFields } from './fields.ts';
import { isEqualJson } from './objects.ts';

type MutableFields = { [field: string]: Json | undefined };

/**
 * Lists of built-in kinds that are merged entry by entry, and what tells their entries apart. `ports` depends on where it stands.
 * Source: patchMergeKey tags of k8s.io/api v0.36.1 (core, apps, batch, policy, admissionregistration).
 */
const mergeKeys: Readonly<Record<string, readonly string[]>> = {
  addresses: ['type'],
  conditions: ['type'],
  containers: ['name'],
  env: ['name'],
  ephemeralContainers: ['name'],
  hostAliases: ['ip'],
  imagePullSecrets: ['name'],
  initContainers: ['name'],
  matchConditions: ['name'],
  ownerReferences: ['uid'],
  ports: ['containerPort', 'port'],
  resourceClaims: ['name'],
  schedulingGates: ['name'],
  secrets: ['name'],
  topologySpreadConstraints: ['topologyKey'],
  variables: ['name'],
  volumeDevices: ['devicePath'],
  volumeMounts: ['mountPath'],
  volumes: ['name'],
  webhooks: ['name'],
};

/** Only in these groups lists are merged: for every other kind nothing says how, so a patch replaces them. */
const builtInGroup = /^(?:v1|(?:apps|batch|policy|autoscaling)\/.*|[a-z]+(?:\.[a-z]+)?\.k8s\.io\/.*)$/;

/** What `$patch: delete` leaves of an object. */
export const deleted = Symbol('deleted');

/**
 * Merges a patch into an object as kustomize does: null takes a field away, mappings are merged, lists of built-in kinds that have a
 * merge key are merged entry by entry, other lists are replaced; `$patch: delete`, `replace` and `merge` at any depth.
 *
 * Shape: `apiVersion`, `kind` and names stay those of the object.
 * Source: kustomize kyaml/yaml/merge2, Kubernetes' strategic merge patch.
 */
export function strategicMerge(object: Fields, patch: Fields): Fields | typeof deleted {
  if (patch.$patch === 'delete') return deleted;
  const isBuiltIn = builtInGroup.test(String(object.apiVersion)) && object.kind !== 'CustomResourceDefinition';
  const { apiVersion: _version, kind: _kind, metadata, ...rest } = patch;
  const { name: _name, namespace: _namespace, ...marks } = fieldsOf(metadata);
  const merged = mergeFields(object, metadata === undefined ? rest : { ...rest, metadata: marks as Json }, isBuiltIn);
  return { ...merged, apiVersion: object.apiVersion, kind: object.kind, metadata: withIdentity(merged.metadata, object.metadata) };
}

function withIdentity(merged: Json | undefined, original: Json | undefined): Json {
  const { name, namespace } = fieldsOf(original);
  return { ...fieldsOf(merged), ...(name === undefined ? {} : { name }), ...(namespace === undefined ? {} : { namespace }) } as Json;
}

function mergeFields(into: Fields, patch: Fields, isBuiltIn: boolean): Fields {
  const { $patch: directive, $retainKeys: retained, ...changes } = patch;
  if (directive === 'replace') return changes;
  const merged: MutableFields = { ...into };
  if (Array.isArray(retained)) for (const key of Object.keys(merged)) if (!retained.includes(key)) delete merged[key];
  for (const [key, value] of Object.entries(changes)) {
    if (key.startsWith('$setElementOrder/')) continue;
    if (key.startsWith('$deleteFromPrimitiveList/')) {
      const list = key.slice('$deleteFromPrimitiveList/'.length);
      const gone = Array.isArray(value) ? value : [];
      const present = merged[list];
      if (Array.isArray(present)) merged[list] = present.filter((item: Json) => !gone.some((one: Json) => isEqualJson(item, one)));
    } else if (value === null || (isFields(value) && value.$patch === 'delete')) delete merged[key];
    else if (isFields(value)) merged[key] = mergeFields(fieldsOf(merged[key]), value, isBuiltIn) as Json;
    else if (Array.isArray(value)) merged[key] = mergeList(key, merged[key], value, isBuiltIn);
    else merged[key] = value;
  }
  return merged;
}

function mergeList(field: string, into: Json | undefined, patch: readonly Json[], isBuiltIn: boolean): Json {
  const isReplaced = patch.some((entry) => isFields(entry) && entry.$patch === 'replace' && Object.keys(entry).length === 1);
  const entries = patch.filter((entry) => !(isFields(entry) && entry.$patch === 'replace' && Object.keys(entry).length === 1));
  const key = isBuiltIn
    ? (Object.hasOwn(mergeKeys, field) ? (mergeKeys[field] ?? []) : []).find((candidate) =>
        entries.every((entry) => fieldsOf(entry)[candidate] !== undefined),
      )
    : undefined;
  if (isReplaced || key === undefined || !Array.isArray(into))
    return entries.filter((entry) => fieldsOf(entry).$patch !== 'delete').map(plain);
  // What a patch names comes first, in its order, as kustomize puts it.
  const named: Json[] = [];
  let rest: readonly Json[] = into as readonly Json[];
  for (const entry of entries.map(fieldsOf)) {
    const present = rest.find((item) => isSameEntry(fieldsOf(item), entry, key));
    rest = rest.filter((item) => item !== present);
    if (entry.$patch === 'delete') continue;
    named.push(present === undefined ? plain(entry as Json) : (mergeFields(fieldsOf(present), entry, isBuiltIn) as Json));
  }
  return [...named, ...rest];
}

/** A port may be there twice, once for each protocol. */
function isSameEntry(item: Fields, entry: Fields, key: string): boolean {
  if (!isEqualJson(item[key], entry[key])) return false;
  return entry.protocol === undefined || item.protocol === undefined || item.protocol === entry.protocol;
}

/** What is new has nothing to be merged with: its own nulls and directives mean nothing. */
function plain(value: Json): Json {
  return isFields(value) ? (mergeFields({}, value, false) as Json) : value;
}
