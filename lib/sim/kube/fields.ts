import { fieldType, type MergeType } from './schema.ts';
import { canonical, equal, isEmpty, isObj, type Obj, type Value } from './value.ts';

/**
 * Which fields somebody owns. A path is its elements as FieldsV1 writes them (`f:spec`, `k:{"name":"x"}`, `v:"x"`), each followed by
 * a line feed.
 * Source: sigs.k8s.io/structured-merge-diff v6 fieldpath, typed/tofieldset.go, typed/compare.go
 */
export type FieldSet = ReadonlySet<string>;

const end = '\n';

export const union = (a: FieldSet, b: FieldSet): FieldSet => new Set([...a, ...b]);
export const difference = (a: FieldSet, b: FieldSet): FieldSet => new Set([...a].filter((path) => !b.has(path)));
export const intersection = (a: FieldSet, b: FieldSet): FieldSet => new Set([...a].filter((path) => b.has(path)));
export const sameSet = (a: FieldSet, b: FieldSet): boolean => a.size === b.size && [...a].every((path) => b.has(path));

const fieldElement = (key: string): string => `f:${key}${end}`;

/** `k:{"containerPort":80,"protocol":"TCP"}`, or `v:"x"` in a set. */
export function elementOf(item: Value, type: MergeType): string {
  if (type.list === 'set') return `v:${JSON.stringify(item)}${end}`;
  const keys: Obj = {};
  for (const key of Array.isArray(type.list) ? [...type.list].sort() : []) {
    const value = isObj(item) ? (item[key] ?? type.keyDefaults?.[key]) : undefined;
    if (value !== undefined) keys[key] = value;
  }
  return `k:${canonical(keys)}${end}`;
}

const isAssociative = (type: MergeType): boolean => type.list !== undefined && type.list !== 'atomic';
const isLeaf = (value: Value | undefined, type: MergeType): boolean =>
  isObj(value) ? type.isAtomic === true : Array.isArray(value) ? !isAssociative(type) : true;

/** What a manager that applies this configuration comes to own. */
export function fieldsOf(value: Value, type: MergeType): FieldSet {
  const found = new Set<string>();
  const walk = (at: Value, its: MergeType, path: string) => {
    if (isLeaf(at, its)) {
      found.add(path);
    } else if (Array.isArray(at)) {
      for (const item of at) {
        const below = path + elementOf(item, its);
        if (its.list !== 'set') walk(item, its.items ?? {}, below);
        found.add(below);
      }
    } else if (isObj(at)) {
      for (const [key, inner] of Object.entries(at)) {
        const below = path + fieldElement(key);
        const field = fieldType(its, key);
        walk(inner, field.type, below);
        if (!field.isNamed || inner === null || (isObj(inner) && isEmpty(inner))) found.add(below);
      }
    }
  };
  walk(value, type, '');
  return found;
}

export interface Comparison {
  readonly added: FieldSet;
  readonly removed: FieldSet;
  readonly modified: FieldSet;
}

export function compare(before: Value | undefined, after: Value | undefined, type: MergeType): Comparison {
  const added = new Set<string>();
  const removed = new Set<string>();
  const modified = new Set<string>();
  const everything = (value: Value, its: MergeType, path: string, into: Set<string>) => {
    if (path !== '') into.add(path);
    if (isLeaf(value, its)) return;
    if (Array.isArray(value)) for (const item of value) everything(item, its.items ?? {}, path + elementOf(item, its), into);
    else if (isObj(value))
      for (const [key, inner] of Object.entries(value)) everything(inner, fieldType(its, key).type, path + fieldElement(key), into);
  };
  const walk = (old: Value | undefined, fresh: Value | undefined, its: MergeType, path: string) => {
    if (old === fresh) return;
    if (old === undefined || old === null) {
      if (fresh !== undefined && fresh !== null) everything(fresh, its, path, added);
    } else if (fresh === undefined || fresh === null) {
      everything(old, its, path, removed);
    } else if (isObj(old) && isObj(fresh) && its.isAtomic !== true) {
      for (const key of Object.keys(old)) walk(old[key], fresh[key], fieldType(its, key).type, path + fieldElement(key));
      for (const key of Object.keys(fresh))
        if (!(key in old)) walk(undefined, fresh[key], fieldType(its, key).type, path + fieldElement(key));
    } else if (Array.isArray(old) && Array.isArray(fresh) && isAssociative(its)) {
      const olds = new Map(old.map((item) => [elementOf(item, its), item]));
      const news = new Map(fresh.map((item) => [elementOf(item, its), item]));
      for (const [element, item] of olds) walk(item, news.get(element), its.items ?? {}, path + element);
      for (const [element, item] of news) if (!olds.has(element)) walk(undefined, item, its.items ?? {}, path + element);
    } else if (!equal(old, fresh)) {
      modified.add(path);
    }
  };
  walk(before, after, type, '');
  return { added, removed, modified };
}

