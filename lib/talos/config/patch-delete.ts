import { type Place, placeOf, TkError } from '../../base/index.ts';
import type { DataDocument } from '../../format/index.ts';
import type { SchemaType, TalosMinor } from '../../upstream/tables.ts';
import type { ConfigDocument } from './document.ts';
import { talosConfigFailure } from './failures.ts';
import { movedTo } from './moved-fields.ts';
import { type ConfigMap, type ConfigValue, isConfigMap, pointee } from './value.ts';

/** One `$patch: delete` of a patch: a path in a document, an element of a list, or the whole document when the path is empty. */
export interface Deletion {
  readonly kind: string;
  readonly apiVersion: string;
  readonly name: string;
  /** `[0]` for a place in a list, which counts for nothing: the element is found by its key. */
  readonly path: readonly string[];
  /** Of an element in a list: the first key next to `$patch`, and its text. */
  readonly element?: { readonly key: string; readonly value: string };
  readonly where?: Place;
}

export interface TakenDeletions {
  readonly deletions: readonly Deletion[];
  readonly rest: unknown;
  /** For each list that lost elements, where the others stood in the file. */
  readonly origins: ReadonlyMap<unknown, readonly number[]>;
}

/**
 * Takes the deletions out of one document of a patch. What is left of the document is undefined when nothing but its identity remains.
 *
 * Source: pkg/machinery/config/configloader/internal/decoder/delete.go
 */
export function takeDeletions(source: DataDocument): TakenDeletions {
  const root = source.value;
  const origins = new Map<unknown, readonly number[]>();
  if (!isConfigMap(root)) return { deletions: [], rest: root, origins };
  if (!source.file.text.includes('$patch')) return { deletions: [], rest: isOnlyIdentity(root) ? undefined : root, origins };
  const deletions: Deletion[] = [];
  const textOf = (key: string) => (root[key] === undefined || root[key] === null ? '' : String(root[key]));
  const add = (path: readonly string[], element?: Deletion['element']) => {
    const kind = textOf('kind');
    const apiVersion = textOf('apiVersion');
    if (path.length === 0 && (kind === '' || apiVersion === ''))
      throw impossible('', `the document has no \`${kind === '' ? 'kind' : 'apiVersion'}\``);
    if ((kind === '') !== (apiVersion === '')) throw impossible(path.join('.'), '`kind` and `apiVersion` must both be set');
    deletions.push({
      kind: kind || 'v1alpha1',
      apiVersion: apiVersion || 'v1alpha1',
      name: textOf('name'),
      path,
      ...(element ? { element } : {}),
      where: placeOf(source.spanOf([...path.map(asWritten), '$patch'], 'key')),
    });
  };
  /** True when the node is to be dropped from what remains. */
  const walk = (node: unknown, path: readonly string[], inList: boolean): { readonly dropped: boolean; readonly value: unknown } => {
    if (Array.isArray(node)) {
      const kept: unknown[] = [];
      const places: number[] = [];
      let changed = false;
      node.forEach((item, index) => {
        const next = walk(item, [...path, `[${index}]`], true);
        if (next.dropped) changed = true;
        else {
          kept.push(next.value);
          places.push(index);
        }
      });
      origins.set(kept, places);
      return { dropped: changed && kept.length === 0, value: kept };
    }
    if (!isConfigMap(node)) return { dropped: false, value: node };
    const kept: ConfigMap = {};
    let changed = false;
    for (const [key, child] of Object.entries(node)) {
      if (key === '$patch' && child === 'delete') {
        if (inList) add(path, firstOther(node, path));
        else {
          if (path.some((part) => part.startsWith('[')))
            throw impossible(path.join('.'), 'what stands inside of a list element cannot be deleted');
          add(path);
        }
        return { dropped: true, value: undefined };
      }
      const next = walk(child, [...path, key], false);
      if (next.dropped) changed = true;
      else kept[key] = next.value as ConfigValue;
    }
    return { dropped: changed && Object.keys(kept).length === 0, value: kept };
  };
  const { dropped, value } = walk(root, [], false);
  return { deletions, rest: dropped || isOnlyIdentity(value) ? undefined : value, origins };
}

/** `[0]` is a place in a list. */
const asWritten = (part: string): string | number => (/^\[\d+\]$/.test(part) ? Number(part.slice(1, -1)) : part);

function impossible(path: string, reason: string): TkError {
  return new TkError(talosConfigFailure('talos-config/patch-delete-impossible', { path, reason }));
}

