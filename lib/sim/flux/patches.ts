import { parseYamlBulk } from '../../format/index.ts';
import { jsonPatch, mergePatch } from '../kube/patches.ts';
import { parseLabelSelector } from '../kube/selectors.ts';
import { isObj, type Obj, objAt, textAt, type Value } from '../kube/value.ts';

/**
 * `patches:` of a kustomization and of a Flux Kustomization: JSON 6902 lists and merge patches, with or without a target. Lists of
 * built-in kinds are merged by the names of their members, those of custom resources are replaced.
 */
export function applyKustomizePatches<T extends { readonly object: Obj }>(objects: readonly T[], patches: readonly Value[]): T[] {
  let result = [...objects];
  for (const patch of patches) {
    const text = textAt(patch, 'patch');
    const target = isObj(objAt(patch).target) ? objAt(patch, 'target') : undefined;
    for (const document of parseYamlBulk(text) as Value[]) {
      if (!target && isObj(document) && !result.some((entry) => isSame(entry.object, document))) throw new Error(unmatched(document));
      if (!target && Array.isArray(document)) throw new Error(`must specify a target for JSON patch ${text}`);
      result = result.map((entry) => {
        const fits = target ? matchesTarget(entry.object, target) : isObj(document) && isSame(entry.object, document);
        return fits ? { ...entry, object: patched(entry.object, document) } : entry;
      });
    }
  }
  return result.filter(({ object }) => Object.keys(object).length > 0);
}

/** Source: kustomize api/internal/builtins/PatchTransformer.go, kyaml/resid/resid.go */
function unmatched(patch: Obj): string {
  const apiVersion = textAt(patch, 'apiVersion');
  const slash = apiVersion.indexOf('/');
  const [itsGroup, version] = [slash === -1 ? '[noGrp]' : apiVersion.slice(0, slash), apiVersion.slice(slash + 1) || '[noVer]'];
  const id = `${textAt(patch, 'kind') || '[noKind]'}.${version}.${itsGroup}/${textAt(patch, 'metadata', 'name') || '[noName]'}.${textAt(patch, 'metadata', 'namespace') || '[noNs]'}`;
  return `no resource matches strategic merge patch "${id}": no matches for Id ${id}; failed to find unique target for patch ${id}`;
}

function patched(object: Obj, patch: Value): Obj {
  if (Array.isArray(patch)) return jsonPatch(object, patch);
  if (!isObj(patch)) return object;
  if (patch.$patch === 'delete') return {};
  const isBuiltIn = /^(?:v1|(?:apps|batch)\/v1)$/.test(textAt(object, 'apiVersion'));
  const merged = (isBuiltIn ? mergeByName(object, patch) : mergePatch(object, patch)) as Obj;
  // A patch to many objects carries a name only because every object must have one.
  return { ...merged, metadata: { ...objAt(merged, 'metadata'), name: textAt(object, 'metadata', 'name') } };
}

/** A strategic merge as far as names are the key: containers, volumes, variables. */
function mergeByName(target: Value | undefined, patch: Value): Value {
  if (Array.isArray(patch) && Array.isArray(target) && patch.every(isNamed)) {
    const added = patch.filter((entry) => !target.some((known) => nameOf(known) === nameOf(entry)));
    const isDeleted = (entry: Value | undefined) => isObj(entry) && entry.$patch === 'delete';
    const kept = target.flatMap((known) => {
      const change = patch.find((entry) => nameOf(entry) === nameOf(known));
      return change === undefined ? [known] : isDeleted(change) ? [] : [mergeByName(known, change)];
    });
    return [...kept, ...added.filter((entry) => !isDeleted(entry))];
  }
  if (!isObj(patch)) return patch;
  const result: Obj = isObj(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = mergeByName(result[key], value ?? null);
  }
  return result;
}

const isNamed = (value: Value): boolean => isObj(value) && typeof value.name === 'string';
const nameOf = (value: Value): string => (isObj(value) ? textAt(value, 'name') : '');

const isSame = (object: Obj, patch: Obj): boolean =>
  textAt(object, 'kind') === textAt(patch, 'kind') && textAt(object, 'metadata', 'name') === textAt(patch, 'metadata', 'name');

/** Names and namespaces are anchored expressions. Source: kustomize api/types/selector.go */
export function matchesTarget(object: Obj, target: Obj): boolean {
  const apiVersion = textAt(object, 'apiVersion');
  const slash = apiVersion.indexOf('/');
  const facts: Readonly<Record<string, string>> = {
    group: slash === -1 ? '' : apiVersion.slice(0, slash),
    version: apiVersion.slice(slash + 1),
    kind: textAt(object, 'kind'),
    name: textAt(object, 'metadata', 'name'),
    namespace: textAt(object, 'metadata', 'namespace'),
  };
  for (const [key, fact] of Object.entries(facts)) {
    const wanted = target[key];
    if (typeof wanted === 'string' && wanted !== '' && !new RegExp(`^(?:${wanted})$`).test(fact)) return false;
  }
  const labels = textAt(target, 'labelSelector');
  return labels === '' || parseLabelSelector(labels)(objAt(object, 'metadata', 'labels'));
}
