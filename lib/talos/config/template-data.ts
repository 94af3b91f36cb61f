import { type SchemaType } from '../../upstream/tables.ts';
import type { ConfigDocument } from './document.ts';
import { type ConfigValue, isConfigMap, pointee } from './value.ts';

/**
 * What Go templates in patches see: the document without a kind under the names of Go's fields (`.MachineConfig.MachineType`).
 *
 * Source: talhelper v3.1.17 pkg/templating; names from the structs of pkg/machinery/config/types/v1alpha1
 */
export function templateData(documents: readonly ConfigDocument[]): unknown {
  const root = documents.find(({ kind }) => kind === 'v1alpha1');
  return root?.schema ? named(root.schema.type, root.value) : {};
}

function named(type: SchemaType, value: ConfigValue | undefined): unknown {
  const actual = pointee(type);
  switch (actual.is) {
    case 'struct': {
      if (value === undefined && type.is === 'pointer') return null;
      const given = isConfigMap(value) ? value : {};
      return Object.fromEntries(actual.fields.map((field) => [field.goName ?? field.name, named(field.type, given[field.name])]));
    }
    case 'list':
      return Array.isArray(value) ? value.map((item) => named(actual.of, item)) : [];
    case 'map':
      return isConfigMap(value) ? Object.fromEntries(Object.entries(value).map(([key, child]) => [key, named(actual.of, child)])) : {};
    case 'scalar':
      return value ?? (type.is === 'pointer' ? null : actual.go === 'bool' ? false : /^u?int/.test(actual.go) ? 0 : '');
    case 'enum':
    case 'any':
    case 'pointer':
      return value ?? null;
  }
}
