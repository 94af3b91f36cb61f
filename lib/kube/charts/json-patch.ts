import type { Json } from '../../base/index.ts';
import { isFields } from './fields.ts';
import { isEqualJson } from './objects.ts';

/** An operation that does not fit the object; `message` names operation and path. */
export class JsonPatchError extends Error {}

interface Operation {
  readonly op: string;
  readonly path: string;
  readonly from?: string;
  readonly value?: Json;
}

type Writable = { [key: string]: Json } | Json[];

/**
 * Applies the operations of a JSON 6902 patch in order, to a copy.
 *
 * Failure: `JsonPatchError`; nothing is half done.
 * Source: RFC 6902 as kustomize reads it, gopkg.in/evanphx/json-patch.v4 4.13: it creates no missing parents, replacing a key that a
 * mapping has not adds it, and what is not there is null to `test` and `copy`.
 */
export function applyJsonPatch(document: Json, patch: readonly Json[]): Json {
  let root = structuredClone(document);
  for (const entry of patch) root = applyOne(root, operationOf(entry));
  return root;
}

function operationOf(entry: Json): Operation {
  if (!isFields(entry) || typeof entry.op !== 'string' || typeof entry.path !== 'string')
    throw new JsonPatchError(`\`${JSON.stringify(entry)}\` is no operation with \`op\` and \`path\``);
  return entry as unknown as Operation;
}

function applyOne(root: Json, { op, path, from, value }: Operation): Json {
  switch (op) {
    case 'add':
      return add(root, path, structuredClone(value ?? null));
    case 'remove':
      return remove(root, path).root;
    case 'replace':
      return replace(root, path, structuredClone(value ?? null));
    case 'move': {
      const taken = remove(root, from ?? '');
      return add(taken.root, path, taken.value);
    }
    case 'copy':
      return add(root, path, structuredClone(valueOrNull(root, from ?? '')));
    case 'test':
      if (!isEqualJson(valueOrNull(root, path), value ?? null)) throw new JsonPatchError(`test of \`${path}\` fails`);
      return root;
    default:
      throw new JsonPatchError(`operation \`${op}\` does not exist`);
  }
}

const keysOf = (pointer: string): readonly string[] => {
  if (pointer === '') return [];
  if (!pointer.startsWith('/')) throw new JsonPatchError(`\`${pointer}\` does not begin with \`/\``);
  return pointer
    .slice(1)
    .split('/')
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
};

function valueAt(root: Json, pointer: string): Json {
  let value: Json | undefined = root;
  for (const key of keysOf(pointer))
    value = Array.isArray(value) ? value[indexIn(value, key, pointer)] : isFields(value) ? value[key] : undefined;
  if (value === undefined) throw new JsonPatchError(`\`${pointer}\` does not exist`);
  return value;
}

/** The mapping or list that holds the last key. */
function parentOf(root: Json, pointer: string): { readonly parent: Writable; readonly key: string } {
  const keys = keysOf(pointer);
  const parent = valueAt(root, pointer.slice(0, pointer.lastIndexOf('/')));
  if (!Array.isArray(parent) && !isFields(parent)) throw new JsonPatchError(`\`${pointer}\` lies in neither a mapping nor a list`);
  return { parent: parent as Writable, key: keys.at(-1) ?? '' };
}

function indexIn(list: readonly Json[], key: string, pointer: string): number {
  if (!/^(?:0|-?[1-9]\d*)$/.test(key)) throw new JsonPatchError(`\`${key}\` of \`${pointer}\` is no position in a list`);
  const index = Number(key);
  return index < 0 ? list.length + index : index;
}

function add(root: Json, pointer: string, value: Json): Json {
  if (pointer === '') return value;
  const { parent, key } = parentOf(root, pointer);
  if (!Array.isArray(parent)) {
    parent[key] = value;
    return root;
  }
  const index = key === '-' ? parent.length : indexIn(parent, key, pointer);
  if (index > parent.length || index < 0) throw new JsonPatchError(`\`${pointer}\` lies beyond the end of its list`);
  parent.splice(index, 0, value);
  return root;
}

function replace(root: Json, pointer: string, value: Json): Json {
  if (pointer === '') return value;
  const { parent, key } = parentOf(root, pointer);
  if (Array.isArray(parent)) {
    valueAt(root, pointer);
    parent[indexIn(parent, key, pointer)] = value;
  } else parent[key] = value;
  return root;
}

/** A mapping without the key has null there; a list has its positions and no others. */
function valueOrNull(root: Json, pointer: string): Json {
  if (pointer === '') return root;
  const { parent, key } = parentOf(root, pointer);
  return Array.isArray(parent) ? valueAt(root, pointer) : (parent[key] ?? null);
}

function remove(root: Json, pointer: string): { readonly root: Json; readonly value: Json } {
  const value = valueAt(root, pointer);
  if (pointer === '') return { root: null, value };
  const { parent, key } = parentOf(root, pointer);
  if (Array.isArray(parent)) parent.splice(indexIn(parent, key, pointer), 1);
  else delete parent[key];
  return { root, value };
}
