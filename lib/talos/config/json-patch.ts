import { TkError } from '../../base/index.ts';
import { talosConfigFailure } from './failures.ts';
import { type ConfigMap, type ConfigValue, isConfigMap, sameValue } from './value.ts';

/** One operation of RFC 6902. */
export interface JsonOperation {
  readonly op: string;
  readonly path: string;
  readonly from?: string;
  readonly value?: ConfigValue;
}

/**
 * Undefined when the value is not a list of operations.
 *
 * A null of JSON is no value to upstream's library, one of YAML is one: only the first equals what is not there.
 */
export function jsonOperationsOf(value: unknown, text: string): JsonOperation[] | undefined {
  if (!Array.isArray(value) || value.length === 0) return undefined;
  const operations: JsonOperation[] = [];
  for (const item of value) {
    if (!isConfigMap(item) || typeof item['op'] !== 'string' || typeof item['path'] !== 'string') return undefined;
    const { value: given, ...rest } = item as unknown as JsonOperation;
    operations.push(given === undefined || (given === null && text.trimStart().startsWith('[')) ? rest : { ...rest, value: given });
  }
  return operations;
}

/** A later operation may change what this one adds, and the next machine gets the same operations. */
const ownValue = ({ value }: JsonOperation): ConfigValue => structuredClone(value ?? null);

const decodePointer = (pointer: string): string[] =>
  pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));

/**
 * Applies operations to plain data, which is changed.
 *
 * Failure: `talos-config/json-patch-failed`.
 * Source: RFC 6902, and evanphx/json-patch v5.9.11+incompatible, to which a key that is not there reads as null
 */
export function applyJsonOperations(root: ConfigMap, operations: readonly JsonOperation[]): void {
  for (const operation of operations) applyOperation(root, operation);
}

function applyOperation(root: ConfigMap, operation: JsonOperation): void {
  const fail = (reason: string) =>
    new TkError(talosConfigFailure('talos-config/json-patch-failed', { op: operation.op, path: operation.path, reason }));
  const holderOf = (pointer: string): { holder: ConfigMap | ConfigValue[]; key: string } => {
    const parts = decodePointer(pointer);
    const key = parts.pop() ?? '';
    let holder: ConfigValue | undefined = root;
    for (const part of parts) holder = Array.isArray(holder) ? holder[Number(part)] : isConfigMap(holder) ? holder[part] : undefined;
    if (!Array.isArray(holder) && !isConfigMap(holder)) throw fail(`\`${pointer.slice(0, pointer.lastIndexOf('/'))}\` is not there`);
    return { holder, key };
  };
  const read = (pointer: string): ConfigValue => {
    const { holder, key } = holderOf(pointer);
    const value = Array.isArray(holder) ? holder[Number(key)] : holder[key];
    if (value === undefined) throw fail(`\`${pointer}\` is not there`);
    return value;
  };
  const readOrNull = (pointer: string): ConfigValue => {
    const { holder, key } = holderOf(pointer);
    return !Array.isArray(holder) && holder[key] === undefined ? null : read(pointer);
  };
  const remove = (pointer: string) => {
    read(pointer);
    const { holder, key } = holderOf(pointer);
    if (Array.isArray(holder)) holder.splice(Number(key), 1);
    else delete holder[key];
  };
  const add = (pointer: string, value: ConfigValue) => {
    const { holder, key } = holderOf(pointer);
    if (!Array.isArray(holder)) holder[key] = value;
    else if (key === '-') holder.push(value);
    else if (/^\d+$/.test(key) && Number(key) <= holder.length) holder.splice(Number(key), 0, value);
    else throw fail(`\`${key}\` is not a place in that list`);
  };
  switch (operation.op) {
    case 'add':
      return add(operation.path, ownValue(operation));
    case 'remove':
      return remove(operation.path);
    case 'replace': {
      if (Array.isArray(holderOf(operation.path).holder)) remove(operation.path);
      return add(operation.path, ownValue(operation));
    }
    case 'move': {
      const moved = read(operation.from ?? '');
      remove(operation.from ?? '');
      return add(operation.path, moved);
    }
    case 'copy':
      return add(operation.path, structuredClone(readOrNull(operation.from ?? '')));
    case 'test':
      if (
        !sameValue(readOrNull(operation.path), operation.value ?? null) ||
        (operation.value === null && readOrNull(operation.path) === null)
      )
        throw fail('the value is another one');
      return undefined;
    default:
      throw fail('there is no such operation');
  }
}

