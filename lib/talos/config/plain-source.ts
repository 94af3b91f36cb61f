import type { Span } from '../../base/index.ts';
import type { DataDocument } from '../../format/index.ts';
import { type ConfigMap, type ConfigValue, isConfigMap } from './value.ts';

/** A document that was not read from a file: everything in it belongs to the same place. */
export function plainSource(value: ConfigValue, span: Span): DataDocument {
  return { file: span.file, source: span, value, has: () => true, spanOf: () => span, scalarAt: () => undefined };
}

export function valueAt(value: ConfigMap, path: readonly string[]): ConfigValue | undefined {
  let node: ConfigValue | undefined = value;
  for (const part of path) node = isConfigMap(node) ? node[part] : undefined;
  return node;
}

/** The same with another value there, or without one. What lies beside the path stays the same objects. */
export function replaced(value: ConfigMap, path: readonly string[], put: ConfigValue | undefined, depth = 0): ConfigMap {
  const result = { ...value };
  const part = path[depth] ?? '';
  if (depth < path.length - 1) {
    const inner = result[part];
    result[part] = replaced(isConfigMap(inner) ? inner : {}, path, put, depth + 1);
  } else if (put === undefined) delete result[part];
  else result[part] = put;
  return result;
}

export const isTemplate = (value: ConfigValue | undefined) => typeof value === 'string' && (value.includes('{{') || value.includes('}}'));