/** Live object and applied configuration together; the order of list maps as the server merges it. */
export function merge(live: Value | undefined, config: Value, type: MergeType): Value {
  if (isObj(config) && isObj(live) && type.isAtomic !== true) {
    const merged: Obj = { ...live };
    for (const [key, value] of Object.entries(config)) merged[key] = merge(live[key], value, fieldType(type, key).type);
    return merged;
  }
  if (Array.isArray(config) && Array.isArray(live) && isAssociative(type)) return mergeLists(live, config, type);
  return config;
}

function mergeLists(live: readonly Value[], config: readonly Value[], type: MergeType): Value[] {
  const lefts = new Map(live.map((item) => [elementOf(item, type), item]));
  const rights = new Map(config.map((item) => [elementOf(item, type), item]));
  const leftOrder = [...lefts.keys()];
  const rightOrder = [...rights.keys()];
  const merged = new Map<string, Value>();
  const take = (element: string) => {
    const right = rights.get(element);
    const left = lefts.get(element);
    merged.set(element, right === undefined ? (left as Value) : type.list === 'set' ? right : merge(left, right, type.items ?? {}));
  };
  let [left, right] = [0, 0];
  while (left < leftOrder.length || right < rightOrder.length) {
    const l = leftOrder[left];
    const r = rightOrder[right];
    if (l !== undefined && l === r) {
      take(l);
      left += 1;
      right += 1;
    } else if (l !== undefined && merged.has(l)) {
      left += 1;
    } else if (l !== undefined && !rights.has(l)) {
      take(l);
      left += 1;
    } else if (r !== undefined) {
      if (!merged.has(r)) take(r);
      right += 1;
    } else {
      left += 1;
    }
  }
  return [...merged.values()];
}

/** Takes out what `drop` names, and maps and lists that became empty by it, unless `keep` has them or something below. */
export function withoutFields(value: Value, type: MergeType, drop: FieldSet, keep: FieldSet): Value {
  const kept = new Set<string>();
  for (const path of keep) {
    let at = path.indexOf(end);
    for (; at !== -1; at = path.indexOf(end, at + 1)) kept.add(path.slice(0, at + 1));
  }
  const walk = (at: Value, its: MergeType, path: string): Value | undefined => {
    if (drop.has(path) && !kept.has(path)) return undefined;
    if (isLeaf(at, its)) return at;
    if (Array.isArray(at)) {
      const rest = at.map((item) => walk(item, its.items ?? {}, path + elementOf(item, its))).filter((item) => item !== undefined);
      return rest.length === 0 && at.length > 0 && !kept.has(path)
        ? undefined
        : rest.length === at.length && rest.every((item, index) => item === at[index])
          ? at
          : rest;
    }
    if (!isObj(at)) return at;
    const rest: Obj = {};
    let changed = false;
    for (const [key, inner] of Object.entries(at)) {
      const left = walk(inner, fieldType(its, key).type, path + fieldElement(key));
      if (left !== undefined) rest[key] = left;
      if (left !== inner) changed = true;
    }
    if (!changed) return at;
    return isEmpty(rest) && path !== '' && !kept.has(path) ? undefined : rest;
  };
  return walk(value, type, '') ?? {};
}

/** The tree of `managedFields[].fieldsV1`. */
export function toFieldsV1(set: FieldSet): Obj {
  interface Branch {
    isMember: boolean;
    readonly below: Map<string, Branch>;
  }
  const root: Branch = { isMember: false, below: new Map() };
  for (const path of [...set].sort()) {
    let branch = root;
    for (const element of path.split(end).slice(0, -1)) {
      let next = branch.below.get(element);
      if (!next) {
        next = { isMember: false, below: new Map() };
        branch.below.set(element, next);
      }
      branch = next;
    }
    branch.isMember = true;
  }
  const write = ({ isMember, below }: Branch): Obj => {
    const tree: Obj = {};
    if (below.size > 0 && isMember) tree['.'] = {};
    for (const [element, branch] of below) tree[element] = write(branch);
    return tree;
  };
  return write(root);
}

export function fromFieldsV1(tree: unknown): FieldSet {
  const found = new Set<string>();
  const walk = (branch: Obj, path: string) => {
    const elements = Object.entries(branch);
    if (elements.length === 0 && path !== '') found.add(path);
    for (const [element, below] of elements) {
      if (element === '.') found.add(path);
      else walk(isObj(below) ? below : {}, `${path}${element}${end}`);
    }
  };
  if (isObj(tree)) walk(tree, '');
  return found;
}

/** `.spec.template.spec.containers[name="nginx"].image`, as conflicts are told. */
export function readablePath(path: string): string {
  let text = '';
  for (const element of path.split(end).slice(0, -1)) {
    const content = element.slice(2);
    if (element.startsWith('f:')) text += `.${content}`;
    else if (element.startsWith('v:')) text += `[=${content}]`;
    else {
      const keys = JSON.parse(content) as Obj;
      text += `[${Object.entries(keys)
        .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
        .join(',')}]`;
    }
  }
  return text;
}

export const pathOf = (...keys: readonly string[]): string => keys.map(fieldElement).join('');
