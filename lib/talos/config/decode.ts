import { type Failure, placeOf, type SourceFile, suggestionFor } from '../../base/index.ts';
import { type DataDocument, formatPath, goTime } from '../../format/index.ts';
import { machineConfigSchema, type SchemaType, type TalosMinor, talosMinors } from '../../upstream/tables.ts';
import { type ConfigDocument, documentLabel, firstMinorOfKind } from './document.ts';
import { talosConfigFailure } from './failures.ts';
import { readDocuments } from './read-documents.ts';
import { readScalar } from './scalars.ts';
import { type ConfigMap, type ConfigValue, isConfigMap } from './value.ts';

export interface DecodeOptions {
  /** Unknown kinds are kept as they are instead of being refused. Default true. */
  readonly keepUnknownKinds?: boolean;
  /** The file holds secrets: failures carry no text of it. Default true. */
  readonly confidential?: boolean;
  /** For lists that are not as they were written: where each element stood. */
  readonly origins?: ReadonlyMap<unknown, readonly number[]>;
}

export interface DecodedConfig {
  readonly documents: readonly ConfigDocument[];
  readonly failures: readonly Failure[];
}

/** Reads the documents of a machine configuration or of a strategic merge patch, by the tables of one Talos minor. */
export function decodeMachineConfig(file: SourceFile, minor: TalosMinor, options: DecodeOptions = {}): DecodedConfig {
  return readDocuments(file, options.confidential ?? true, (sources, syntax) => {
    const failures: Failure[] = [...syntax];
    const documents: ConfigDocument[] = [];
    for (const source of syntax.length > 0 ? [] : sources) {
      if (source.value === null) continue;
      const decoded = decodeDocument(source, minor, failures, options);
      if (decoded) documents.push(decoded);
    }
    return { documents, failures };
  });
}

const legacyKeys = ['machine', 'cluster', 'debug', 'persist'];

/** Names are otherwise taken in any case. Source: the ByName functions of pkg/machinery/nethelpers */
const caseSensitive = new Set(['nethelpers.FailOverMAC']);

