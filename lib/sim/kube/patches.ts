import { ApiError, badRequest } from './errors.ts';
import { fieldType, type MergeType } from './schema.ts';
import { clone, equal, isObj, listAt, type Obj, textAt, type Value } from './value.ts';

/** RFC 7386. */
export function mergePatch(target: Value | undefined, patch: Value): Value {
  if (!isObj(patch)) return clone(patch);
  const result: Obj = isObj(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = mergePatch(result[key], value);
  }
  return result;
}

/** Operations that do not fit the object, in the words of evanphx/json-patch. */
export class JsonPatchRefused extends Error {}

/** The API server's answer to operations that do not fit: the reason stays in its log. */
export const unfittingPatch = (): ApiError =>
  new ApiError(422, 'Invalid', 'the server rejected our request due to an error in our request', {});

/**
 * RFC 6902 as Kubernetes and kustomize read it: replacing a key that a mapping has not adds it.
 *
 * Failure: `JsonPatchRefused`.
 * Source: gopkg.in/evanphx/json-patch.v4 4.13 patch.go
 */
export function jsonPatch(target: Obj, operations: readonly Value[]): Obj {
  let root: Value = clone(target);
  const unprocessable = (why: string) => new JsonPatchRefused(why);
  const partsOf = (pointer: string) =>
    pointer
      .split('/')
      .slice(1)
      .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  const parentOf = (pointer: string, operation: string): { holder: Value; key: string } => {
    const parts = partsOf(pointer);
    const key = parts.pop() ?? '';
    let holder: Value = root;
    for (const part of parts) {
      const next: Value | undefined = Array.isArray(holder) ? holder[Number(part)] : isObj(holder) ? holder[part] : undefined;
      if (next === undefined || next === null)
        throw unprocessable(`${operation} operation does not apply: doc is missing path: ${JSON.stringify(pointer)}: missing value`);
      holder = next;
    }
    return { holder, key };
  };
  /** Undefined where a mapping has no such key. */
  const read = (pointer: string, operation: string): Value | undefined => {
    if (pointer === '') return root;
    const { holder, key } = parentOf(pointer, operation);
    if (Array.isArray(holder)) {
      const found = holder[Number(key)];
      if (found === undefined) throw unprocessable(`${operation} operation does not apply: doc is missing key: ${pointer}: missing value`);
      return found;
    }
    return isObj(holder) ? holder[key] : undefined;
  };
  const remove = (pointer: string, operation: string) => {
    if (read(pointer, operation) === undefined) {
      const key = partsOf(pointer).at(-1);
      throw unprocessable(
        `error in ${operation} for path: '${operation === 'move' ? key : pointer}': Unable to remove nonexistent key: ${key}: missing value`,
      );
    }
    const { holder, key } = parentOf(pointer, operation);
    if (Array.isArray(holder)) holder.splice(Number(key), 1);
    else if (isObj(holder)) delete holder[key];
  };
  const add = (pointer: string, value: Value) => {
    if (pointer === '') {
      root = value;
      return;
    }
    const { holder, key } = parentOf(pointer, 'add');
    if (Array.isArray(holder)) holder.splice(key === '-' ? holder.length : Number(key), 0, value);
    else if (isObj(holder)) holder[key] = value;
  };
  for (const operation of operations) {
    const path = textAt(operation, 'path');
    const value = isObj(operation) ? (operation.value ?? null) : null;
    const op = textAt(operation, 'op');
    switch (op) {
      case 'add':
        add(path, clone(value));
        break;
      case 'remove':
        remove(path, 'remove');
        break;
      case 'replace': {
        read(path, 'replace');
        if (path === '') {
          root = clone(value);
          break;
        }
        const { holder, key } = parentOf(path, 'replace');
        if (Array.isArray(holder)) holder[Number(key)] = clone(value);
        else if (isObj(holder)) holder[key] = clone(value);
        break;
      }
      case 'move':
      case 'copy': {
        const from = textAt(operation, 'from');
        const moved = clone(read(from, op) ?? null);
        if (op === 'move') remove(from, op);
        add(path, moved);
        break;
      }
      case 'test':
        if (!equal(read(path, 'test') ?? null, value)) throw unprocessable(`testing value ${path} failed: test failed`);
        break;
      default:
        throw badRequest(`unknown patch operation ${op}`);
    }
  }
  return isObj(root) ? root : {};
}

