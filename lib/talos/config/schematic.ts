import { type Failure, placeOf, type Sha256Hex, type SourceFile, suggestionFor, throwIfAny, TkError } from '../../base/index.ts';
import { type DataDocument, formatPath, parseYaml } from '../../format/index.ts';
import { sha256Hex } from '../../pki/index.ts';
import { type SchemaType, schematicSchema } from '../../upstream/tables.ts';
import { nameOfType } from './decode.ts';
import { talosConfigFailure } from './failures.ts';
import { renderGoYaml } from './go-yaml.ts';
import { byKey } from './key-order.ts';
import { readScalar } from './scalars.ts';
import { type ConfigMap, type ConfigValue, isConfigMap, isZeroValue, pointee } from './value.ts';

/** What a machine's image is made of, in the order in which the factory writes it. */
export interface Schematic {
  readonly value: ConfigMap;
}

/**
 * Reads a schematic file as the factory does. An empty file has no schematic; a second document is not looked at.
 *
 * Failure: `talos-config/schematic-…`, all of them at once.
 * Source: image-factory pkg/schematic
 */
export function parseSchematic(file: SourceFile): Schematic {
  const { documents, failures } = parseYaml(file, { version: 'go' });
  throwIfAny(failures);
  const [document] = documents;
  if (!document)
    throw new TkError(talosConfigFailure('talos-config/schematic-invalid', { path: file.path, expected: 'a schematic', found: 'nothing' }));
  return readSchematic(document.value, document);
}

/** The same from a value that was read elsewhere (the `schematic:` of a node). */
export function schematicOf(value: unknown): Schematic {
  return readSchematic(value ?? {});
}

function readSchematic(root: unknown, document?: DataDocument): Schematic {
  const failures: Failure[] = [];
  const where = (path: readonly (string | number)[], part: 'key' | 'value') =>
    document ? { where: placeOf(document.spanOf(path, part)) } : {};
  const walk = (type: SchemaType, value: unknown, path: readonly (string | number)[]): ConfigValue | undefined => {
    const wrong = (expected: string) => {
      failures.push(
        talosConfigFailure(
          'talos-config/schematic-invalid',
          { path: formatPath(path), expected, found: nameOfType(value) },
          where(path, 'value'),
        ),
      );
      return undefined;
    };
    if (value === null || value === undefined) return undefined;
    switch (type.is) {
      case 'pointer':
        return walk(type.to, value, path);
      case 'any':
        return document ? withWrittenKeys(document, value as ConfigValue, path) : (value as ConfigValue);
      case 'enum':
      case 'map':
        return value as ConfigValue;
      case 'struct': {
        if (!isConfigMap(value)) return wrong('a mapping');
        const result: ConfigMap = {};
        for (const [key, child] of Object.entries(value)) {
          const field = type.byName.get(key);
          if (!field) {
            const suggestion = suggestionFor(key, type.byName.keys());
            failures.push(
              talosConfigFailure(
                'talos-config/schematic-unknown-key',
                { path: formatPath(path), key, ...(suggestion ? { suggestion } : {}) },
                where([...path, key], 'key'),
              ),
            );
            continue;
          }
          const read = walk(field.type, child, [...path, key]);
          if (read !== undefined) result[key] = read;
        }
        return result;
      }
      case 'list':
        if (!Array.isArray(value)) return wrong('a list');
        return value.flatMap((item: unknown, index) => {
          const read = walk(type.of, item, [...path, index]);
          return read !== undefined ? [read] : [];
        });
      case 'scalar': {
        if (typeof value === 'object') return wrong('a text');
        const written = document?.scalarAt(path);
        const kind = written?.kind ?? (typeof value === 'string' ? 'string' : typeof value === 'boolean' ? 'bool' : 'int');
        const read = readScalar(type.go, {
          kind,
          value: value as string | number | bigint | boolean,
          text: written?.text ?? String(value),
        });
        return 'value' in read ? read.value : wrong(read.expected);
      }
    }
  };
  const value = walk(schematicSchema(), root, []);
  const bootloader = isConfigMap(value) && isConfigMap(value['customization']) ? value['customization']['bootloader'] : undefined;
  if (bootloader !== undefined && !['dual-boot', 'sd-boot', 'grub'].includes(String(bootloader))) {
    failures.push(
      talosConfigFailure(
        'talos-config/schematic-invalid',
        {
          path: 'customization.bootloader',
          expected: 'one of `dual-boot`, `sd-boot` and `grub` (absent means automatic)',
          found: `\`${String(bootloader)}\``,
        },
        where(['customization', 'bootloader'], 'value'),
      ),
    );
  }
  throwIfAny(failures);
  return { value: (value as ConfigMap | undefined) ?? {} };
}

/** Keys of free-form maps are texts as they were written: `0644` stays, and a key that is nothing drops its value. */
function withWrittenKeys(document: DataDocument, value: ConfigValue, path: readonly (string | number)[]): ConfigValue {
  if (Array.isArray(value)) return value.map((item, index) => withWrittenKeys(document, item, [...path, index]));
  if (!isConfigMap(value)) return value;
  const result: ConfigMap = {};
  for (const [key, child] of Object.entries(value)) {
    const { file, start, end } = document.spanOf([...path, key], 'key');
    const written = file.text.slice(start, end);
    if (key === '' && !/^["']/.test(written)) continue;
    result[/^["']/.test(written) ? key : written || key] = withWrittenKeys(document, child ?? null, [...path, key]);
  }
  return result;
}

/** The text that the factory hashes: fields in their order, empty ones left out, 4-space indent. */
export function renderSchematic(schematic: Schematic): string {
  return renderGoYaml(ordered(schematicSchema(), schematic.value, true), { indent: 4, oldWords: 'double' });
}

/** SHA-256 of the canonical text: the factory's id, computed without asking it. */
export function schematicId(schematic: Schematic): Sha256Hex {
  return sha256Hex(renderSchematic(schematic));
}

function ordered(type: SchemaType, value: ConfigValue | undefined, isRoot: boolean): unknown {
  const actual = pointee(type);
  if (actual.is === 'list') return Array.isArray(value) ? value.map((item) => ordered(actual.of, item, false)) : [];
  if (actual.is === 'any') return sortedNaturally(value ?? null);
  if (actual.is !== 'struct') return value ?? '';
  const given = isConfigMap(value) ? value : {};
  const result: Record<string, unknown> = {};
  for (const field of actual.fields) {
    const child = given[field.name];
    const isEmpty = isNothing(field.type, child);
    // `customization: {}` is always there.
    if (isEmpty && !(isRoot && field.name === 'customization') && field.omit !== 'never') continue;
    result[field.name] = ordered(field.type, child, false);
  }
  return result;
}

/** Go's YAML library looks into structs: one of empty lists is empty. */
function isNothing(type: SchemaType, value: ConfigValue | undefined): boolean {
  const actual = pointee(type);
  if (Array.isArray(value)) return value.length === 0;
  if (actual.is === 'struct') return !isConfigMap(value) || actual.fields.every((field) => isNothing(field.type, value[field.name]));
  if (actual.is === 'any') return value === undefined || value === null || (isConfigMap(value) && Object.keys(value).length === 0);
  return isZeroValue(type, value);
}

/** Free-form maps sort as Go's YAML library sorts them: a2 before a10. */
function sortedNaturally(value: ConfigValue): unknown {
  if (Array.isArray(value)) return value.map((item) => sortedNaturally(item));
  if (!isConfigMap(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort(byKey)
      .map((key) => [key, sortedNaturally(value[key] ?? null)]),
  );
}
