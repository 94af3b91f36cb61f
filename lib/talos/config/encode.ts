import type { SchemaType, TalosMinor } from '../../upstream/tables.ts';
import type { ConfigDocument } from './document.ts';
import { PlainScalar, renderGoEntry, renderGoYaml, type YamlStyle } from './go-yaml.ts';
import { byKey } from './key-order.ts';
import { isAtLeastMinor } from './minor.ts';
import { type ConfigMap, type ConfigValue, isConfigMap, isZeroValue, pointee } from './value.ts';

/** What a document looks like on paper: fields in the order of the struct, empty ones left out where upstream leaves them out. */
export type EncodedValue = ConfigValue | PlainScalar | EncodedValue[] | { [key: string]: EncodedValue };

/**
 * The text of a machine configuration: the document without a kind first, then the others in their order.
 *
 * Source: pkg/machinery/config/encoder, pkg/machinery/config/container
 */
export function renderMachineConfig(
  documents: readonly ConfigDocument[],
  style: YamlStyle = { indent: 4 },
  shared: SharedTexts = new WeakMap(),
): string {
  const ordered = [...documents.filter(({ kind }) => kind === 'v1alpha1'), ...documents.filter(({ kind }) => kind !== 'v1alpha1')];
  return ordered.map((document) => renderShared(document, style, shared)).join('---\n');
}

/** Texts of documents and of the sections of the document without a kind, by the values that they were made of; of one style. */
export type SharedTexts = WeakMap<ConfigMap, string>;

function renderShared(document: ConfigDocument, style: YamlStyle, shared: SharedTexts): string {
  const { schema, value, verbatim } = document;
  if (!schema || verbatim !== undefined) return renderDocument(document, style);
  const known = shared.get(value);
  if (known !== undefined) return known;
  const text = document.kind === 'v1alpha1' ? renderSections(schema.type, value, 0, style, shared) : '';
  const whole = text === '' ? renderDocument(document, style) : text;
  shared.set(value, whole);
  return whole;
}

/** `machine` and `cluster` with each of their sections, most of which are the same objects for many nodes. */
function renderSections(
  type: SchemaType & { is: 'struct' },
  value: ConfigMap,
  column: 0 | 2 | 4,
  style: YamlStyle,
  shared: SharedTexts,
): string {
  let text = '';
  for (const field of type.fields) {
    const child = value[field.name];
    if (field.omit !== 'never' && isEmpty(field.type, child)) continue;
    const section = pointee(field.type);
    if (column === 0 && section.is === 'struct' && isConfigMap(child)) {
      const inside = renderSections(section, child, style.indent, style, shared);
      text += inside === '' ? `${field.name}: {}\n` : `${field.name}:\n${inside}`;
      continue;
    }
    const known = isConfigMap(child) ? shared.get(child) : undefined;
    // The same value may stand under two names.
    const isKnown = known?.startsWith(`${' '.repeat(column)}${field.name}:`);
    const entry = known !== undefined && isKnown ? known : renderGoEntry(field.name, encode(field.type, child), column, style);
    if (!isKnown && isConfigMap(child)) shared.set(child, entry);
    text += entry;
  }
  return text;
}

/** How talosctl of that minor writes: its YAML library changed the quotes of words such as `off`. */
export function talosctlStyle(minor: TalosMinor): YamlStyle {
  return { indent: 4, oldWords: isAtLeastMinor(minor, '1.14') ? 'single' : 'double' };
}

export function renderDocument(document: ConfigDocument, style: YamlStyle = { indent: 4 }): string {
  if (document.verbatim !== undefined) return document.verbatim.endsWith('\n') ? document.verbatim : `${document.verbatim}\n`;
  return renderGoYaml(encodeDocument(document), style);
}

export function encodeDocument(document: ConfigDocument): EncodedValue {
  return document.schema ? encode(document.schema.type, document.value) : encodeFree(document.value, false);
}