export function decodeDocument(
  source: DataDocument,
  minor: TalosMinor,
  failures: Failure[],
  options: DecodeOptions = {},
): ConfigDocument | undefined {
  const isConfidential = options.confidential ?? true;
  const where = (path: readonly (string | number)[], part: 'key' | 'value') => {
    const place = placeOf(source.spanOf(path, part));
    if (isConfidential && place.kind === 'file') {
      const { excerpt: _, ...rest } = place;
      return { where: rest };
    }
    return { where: place };
  };
  const root = source.value;
  if (!isConfigMap(root)) {
    failures.push(talosConfigFailure('talos-config/not-a-mapping', { found: nameOfType(root) }, where([], 'value')));
    return undefined;
  }
  const text = (key: string) => {
    const value = root[key];
    if (typeof value === 'string') return value;
    return value === undefined || value === null ? '' : (source.scalarAt([key])?.text ?? String(value));
  };
  const kind = text('kind');
  const apiVersion =
    text('apiVersion') || (kind === '' && (legacyKeys.some((key) => key in root) || text('version') === 'v1alpha1') ? 'v1alpha1' : '');
  if (kind === '' && apiVersion !== 'v1alpha1') {
    failures.push(talosConfigFailure('talos-config/missing-kind', apiVersion === '' ? {} : { apiVersion }, where([], 'value')));
    return undefined;
  }
  if (kind !== '' && apiVersion === '') {
    failures.push(talosConfigFailure('talos-config/missing-api-version', { kind }, where(['kind'], 'value')));
    return undefined;
  }
  const schema = apiVersion === 'v1alpha1' ? machineConfigSchema(minor).kinds.get(kind || 'v1alpha1') : undefined;
  if (!schema) {
    const since = apiVersion === 'v1alpha1' ? firstMinorOfKind(kind) : undefined;
    // What a later Talos brings is no secret to us: this one refuses it.
    if (options.keepUnknownKinds === false || since !== undefined) {
      const suggestion = suggestionFor(kind, machineConfigSchema(minor).kinds.keys());
      failures.push(
        talosConfigFailure(
          'talos-config/unknown-kind',
          {
            kind,
            apiVersion,
            version: minor,
            ...(since ? { since } : {}),
            ...(suggestion ? { suggestion } : {}),
          },
          where(['kind'], 'value'),
        ),
      );
      return undefined;
    }
    return {
      kind,
      apiVersion,
      name: text('name'),
      value: root,
      verbatim: source.source.file.text.slice(source.source.start, source.source.end),
    };
  }
  const document: ConfigDocument = {
    kind: schema.kind,
    apiVersion,
    name: schema.nameField === undefined ? '' : text(schema.nameField),
    schema,
    value: {},
  };
  const label = documentLabel(document);
  /** Where decoding has come to: one list for all fields, which only a failure copies. */
  const path: (string | number)[] = [];
  const wrongType = (expected: string, found: string, part: 'key' | 'value') => {
    const facts = { document: label, path: formatPath(path), expected, found };
    failures.push(talosConfigFailure('talos-config/wrong-type', facts, where(path, part)));
    return undefined;
  };
  const below = (key: string | number, type: SchemaType, value: unknown): ConfigValue | undefined => {
    path.push(key);
    const decoded = decode(type, value);
    path.pop();
    return decoded;
  };
  const decode = (type: SchemaType, value: unknown): ConfigValue | undefined => {
    const wrong = (expected: string) => wrongType(expected, nameOfType(value), 'value');
    if (value === null || value === undefined) return type.is === 'any' ? null : undefined;
    switch (type.is) {
      case 'pointer':
        return decode(type.to, value);
      case 'any':
        return decodeAny(source, value, path);
      case 'struct': {
        if (!isConfigMap(value)) return wrong('a mapping');
        const result: ConfigMap = {};
        for (const key of Object.keys(value)) {
          const child = value[key];
          const field = type.byName.get(key);
          if (field) {
            const decoded = below(key, field.type, child);
            if (decoded !== undefined) result[key] = decoded;
            continue;
          }
          const suggestion = suggestionFor(key, type.byName.keys());
          const since = firstMinorOfField(schema.kind, type.go, key);
          failures.push(
            talosConfigFailure(
              'talos-config/unknown-key',
              {
                document: label,
                path: formatPath(path),
                key: isConfidential ? quotableKey(key) : key,
                ...(suggestion ? { suggestion } : {}),
                ...(since ? { since } : {}),
              },
              where([...path, key], 'key'),
            ),
          );
        }
        return result;
      }
      case 'map': {
        if (!isConfigMap(value)) return wrong('a mapping');
        const result: ConfigMap = {};
        for (const key of Object.keys(value)) {
          const child = value[key];
          const decoded = below(key, type.of, child);
          // A map keeps its key: text becomes empty, a pointer would be nil, which Talos refuses.
          if (decoded !== undefined) result[key] = decoded;
          else if (type.of.is === 'pointer' || type.of.is === 'struct') {
            if (child === null) {
              path.push(key);
              wrongType('a value', 'null', 'key');
              path.pop();
            }
          } else if (type.of.is === 'scalar') result[key] = nothingOf(type.of.go);
        }
        return result;
      }
      case 'list': {
        if (!Array.isArray(value)) return wrong('a list');
        const result: ConfigValue[] = [];
        for (const [position, item] of (value as unknown[]).entries()) {
          path.push(options.origins?.get(value)?.[position] ?? position);
          const decoded = decode(type.of, item);
          // Nothing in a list of texts or sections is no element at all.
          if (decoded !== undefined) result.push(decoded);
          else if (item === null && type.of.is === 'pointer') wrongType('a value', 'null', 'value');
          path.pop();
        }
        return result;
      }
      case 'enum': {
        const read = typeof value === 'string' ? value : (source.scalarAt(path)?.text ?? String(value));
        if (typeof value === 'object') return wrong(type.values.length > 12 ? 'one of its names' : `one of ${type.values.join(', ')}`);
        const found =
          type.values.find((one) => one === read) ??
          (caseSensitive.has(type.go) ? undefined : type.values.find((one) => one.toLowerCase() === read.toLowerCase()));
        return found ?? wrong(type.values.length > 12 ? 'one of its names' : `one of ${type.values.join(', ')}`);
      }
      case 'scalar': {
        if (typeof value === 'object') {
          if (type.go.endsWith('.ArgValue') && Array.isArray(value))
            return value.map((item: unknown, index) => source.scalarAt([...path, index])?.text ?? String(item));
          return wrong(nameOfScalar(type.go));
        }
        if (type.go === 'string' && typeof value === 'string') return value;
        const result = readScalar(type.go, {
          kind: typeof value === 'string' ? 'string' : typeof value === 'boolean' ? 'bool' : 'int',
          value: value as string | number | bigint | boolean,
          // Numbers keep their spelling where text is meant.
          text: typeof value === 'string' ? value : isNumeric(type.go) ? '' : (source.scalarAt(path)?.text ?? String(value)),
        });
        return 'value' in result ? result.value : wrong(result.expected);
      }
    }
  };
  document.value = (decode(schema.type, root) as ConfigMap | undefined) ?? {};
  document.given = root;
  if (schema.kind === 'v1alpha1') trimInlineManifests(document.value);
  return document;
}

