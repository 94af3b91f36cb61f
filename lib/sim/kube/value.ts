/** JSON that a model may still change before it stores it. What lies in the store is frozen by agreement. */
export type Value = string | number | boolean | null | Value[] | Obj;
export interface Obj {
  [key: string]: Value;
}

export const isObj = (value: unknown): value is Obj => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Whatever lies at a path. Controllers ask for thousands of them in a virtual minute. */
function valueAt(value: unknown, path: readonly string[]): unknown {
  let current = value;
  for (let index = 0; index < path.length; index += 1) {
    if (!isObj(current)) return undefined;
    current = current[path[index] as string];
  }
  return current;
}

/** The object at a path, empty where there is none. Never writes. */
export function objAt(value: unknown, ...path: readonly string[]): Obj {
  const found = valueAt(value, path);
  return isObj(found) ? found : {};
}

export function listAt(value: unknown, ...path: readonly string[]): Value[] {
  const found = valueAt(value, path);
  return Array.isArray(found) ? found : [];
}

export function textAt(value: unknown, ...path: readonly string[]): string {
  const found = valueAt(value, path);
  return typeof found === 'string' ? found : '';
}

export function numberAt(value: unknown, ...path: readonly string[]): number | undefined {
  const found = valueAt(value, path);
  return typeof found === 'number' ? found : undefined;
}

/** The object at `key`, made when it is missing. For drafts only. */
export function child(object: Obj, key: string): Obj {
  const found = object[key];
  if (isObj(found)) return found;
  const made: Obj = {};
  object[key] = made;
  return made;
}

export function clone<T extends Value>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => clone(item)) as T;
  const copy: Obj = {};
  for (const key of Object.keys(value)) copy[key] = clone((value as Obj)[key] as Value);
  return copy as T;
}

/** Deep equality; the order of keys does not matter, the order of lists does. */
export function equal(a: Value | undefined, b: Value | undefined): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, index) => equal(item, b[index]));
  if (Array.isArray(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => key in b && equal(a[key], b[key]));
}

export const isEmpty = (value: Value | undefined): boolean =>
  value === undefined ||
  value === null ||
  (Array.isArray(value) ? value.length === 0 : typeof value === 'object' && Object.keys(value).length === 0);

/** Keys in order, so that equal objects have equal text. */
export function canonical(value: Value | undefined): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (!isObj(value)) return JSON.stringify(value ?? null);
  return `{${Object.keys(value)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`)
    .join(',')}}`;
}