/** The same, as plain data: what a reader of the rendered text would get. */
export function plainDocument(document: ConfigDocument): unknown {
  const strip = (value: EncodedValue): unknown => {
    if (value instanceof PlainScalar) return value.value;
    if (Array.isArray(value)) return value.map(strip);
    if (isConfigMap(value)) return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, strip(child as EncodedValue)]));
    return value;
  };
  return strip(encodeDocument(document));
}

function encode(type: SchemaType, value: ConfigValue | undefined): EncodedValue {
  switch (type.is) {
    case 'pointer':
      return value === undefined ? null : encode(type.to, value);
    case 'any':
      return encodeFree(value ?? null, true);
    case 'struct': {
      const result: { [key: string]: EncodedValue } = {};
      const given: ConfigMap = isConfigMap(value) ? value : {};
      for (const field of type.fields) {
        const child = given[field.name];
        if (field.omit !== 'never' && isEmpty(field.type, child)) continue;
        result[field.name] = encode(field.type, child);
      }
      return result;
    }
    case 'map': {
      const result: { [key: string]: EncodedValue } = {};
      const given: ConfigMap = isConfigMap(value) ? value : {};
      for (const key of Object.keys(given).sort(byKey)) result[key] = encode(type.of, given[key]);
      return result;
    }
    case 'list':
      return Array.isArray(value) ? value.map((item) => encode(type.of, item)) : [];
    case 'enum':
      return value ?? type.values[0] ?? '';
    case 'scalar':
      return encodeScalar(type.go, value);
  }
}

/** Sections that are empty when these fields are, whatever else they hold. Source: the IsZero methods of pkg/machinery/config/types */
const decidingFields: Readonly<Record<string, readonly string[]>> = {
  'block.EncryptionSpec': ['provider', 'keys'],
  'runtime.ProvisioningSpec': ['diskSelector'],
};

/** Whether `omitempty` leaves it out: unlike to Go's reflection, a list or map without entries is nothing, also inside of a section. */
function isEmpty(type: SchemaType, value: ConfigValue | undefined): boolean {
  if (value === undefined) return true;
  if (type.is === 'struct') {
    const deciding = decidingFields[type.go];
    const fields = deciding ? type.fields.filter(({ name }) => deciding.includes(name)) : type.fields;
    return !isConfigMap(value) || fields.every((field) => isEmpty(field.type, value[field.name]));
  }
  if (type.is === 'scalar' && value === '') return true;
  // An empty list of search domains takes away those of the network.
  if (type.go === 'network.SearchDomainList') return false;
  if (type.is === 'list' || type.is === 'map')
    return Array.isArray(value) ? value.length === 0 : isConfigMap(value) && Object.keys(value).length === 0;
  return isZeroValue(type, value);
}

function encodeScalar(go: string, value: ConfigValue | undefined): EncodedValue {
  switch (go) {
    case 'bool':
      return value ?? false;
    case 'int':
    case 'int32':
    case 'uint':
    case 'uint8':
    case 'uint16':
    case 'uint32':
    case 'uint64':
    case 'float32':
    case 'float64':
    case 'network.PortRange':
      return value ?? 0;
    case 'time.Duration':
      return value ?? '0s';
    case 'v1alpha1.FileMode':
    case 'runtime.EtcFileMode': {
      const mode = Number(value ?? 0);
      return new PlainScalar(`0o${mode.toString(8)}`, mode);
    }
    case 'v1alpha1.ArgValue':
    case 'meta.ArgValue':
      return value === undefined || value === '' ? null : value;
    default:
      return value ?? '';
  }
}

function encodeFree(value: ConfigValue | undefined, sorted: boolean): EncodedValue {
  if (Array.isArray(value)) return value.map((item) => encodeFree(item, sorted));
  if (!isConfigMap(value)) return value ?? null;
  const result: { [key: string]: EncodedValue } = {};
  const keys = Object.keys(value);
  for (const key of sorted ? keys.sort(byKey) : keys) result[key] = encodeFree(value[key], sorted);
  return result;
}