/**
 * The strategic merge patch that does the same to the document without a kind, as far as there is one.
 *
 * `base` is that document: an element of a list is named by its first key instead of its place.
 */
export function strategicFormOf(
  operations: readonly JsonOperation[],
  base: ConfigMap,
): { readonly patch: ConfigMap | undefined; readonly remainder: readonly string[] } {
  const patch: ConfigMap = {};
  const remainder: string[] = [];
  for (const operation of operations) {
    const parts = decodePointer(operation.path);
    const isKnown = operation.op === 'add' || operation.op === 'replace' || operation.op === 'remove';
    if (!isKnown || parts.length === 0 || !write(patch, base, parts, operation)) remainder.push(`${operation.op} ${operation.path}`);
  }
  return { patch: Object.keys(patch).length > 0 ? patch : undefined, remainder };
}

/**
 * What has to be merged over `standing` so that `wanted` is what is left: keys that are too many are deleted, one by one. Undefined
 * where no merge does it, such as a list that loses elements.
 */
function takingThePlaceOf(standing: ConfigValue | undefined, wanted: ConfigValue): ConfigValue | undefined {
  if (standing === undefined || standing === null) return wanted;
  if (wanted === null || wanted === '' || wanted === 0) return { $patch: 'delete' };
  if (Array.isArray(standing)) {
    const isLonger = Array.isArray(wanted) && standing.every((item, index) => sameValue(item, wanted[index]));
    return isLonger ? wanted.slice(standing.length) : undefined;
  }
  if (!isConfigMap(standing) || !isConfigMap(wanted)) return wanted;
  const form: ConfigMap = {};
  for (const [key, value] of Object.entries(wanted)) {
    const inner = takingThePlaceOf(standing[key], value ?? null);
    if (inner === undefined) return undefined;
    form[key] = inner;
  }
  for (const key of Object.keys(standing)) if (!(key in wanted)) form[key] = { $patch: 'delete' };
  return form;
}

function write(patch: ConfigMap, base: ConfigValue | undefined, parts: readonly string[], operation: JsonOperation): boolean {
  const [part = '', ...rest] = parts;
  const standing = isConfigMap(base) ? base[part] : undefined;
  if (rest.length === 0) {
    if (operation.op === 'remove') patch[part] = { $patch: 'delete' };
    else {
      const form = takingThePlaceOf(standing, ownValue(operation));
      if (form === undefined) return false;
      patch[part] = form;
    }
    return true;
  }
  if (Array.isArray(standing) || rest[0] === '-') {
    const [place = '', ...deeper] = rest;
    if (deeper.length > 0) return false;
    const list = Array.isArray(patch[part]) ? patch[part] : [];
    if (operation.op === 'add' && (place === '-' || Number(place) === (standing as ConfigValue[] | undefined)?.length))
      list.push(ownValue(operation));
    else if (operation.op === 'remove') {
      const element = Array.isArray(standing) ? standing[Number(place)] : undefined;
      const [key, value] =
        (isConfigMap(element) ? Object.entries(element).find(([, child]) => typeof child !== 'object') : undefined) ?? [];
      if (key === undefined) return false;
      list.push({ [key]: value, $patch: 'delete' });
    } else return false;
    patch[part] = list;
    return true;
  }
  const inner = isConfigMap(patch[part]) ? patch[part] : {};
  if (!write(inner, standing, rest, operation)) return false;
  patch[part] = inner;
  return true;
}