/**
 * Kubernetes' own patch: lists that have a merge key merge by it. The keys are those of server-side apply, except that a list
 * merges by the first of them alone.
 * Source: apimachinery pkg/util/strategicpatch/patch.go
 */
export function strategicPatch(target: Value | undefined, patch: Value, type: MergeType): Value {
  if (Array.isArray(patch)) return patchList(Array.isArray(target) ? target : [], patch, type);
  if (!isObj(patch)) return clone(patch);
  if (patch.$patch === 'replace') return withoutDirectives(patch);
  if (patch.$patch === 'delete') return {};
  const result: Obj = isObj(target) ? { ...target } : {};
  const retained = patch.$retainKeys;
  if (Array.isArray(retained)) for (const key of Object.keys(result)) if (!retained.includes(key)) delete result[key];
  for (const [key, value] of Object.entries(patch)) {
    if (key === '$retainKeys' || key.startsWith('$setElementOrder/')) continue;
    if (key.startsWith('$deleteFromPrimitiveList/')) {
      const list = key.slice('$deleteFromPrimitiveList/'.length);
      const gone = listAt(value);
      result[list] = listAt(result[list]).filter((item) => !gone.some((one) => equal(one, item)));
    } else if (value === null) delete result[key];
    else result[key] = strategicPatch(result[key], value, fieldType(type, key).type);
  }
  return result;
}

function patchList(target: readonly Value[], patch: readonly Value[], type: MergeType): Value {
  if (type.list === 'set') return [...target, ...patch.filter((item) => !target.some((old) => equal(old, item)))];
  const key = Array.isArray(type.list) ? (type.list[0] as string) : undefined;
  if (key === undefined || patch.some((item) => isObj(item) && item.$patch === 'replace')) {
    return patch.filter((item) => !isObj(item) || item.$patch === undefined).map((item) => clone(item));
  }
  const result = [...target];
  for (const item of patch) {
    if (!isObj(item)) continue;
    const at = result.findIndex((old) => isObj(old) && equal(old[key], item[key]));
    if (item.$patch === 'delete') {
      if (at !== -1) result.splice(at, 1);
    } else if (at === -1) result.push(withoutDirectives(item));
    else result[at] = strategicPatch(result[at], item, type.items ?? {});
  }
  return inPatchOrder(target, result, patch, key);
}

/** What the patch brings comes before what it does not name, unless the list had it after that. */
function inPatchOrder(before: readonly Value[], merged: readonly Value[], patch: readonly Value[], key: string): Value[] {
  const id = (item: Value) => JSON.stringify(isObj(item) ? item[key] : item);
  const named = patch.map(id);
  const old = before.map(id);
  const [theirs, rest] = [merged.filter((item) => named.includes(id(item))), merged.filter((item) => !named.includes(id(item)))];
  theirs.sort((a, b) => named.indexOf(id(a)) - named.indexOf(id(b)));
  const result: Value[] = [];
  while (theirs.length > 0 && rest.length > 0) {
    const at = old.indexOf(id(theirs[0] as Value));
    const isLater = at !== -1 && old.indexOf(id(rest[0] as Value)) < at;
    result.push((isLater ? rest : theirs).shift() as Value);
  }
  return [...result, ...theirs, ...rest];
}

function withoutDirectives(value: Obj): Obj {
  const { $patch: _directive, $retainKeys: _keys, ...rest } = value;
  for (const key of Object.keys(rest)) if (key.startsWith('$')) delete rest[key];
  return clone(rest);
}
