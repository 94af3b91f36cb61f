import { TkError } from '../../base/index.ts';
import type { SchemaType } from '../../upstream/tables.ts';
import { type ConfigDocument, documentLabel } from './document.ts';
import { talosConfigFailure } from './failures.ts';
import { listKeys } from './merge-keys.ts';
import { nameOfType } from './decode.ts';
import { cloneValue, type ConfigMap, type ConfigValue, isConfigMap, isZeroValue, sameValue } from './value.ts';

/** A place where upstream would have lost the value that stood there, and tk kept it. */
export interface KeptValue {
  readonly document: string;
  readonly path: string;
}

/** Merged sections by the two that they were made of, so that a patch which many nodes share is merged into what they share once. */
export type SharedMerges = WeakMap<ConfigMap, WeakMap<ConfigMap, { readonly result: ConfigMap; readonly kept: readonly KeptValue[] }>>;

interface Merging {
  readonly document: string;
  readonly kept: KeptValue[];
  /** Where the merge has come to. */
  readonly path: string[];
  readonly shared: SharedMerges | undefined;
}

const nothing: ConfigMap = Object.freeze({});

/**
 * Merges a patch's document into the document with the same identity. `left` is changed.
 *
 * Scalars overwrite unless they are zero (true and false always do, and so does everything behind a pointer), maps merge by key, lists
 * append unless the table says that they replace or merge by a key.
 *
 * Failure: `talos-config/merge-mismatch` where free-form maps hold different types.
 * Source: pkg/machinery/config/merge/merge.go
 */
export function mergeDocument(left: ConfigDocument, right: ConfigDocument, shared?: SharedMerges): readonly KeptValue[] {
  const merging: Merging = { document: documentLabel(left), kept: [], path: [], shared };
  if (left.schema && right.schema) left.value = mergeStruct(left.schema.type, left.value, right.value, merging);
  else {
    // A kind without a table: both sides are plain maps.
    left.value = mergeFreeMap(left.value, right.value, merging);
  }
  delete left.verbatim;
  delete left.given;
  return merging.kept;
}

/** Upstream empties the half of a pair that a patch does not repeat. Source: siderolabs/crypto x509, UnmarshalYAML */
function keepPem(type: SchemaType, left: ConfigValue | undefined, right: ConfigValue | undefined, merging: Merging): void {
  if (!type.go.startsWith('x509.') || !isConfigMap(left) || !isConfigMap(right)) return;
  for (const name of ['crt', 'key']) if (left[name] && right[name] === undefined) keep(merging, name);
}

function keep(merging: Merging, ...last: string[]): void {
  merging.kept.push({ document: merging.document, path: [...merging.path, ...last].join('.') });
}

/** What `work` does one level deeper. */
function below<T>(merging: Merging, key: string, work: () => T): T {
  merging.path.push(key);
  const result = work();
  merging.path.pop();
  return result;
}

function mergeStruct(type: SchemaType & { is: 'struct' }, left: ConfigMap, right: ConfigMap, merging: Merging): ConfigMap {
  const { shared } = merging;
  if (!shared) return mergeFields(type, left, right, merging);
  let ofLeft = shared.get(left);
  if (!ofLeft) shared.set(left, (ofLeft = new WeakMap()));
  const merged = ofLeft.get(right);
  if (!merged) {
    const before = merging.kept.length;
    const result = mergeFields(type, left, right, merging);
    ofLeft.set(right, { result, kept: merging.kept.slice(before) });
    return result;
  }
  merging.kept.push(...merged.kept);
  return merged.result;
}

function mergeFields(type: SchemaType & { is: 'struct' }, left: ConfigMap, right: ConfigMap, merging: Merging): ConfigMap {
  const result: ConfigMap = { ...left };
  for (const field of type.fields) {
    const [before, after] = [left[field.name], right[field.name]];
    if (before === undefined && after === undefined) continue;
    merging.path.push(field.name);
    const merged = mergeValue(field.type, before, after, field.replaces ? replacing : plain, merging);
    merging.path.pop();
    if (merged === undefined) delete result[field.name];
    else result[field.name] = merged;
  }
  return result;
}

interface Manner {
  readonly replaces: boolean;
  /** Behind a pointer a zero counts. */
  readonly overwrites: boolean;
}

const plain: Manner = { replaces: false, overwrites: false };
const replacing: Manner = { replaces: true, overwrites: false };

function mergeValue(
  type: SchemaType,
  left: ConfigValue | undefined,
  right: ConfigValue | undefined,
  manner: Manner,
  merging: Merging,
): ConfigValue | undefined {
  switch (type.is) {
    case 'pointer': {
      if (right === undefined) return left;
      if (left === undefined) return cloneValue(right);
      // A pointer to text or a number holds zero as a value: it overwrites.
      return mergeValue(type.to, left, right, { replaces: manner.replaces, overwrites: true }, merging);
    }
    case 'any':
      if (right === undefined || right === null) return left;
      if (left === undefined || left === null) return cloneValue(right);
      return mergeFree(left, right, merging);
    case 'struct': {
      if (manner.replaces) return isZeroValue(type, right) ? left : cloneValue(right);
      if (left === undefined && right === undefined) return undefined;
      keepPem(type, left, right, merging);
      return mergeStruct(type, isConfigMap(left) ? left : nothing, isConfigMap(right) ? right : nothing, merging);
    }
    case 'map': {
      if (right === undefined) return left;
      // The whole of it is nothing: it takes no place.
      if (type.go === 'meta.Unstructured' && isConfigMap(right) && Object.keys(right).length === 0) return left ?? right;
      if (type.go.endsWith('.Args')) return { ...(isConfigMap(left) ? left : {}), ...(cloneValue(right) as ConfigMap) };
      if (manner.replaces || left === undefined) return cloneValue(right);
      return mergeMap(type.of, left as ConfigMap, right as ConfigMap, merging);
    }
    case 'list': {
      if (right === undefined) return left;
      const keys = listKeys(type.go);
      if (keys) return mergeListByKey(type, (left as ConfigValue[] | undefined) ?? [], right as ConfigValue[], keys, merging);
      if (manner.replaces) return cloneValue(right);
      return [...((left as ConfigValue[] | undefined) ?? []), ...(cloneValue(right) as ConfigValue[])];
    }
    case 'enum':
    case 'scalar':
      return mergeScalar(type, left, right, manner, merging);
  }
}

