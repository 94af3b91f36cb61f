import type { Cause } from './errors.ts';
import { clone, isObj, listAt, type Obj, objAt, textAt, type Value } from './value.ts';

/** What the schema of a custom resource makes of an object: unknown fields dropped, defaults set, and what is wrong with the rest. */
export interface StructuralResult {
  readonly object: Obj;
  /** Paths of dropped fields: `spec.colour`. */
  readonly unknown: readonly string[];
  readonly causes: readonly Cause[];
}

const rootFields = new Set(['apiVersion', 'kind', 'metadata']);

/** Source: apiextensions-apiserver pkg/apiserver/schema/{pruning,defaulting}, pkg/apiserver/validation */
export function applySchema(object: Obj, schema: Obj): StructuralResult {
  const unknown: string[] = [];
  const causes: Cause[] = [];
  const walk = (value: Value, its: Obj, path: string): Value => {
    if (Array.isArray(value)) {
      checkType(value, its, path, causes);
      const items = objAt(its, 'items');
      return value.map((item, index) => walk(item, items, `${path}[${index}]`));
    }
    if (!isObj(value)) {
      checkType(value, its, path, causes);
      return value;
    }
    if (path !== '') checkType(value, its, path, causes);
    const properties = objAt(its, 'properties');
    const keepsUnknown = its['x-kubernetes-preserve-unknown-fields'] === true || its.additionalProperties === true;
    const entries = isObj(its.additionalProperties) ? its.additionalProperties : undefined;
    const result: Obj = {};
    for (const [key, inner] of Object.entries(value)) {
      const below = path === '' ? key : `${path}.${key}`;
      const property = properties[key];
      if (path === '' && rootFields.has(key)) result[key] = inner;
      else if (isObj(property)) {
        if (inner !== null || property.nullable === true) result[key] = inner === null ? null : walk(inner, property, below);
      } else if (entries) result[key] = walk(inner, entries, below);
      else if (keepsUnknown || its['x-kubernetes-embedded-resource'] === true || Object.keys(its).length === 0) result[key] = clone(inner);
      else unknown.push(below);
    }
    for (const [key, property] of Object.entries(properties)) {
      const fallback = objAt(property).default;
      if (result[key] === undefined && fallback !== undefined)
        result[key] = walk(clone(fallback), objAt(property), path === '' ? key : `${path}.${key}`);
    }
    for (const required of listAt(its, 'required').map(String)) {
      if (result[required] === undefined)
        causes.push({ reason: 'FieldValueRequired', message: 'Required value', field: path === '' ? required : `${path}.${required}` });
    }
    return result;
  };
  return { object: walk(object, schema, '') as Obj, unknown, causes };
}

function checkType(value: Value, schema: Obj, path: string, causes: Cause[]): void {
  const wanted = textAt(schema, 'type');
  const found = typeOf(value);
  const isFine =
    wanted === '' ||
    (value === null && schema.nullable === true) ||
    wanted === found ||
    (wanted === 'number' && found === 'integer') ||
    (schema['x-kubernetes-int-or-string'] === true && (found === 'integer' || found === 'string'));
  if (!isFine) {
    causes.push({
      reason: 'FieldValueTypeInvalid',
      message: `Invalid value: ${JSON.stringify(found)}: ${path} in body must be of type ${wanted}: ${JSON.stringify(found)}`,
      field: path,
    });
    return;
  }
  const allowed = listAt(schema, 'enum');
  if (allowed.length > 0 && !allowed.includes(value)) {
    causes.push({
      reason: 'FieldValueNotSupported',
      message: `Unsupported value: ${JSON.stringify(value)}: supported values: ${allowed.map((one) => JSON.stringify(one)).join(', ')}`,
      field: path,
    });
  }
  const bad = (message: string) =>
    causes.push({
      reason: 'FieldValueInvalid',
      message: `Invalid value: ${JSON.stringify(value)}: ${path} in body ${message}`,
      field: path,
    });
  if (typeof value === 'number') {
    if (typeof schema.minimum === 'number' && value < schema.minimum) bad(`should be greater than or equal to ${schema.minimum}`);
    if (typeof schema.maximum === 'number' && value > schema.maximum) bad(`should be less than or equal to ${schema.maximum}`);
  }
  if (typeof value === 'string') {
    if (typeof schema.pattern === 'string' && !matches(schema.pattern, value)) bad(`should match '${schema.pattern}'`);
    if (typeof schema.minLength === 'number' && value.length < schema.minLength) bad(`should be at least ${schema.minLength} chars long`);
  }
}

/** Go's expressions are nearly all JavaScript's; one that is not checks nothing. */
function matches(pattern: string, value: string): boolean {
  try {
    return new RegExp(pattern, 'u').test(value);
  } catch {
    return true;
  }
}

function typeOf(value: Value): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
}