function firstOther(node: ConfigMap, path: readonly string[]): { key: string; value: string } {
  for (const [key, child] of Object.entries(node)) {
    if (key === '$patch') continue;
    return { key, value: typeof child === 'object' && child !== null ? '' : String(child ?? '') };
  }
  throw impossible(path.join('.'), 'the list element names no key that it could be found by');
}

/**
 * A document that says no more than which one it is. One with an `apiVersion` does say more to upstream: what is left of it after its
 * deletions is merged, and stands there empty where there was none.
 *
 * Source: isEmptyDoc
 */
function isOnlyIdentity(value: unknown): boolean {
  return (
    isConfigMap(value) &&
    Object.entries(value).every(
      ([key, child]) => ['version', 'kind', 'name'].includes(key) && (typeof child !== 'object' || child === null),
    )
  );
}

/**
 * Deletes from a document. The caller removes whole documents itself.
 *
 * Failure: `talos-config/patch-delete-missing`, `talos-config/patch-delete-impossible`.
 * Source: pkg/machinery/config/configloader/internal/decoder/selector.go
 */
export function applyDeletion(document: ConfigDocument, deletion: Deletion, minor: TalosMinor): void {
  const missing = () =>
    new TkError(
      talosConfigFailure(
        'talos-config/patch-delete-missing',
        {
          document: document.kind,
          path: deletion.path.join('.'),
          movedTo: document.kind === 'v1alpha1' ? movedTo(deletion.path.join('.'), minor) : [],
        },
        deletion.where ? { where: deletion.where } : {},
      ),
    );
  const inValue = (type: SchemaType, value: ConfigValue | undefined, path: readonly string[]): void => {
    const [part = '', ...rest] = path;
    const actual = pointee(type);
    if (actual.is === 'struct') {
      // The halves of a pair have no names that upstream's search could find.
      if (actual.go.startsWith('x509.')) throw missing();
      const field = actual.byName.get(part);
      if (!field) throw missing();
      const holder = isConfigMap(value) ? value : undefined;
      if (rest.length === 0) {
        if (!holder) {
          if (type.is === 'pointer') throw missing();
          return;
        }
        delete holder[part];
        return;
      }
      if (!holder && type.is === 'pointer') throw missing();
      return inField(field.type, holder, part, rest);
    }
    if (actual.is === 'map' || actual.is === 'any') {
      if (Array.isArray(value)) return inList({ is: 'any', go: 'any' }, value, part, rest);
      if (!isConfigMap(value) || !(part in value)) throw missing();
      if (rest.length === 0) {
        delete value[part];
        return;
      }
      return inField(actual.is === 'map' ? actual.of : actual, value, part, rest);
    }
    if (actual.is === 'list') return inList(actual.of, (value as ConfigValue[] | undefined) ?? [], part, rest);
    throw missing();
  };
  const inField = (type: SchemaType, holder: ConfigMap | undefined, part: string, rest: readonly string[]): void => {
    const value = holder?.[part];
    if (value === undefined && (type.is === 'pointer' || type.is === 'map' || type.is === 'any')) throw missing();
    inValue(type, value, rest);
  };
  const inList = (of: SchemaType, list: ConfigValue[], part: string, rest: readonly string[]): void => {
    if (rest.length > 0) throw impossible(deletion.path.join('.'), 'searching for complex paths in slices is not supported');
    if (!part.startsWith('[') || !deletion.element)
      throw impossible(deletion.path.join('.'), 'searching for non-integer keys in slices is not supported');
    const { key, value } = deletion.element;
    const element = pointee(of);
    const field = element.is === 'struct' ? element.byName.get(key) : undefined;
    const index =
      field && isFoundByText(field.type, value)
        ? list.findIndex((item) => isConfigMap(item) && elementText(field.type, item[key]) === value)
        : -1;
    if (index === -1) throw missing();
    list.splice(index, 1);
  };
  inValue(document.schema?.type ?? { is: 'any', go: 'any' }, document.value, deletion.path);
  delete document.verbatim;
  delete document.given;
}

/** Numbers and booleans do not print as themselves there, and addresses that are empty print as invalid, so that nothing is found by them. */
function isFoundByText(type: SchemaType, text: string): boolean {
  const actual = pointee(type);
  if (text === '' && /\.(?:Addr|AddrPort|Prefix)$/.test(actual.go)) return false;
  return actual.is === 'enum' || (actual.is === 'scalar' && actual.go !== 'bool' && !/^u?int|^float/.test(actual.go));
}

/** What is not said has Go's zero value; of the enumerations that elements of lists have, it is the first name. */
function elementText(type: SchemaType, value: ConfigValue | undefined): string {
  if (value === undefined || value === null) return type.is === 'enum' ? (type.values[0] ?? '') : '';
  return String(value);
}