/** In a damaged file a piece of a key of another sort can stand where a name belongs. */
export function quotableKey(key: string): string {
  const runs = key.match(/[A-Za-z0-9+/]{20,}/g) ?? [];
  return runs.some((run) => /\d/.test(run) && /[a-z]/.test(run) && /[A-Z]/.test(run)) ? '…' : key;
}

/** What a key without a value holds. */
function nothingOf(go: string): ConfigValue {
  return go === 'bool' ? false : /^u?int|^float/.test(go) ? 0 : '';
}

/** Free-form parts keep their values; a date becomes the time that Go makes of it. */
function decodeAny(source: DataDocument, value: unknown, path: readonly (string | number)[]): ConfigValue {
  if (Array.isArray(value)) return value.map((item: unknown, index) => decodeAny(source, item, [...path, index]));
  if (isConfigMap(value)) {
    const result: ConfigMap = {};
    for (const [key, child] of Object.entries(value)) result[key] = decodeAny(source, child, [...path, key]);
    return result;
  }
  if (typeof value === 'string' && /^\d{4}-\d{1,2}-\d/.test(value) && source.scalarAt(path)?.kind === 'timestamp') return goTime(value);
  return value as ConfigValue;
}

/** Source: v1alpha1 ClusterInlineManifests.UnmarshalYAML */
function trimInlineManifests(root: ConfigMap): void {
  const cluster = root['cluster'];
  const manifests = isConfigMap(cluster) ? cluster['inlineManifests'] : undefined;
  for (const manifest of Array.isArray(manifests) ? manifests : []) {
    if (isConfigMap(manifest) && typeof manifest['contents'] === 'string')
      manifest['contents'] = manifest['contents'].replace(/^[\t\n\v\f\r]+/, '');
  }
}

/** The first minor whose struct of that name has the key; undefined when none has. */
function firstMinorOfField(kind: string, go: string, key: string): TalosMinor | undefined {
  return talosMinors.find((minor) => {
    const root = machineConfigSchema(minor).kinds.get(kind)?.type;
    return root !== undefined && structNamed(root, go, new Set())?.byName.has(key);
  });
}

function structNamed(type: SchemaType, go: string, seen: Set<string>): (SchemaType & { is: 'struct' }) | undefined {
  switch (type.is) {
    case 'pointer':
      return structNamed(type.to, go, seen);
    case 'list':
    case 'map':
      return structNamed(type.of, go, seen);
    case 'struct': {
      if (type.go === go) return type;
      if (seen.has(type.go)) return undefined;
      seen.add(type.go);
      for (const field of type.fields) {
        const found = structNamed(field.type, go, seen);
        if (found) return found;
      }
      return undefined;
    }
    case 'scalar':
    case 'enum':
    case 'any':
      return undefined;
  }
}

function isNumeric(go: string): boolean {
  return go === 'bool' || /^u?int\d*$|^float|FileMode$|PortRange$/.test(go);
}

function nameOfScalar(go: string): string {
  return go === 'string'
    ? 'a text'
    : go === 'bool'
      ? 'true or false'
      : go.startsWith('int') || go.startsWith('uint')
        ? 'a number'
        : 'a text';
}

export function nameOfType(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  return typeof value === 'string' ? 'a text' : typeof value === 'boolean' ? 'true or false' : 'a number';
}