/** Scalars with a merge of their own that forgets what stood there. Source: block.ByteSize.Merge, cel.Expression.Merge */
const forgetful = new Set(['block.ByteSize', 'block.PercentageSize', 'cel.Expression']);

function mergeScalar(
  type: SchemaType,
  left: ConfigValue | undefined,
  right: ConfigValue | undefined,
  manner: Manner,
  merging: Merging,
): ConfigValue | undefined {
  if (type.go === 'bool') return manner.overwrites || right !== undefined ? right : left === undefined ? undefined : false;
  if (isZeroValue(type, right) && !(manner.overwrites && right !== undefined)) {
    if (forgetful.has(type.go) && left !== undefined && left !== '') keep(merging);
    return left;
  }
  // Upstream then holds both, and writes the size.
  if (type.go === 'block.Size' && isPercentage(right) && left !== undefined && !isPercentage(left)) keep(merging);
  if (urls.has(type.go) && typeof left === 'string' && typeof right === 'string') return mergeUrl(left, right);
  return right;
}

const isPercentage = (value: ConfigValue | undefined) => typeof value === 'string' && value.endsWith('%');

const urls = new Set(['meta.URL', 'v1alpha1.Endpoint']);
const urlParts = /^(?:([a-zA-Z][a-zA-Z0-9+.-]*:))?(\/\/[^/?#]*)?([^?#]*)(\?[^#]*)?(#.*)?$/s;

/** A URL is a struct to Go: what the new one leaves out (a path, a query) stays. */
function mergeUrl(left: string, right: string): string {
  const before = urlParts.exec(left) ?? [];
  const after = urlParts.exec(right) ?? [];
  const part = (index: number) => after[index] || before[index] || '';
  const path = part(3);
  return `${part(1)}${part(2)}${part(2) !== '' && path !== '' && !path.startsWith('/') ? '/' : ''}${path}${part(4)}${part(5)}`;
}

function mergeMap(of: SchemaType, left: ConfigMap, right: ConfigMap, merging: Merging): ConfigMap {
  const result: ConfigMap = { ...left };
  for (const [key, value] of Object.entries(right)) {
    const before = left[key];
    const merged =
      before === undefined || before === null
        ? cloneValue(value)
        : below(merging, key, () => mergeValue(of, before, value, plain, merging));
    if (merged !== undefined) result[key] = merged;
  }
  return result;
}

function mergeFree(left: ConfigValue, right: ConfigValue, merging: Merging): ConfigValue {
  if (isConfigMap(left) && isConfigMap(right)) return mergeFreeMap(left, right, merging);
  if (Array.isArray(left) && Array.isArray(right)) return [...left, ...cloneValue(right)];
  if (freeType(left) !== freeType(right)) {
    throw new TkError(
      talosConfigFailure('talos-config/merge-mismatch', {
        document: merging.document,
        path: merging.path.join('.'),
        left: freeType(left),
        right: freeType(right),
      }),
    );
  }
  // Text and numbers that are zero are ignored here too.
  return right === '' || right === 0 ? left : right;
}

/** Go tells whole numbers from others. */
function freeType(value: ConfigValue): string {
  return typeof value === 'number' && !Number.isInteger(value) ? 'a fraction' : nameOfType(value);
}

function mergeFreeMap(left: ConfigMap, right: ConfigMap, merging: Merging): ConfigMap {
  const result: ConfigMap = { ...left };
  for (const [key, value] of Object.entries(right)) {
    const before = left[key];
    if (before === undefined || before === null) result[key] = cloneValue(value);
    else if (value !== undefined && value !== null) result[key] = below(merging, key, () => mergeFree(before, value, merging));
  }
  return result;
}

type Keys = NonNullable<ReturnType<typeof listKeys>>;

function mergeListByKey(
  type: SchemaType & { is: 'list' },
  left: readonly ConfigValue[],
  right: readonly ConfigValue[],
  keys: Keys,
  merging: Merging,
): ConfigValue[] {
  const result = [...left];
  const element = type.of.is === 'pointer' ? type.of.to : type.of;
  for (const item of right) {
    if (!isConfigMap(item) || element.is !== 'struct') continue;
    const isSame = (candidate: ConfigValue) => isConfigMap(candidate) && keys.same(candidate, item, sameValue);
    const index = keys.replaces ? left.findLastIndex(isSame) : result.findIndex(isSame);
    const before = result[index];
    if (index === -1 || !isConfigMap(before)) result.push(cloneValue(item));
    else
      result[index] = keys.replaces ? cloneValue(item) : below(merging, String(index), () => mergeStruct(element, before, item, merging));
  }
  return result;
}
