import type { SchemaType } from '../../upstream/tables.ts';

/** A decoded part of a document. Absent fields are undefined: nil or the zero value, which Go does not tell apart without a pointer. */
export type ConfigValue = string | number | bigint | boolean | null | ConfigValue[] | ConfigMap;
export interface ConfigMap {
  [key: string]: ConfigValue | undefined;
}

export function isConfigMap(value: unknown): value is ConfigMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function cloneValue<T extends ConfigValue | undefined>(value: T): T {
  if (Array.isArray(value)) return value.map((item) => cloneValue(item)) as T;
  if (!isConfigMap(value)) return value;
  const copy: ConfigMap = {};
  for (const key in value) copy[key] = cloneValue(value[key]);
  return copy as T;
}

export function sameValue(a: ConfigValue | undefined, b: ConfigValue | undefined): boolean {
  if (a === b) return true;
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, index) => sameValue(item, b[index]));
  if (!isConfigMap(a) || !isConfigMap(b)) return false;
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  for (const key of keys) if (!sameValue(a[key], b[key])) return false;
  return true;
}

/** Names of enumerations whose number is zero, which is what Go calls not set. Source: nethelpers, resources/block, resources/storage */
const zeroNames = new Set([
  'nethelpers.DefaultAction accept',
  'nethelpers.DNSProtocol Do53',
  'nethelpers.RoutingTable unspec',
  'nethelpers.RoutingRuleAction unspec',
  'resource-block.FilesystemType none',
  'block.FilesystemType none',
  'resource-block.EncryptionProviderType none',
  'resource-storage.LVMLogicalVolumeType linear',
  'resource-storage.MDLevel raid1',
  'resource-storage.MDMetadata 1.0',
]);

/** Empty bytes that were given are not nil. */
const bytes = new Set(['base64', 'v1alpha1.Base64Bytes']);

/** Whether Go's reflection calls the value zero. Lists, maps and pointers are not once they are there. */
export function isZeroValue(type: SchemaType, value: ConfigValue | undefined): boolean {
  if (value === undefined) return true;
  switch (type.is) {
    case 'pointer':
    case 'list':
    case 'map':
    case 'any':
      return false;
    case 'struct':
      return !isConfigMap(value) || type.fields.every((field) => isZeroValue(field.type, value[field.name]));
    case 'enum':
      return value === '' || zeroNames.has(`${type.go} ${String(value)}`);
    case 'scalar':
      if (bytes.has(type.go)) return false;
      return value === '' || value === 0 || value === false || value === null || (type.go === 'time.Duration' && value === '0s');
  }
}

/** The type behind pointers. */
export function pointee(type: SchemaType): SchemaType {
  return type.is === 'pointer' ? pointee(type.to) : type;
}
