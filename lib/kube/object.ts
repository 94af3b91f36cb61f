import type { Json } from '../base/index.ts';

/** One object as the API server speaks it: plain JSON. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
  readonly [field: string]: Json | ObjectMeta | undefined;
}

export interface ObjectMeta {
  readonly name: string;
  /** Absent for objects of the whole cluster. */
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly labels?: { readonly [key: string]: string };
  readonly annotations?: { readonly [key: string]: string };
  readonly [field: string]: Json | undefined;
}

/** `{ apiVersion: 'apps/v1', kind: 'Deployment' }` */
export interface KindRef {
  readonly apiVersion: string;
  readonly kind: string;
}

export interface ObjectRef extends KindRef {
  /** Ignored for kinds of the whole cluster; `default` when a namespaced kind comes without one. */
  readonly namespace?: string | undefined;
  readonly name: string;
}

export const refOf = (object: KubeObject): ObjectRef => ({
  apiVersion: object.apiVersion,
  kind: object.kind,
  name: object.metadata.name,
  ...(object.metadata.namespace === undefined ? {} : { namespace: object.metadata.namespace }),
});

/** `deployment kube-system/coredns`, `namespace flux-system`. */
export const describeRef = ({ kind, namespace, name }: ObjectRef): string =>
  `${kind.toLowerCase()} ${namespace === undefined ? name : `${namespace}/${name}`}`;

/** Group of an apiVersion; empty for the core group. */
export const groupOf = (apiVersion: string): string => (apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '');
export const versionOf = (apiVersion: string): string => apiVersion.slice(apiVersion.indexOf('/') + 1);

export type Fields = { readonly [field: string]: Json | undefined };

/** The object at `key`, empty when there is none: objects come from outside and may lack anything. */
export function fieldsAt(value: Json | ObjectMeta | undefined, ...path: readonly string[]): Fields {
  let current = value as Json | undefined;
  for (const key of path) current = isFields(current) ? current[key] : undefined;
  return isFields(current) ? current : {};
}

export function listAt(value: Json | ObjectMeta | undefined, ...path: readonly string[]): readonly Json[] {
  const last = path.at(-1);
  const found = last === undefined ? value : fieldsAt(value, ...path.slice(0, -1))[last];
  return Array.isArray(found) ? found : [];
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export const numberAt = (fields: Fields, key: string): number | undefined => (typeof fields[key] === 'number' ? fields[key] : undefined);
export const textAt = (fields: Fields, key: string): string | undefined => (typeof fields[key] === 'string' ? fields[key] : undefined);

/** One of `status.conditions`. */
export interface ObjectCondition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration?: number;
}

export function conditionOf(object: KubeObject, type: string): ObjectCondition | undefined {
  for (const item of listAt(object, 'status', 'conditions')) {
    const fields = fieldsAt(item);
    if (fields.type !== type) continue;
    const observed = numberAt(fields, 'observedGeneration');
    return {
      type,
      status: textAt(fields, 'status') ?? 'Unknown',
      reason: textAt(fields, 'reason') ?? '',
      message: textAt(fields, 'message') ?? '',
      ...(observed === undefined ? {} : { observedGeneration: observed }),
    };
  }
  return undefined;
}
