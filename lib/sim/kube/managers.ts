import { ApiError, type Cause } from './errors.ts';
import {
  compare,
  difference,
  fieldsOf,
  type FieldSet,
  fromFieldsV1,
  intersection,
  merge,
  pathOf,
  readablePath,
  sameSet,
  toFieldsV1,
  union,
  withoutFields,
} from './fields.ts';
import { presentWhenEmpty, type MergeType } from './schema.ts';
import { equal, isObj, listAt, type Obj, objAt, textAt, type Value } from './value.ts';

/** One entry of `metadata.managedFields`. */
interface Manager {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  readonly subresource: string;
  readonly time: string;
  readonly set: FieldSet;
}

export interface Writer {
  readonly manager: string;
  readonly apiVersion: string;
  /** Empty for the object itself. */
  readonly subresource: string;
  /** RFC 3339, seconds. */
  readonly time: string;
}

export interface TypeOfObject {
  readonly group: string;
  readonly kind: string;
  readonly type: MergeType;
  /** Fields that a write to this place cannot change: `status` of the object itself, everything else of `/status`. */
  readonly resets: (path: string) => boolean;
}

const neverOwned = new Set([
  pathOf('apiVersion'),
  pathOf('kind'),
  pathOf('metadata'),
  ...['name', 'namespace', 'creationTimestamp', 'selfLink', 'uid', 'clusterName', 'generation', 'managedFields', 'resourceVersion'].map(
    (key) => pathOf('metadata', key),
  ),
]);

function readManagers(object: Value | undefined): Manager[] {
  return listAt(object, 'metadata', 'managedFields').map((entry) => ({
    manager: textAt(entry, 'manager'),
    operation: textAt(entry, 'operation') === 'Apply' ? 'Apply' : 'Update',
    apiVersion: textAt(entry, 'apiVersion'),
    subresource: textAt(entry, 'subresource'),
    time: textAt(entry, 'time'),
    set: fromFieldsV1(objAt(entry).fieldsV1),
  }));
}

/** Source: apimachinery pkg/util/managedfields/internal/managedfields.go sortEncodedManagedFields */
function writeManagers(object: Obj, managers: readonly Manager[]): Obj {
  const order = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
  const entries = managers
    .filter(({ set }) => set.size > 0)
    .sort(
      (a, b) =>
        order(a.operation, b.operation) ||
        order(a.time, b.time) ||
        order(a.manager, b.manager) ||
        order(a.apiVersion, b.apiVersion) ||
        order(a.subresource, b.subresource),
    )
    .map(
      ({ manager, operation, apiVersion, subresource, time, set }): Obj => ({
        manager,
        operation,
        apiVersion,
        time,
        fieldsType: 'FieldsV1',
        fieldsV1: toFieldsV1(set),
        ...(subresource === '' ? {} : { subresource }),
      }),
    );
  const { managedFields: _old, ...metadata } = objAt(object, 'metadata');
  return { ...object, metadata: { ...metadata, ...(entries.length === 0 ? {} : { managedFields: entries }) } };
}

const owned = (set: FieldSet, { resets }: TypeOfObject): FieldSet =>
  new Set([...set].filter((path) => !neverOwned.has(path) && !resets(path)));
const isSame = (a: Manager, writer: Writer, operation: Manager['operation']): boolean =>
  a.manager === writer.manager &&
  a.operation === operation &&
  a.subresource === writer.subresource &&
  (operation === 'Apply' || a.apiVersion === writer.apiVersion);

function withoutManagedFields(object: Value | undefined): Value | undefined {
  if (!isObj(object)) return object;
  const { managedFields: _managed, ...metadata } = objAt(object, 'metadata');
  return { ...object, metadata };
}

/**
 * After a create, replace or patch: whoever wrote owns what it added or changed, everybody else loses that and what is gone.
 * Source: structured-merge-diff merge/update.go Update, apimachinery managedfields
 */
export function trackUpdate(live: Obj | undefined, next: Obj, its: TypeOfObject, writer: Writer): Obj {
  const given = objAt(next, 'metadata').managedFields;
  // A client that sends an empty list resets the ownership; one that sends none keeps it.
  const managers = readManagers(
    given === undefined || (Array.isArray(given) && given.length > 0) ? (given === undefined ? live : next) : undefined,
  );
  const { added, removed, modified } = compare(withoutManagedFields(live) ?? {}, withoutManagedFields(next), its.type);
  const present = presentWhenEmpty(its.group, its.kind);
  const isPresent = (path: string) =>
    present.has(
      path
        .split('\n')
        .slice(0, -1)
        .map((element) => element.slice(2))
        .join('.'),
    );
  const mine = owned(new Set([...added, ...modified].filter((path) => live !== undefined || !isPresent(path))), its);
  const touched = union(union(added, modified), removed);
  const rest = managers.map((manager) => ({
    ...manager,
    set: difference(manager.set, isSame(manager, writer, 'Update') ? removed : touched),
  }));
  if (mine.size === 0) return writeManagers(next, rest);
  const before = rest.find((manager) => isSame(manager, writer, 'Update'));
  return writeManagers(next, [
    ...rest.filter((manager) => manager !== before),
    { ...writer, operation: 'Update', set: union(before?.set ?? new Set(), mine) },
  ]);
}

export interface Applied {
  readonly object: Obj;
  /** Nothing changes by it, the owners included. */
  readonly isNoop: boolean;
}

/**
 * Server-side apply of `config` onto `live`, before defaulting.
 * Source: structured-merge-diff merge/update.go Apply, merge/conflict.go
 */
export function applyConfiguration(live: Obj | undefined, config: Obj, its: TypeOfObject, writer: Writer, force: boolean): Applied {
  const managers = readManagers(live);
  const last = managers.find((manager) => isSame(manager, writer, 'Apply'));
  const others = managers.filter((manager) => manager !== last);
  const before = (withoutManagedFields(live) ?? {}) as Obj;
  const wanted = withoutManagedFields(config) as Obj;
  const set = owned(fieldsOf(wanted, its.type), its);
  const merged = merge(before, wanted, its.type) as Obj;
  const stillOwned = others.reduce((all, { set: theirs }) => union(all, theirs), set);
  const dropped = last ? difference(last.set, stillOwned) : new Set<string>();
  const object = (dropped.size === 0 ? merged : withoutFields(merged, its.type, dropped, stillOwned)) as Obj;
  for (const key of ['apiVersion', 'kind', 'metadata'] as const) object[key] ??= merged[key] as Value;

  const { added, removed, modified } = compare(before, object, its.type);
  const changed = union(added, modified);
  const conflicts = others.map((manager) => ({ manager, paths: intersection(manager.set, changed) })).filter(({ paths }) => paths.size > 0);
  if (conflicts.length > 0 && !force) throw conflictError(conflicts);

  const gone = union(changed, removed);
  const rest = others.map((manager) => ({ ...manager, set: difference(manager.set, gone) }));
  const isNoop = live !== undefined && sameSet(last?.set ?? new Set(), set) && equal(before, object);
  const time = isNoop && last ? last.time : writer.time;
  return { object: writeManagers(object, [...rest, { ...writer, time, operation: 'Apply', set }]), isNoop };
}

/** Fields of a map before what lies deeper, as upstream walks its sets. */
function inOrder(paths: FieldSet): string[] {
  const parts = (path: string) => path.split('\n').slice(0, -1);
  return [...paths].sort((a, b) => {
    const [left, right] = [parts(a), parts(b)];
    const at = left.findIndex((element, index) => element !== right[index]);
    if (at === -1) return -1;
    const isLast = Number(at === right.length - 1) - Number(at === left.length - 1);
    return isLast || ((left[at] as string) < (right[at] ?? '') ? -1 : 1);
  });
}

function conflictError(conflicts: readonly { readonly manager: Manager; readonly paths: FieldSet }[]): ApiError {
  const causes: Cause[] = conflicts.flatMap(({ manager, paths }) =>
    inOrder(paths)
      .map(readablePath)
      .map((field) => ({ reason: 'FieldManagerConflict', message: `conflict with ${describeManager(manager)}`, field })),
  );
  const [only] = causes;
  const groups = conflicts.map(({ manager, paths }) => ({ text: describeManager(manager), fields: inOrder(paths).map(readablePath) }));
  const message =
    causes.length === 1
      ? `Apply failed with 1 conflict: ${only?.message}: ${only?.field}`
      : `Apply failed with ${causes.length} conflicts: ${groups.map(({ text, fields }) => `conflicts with ${text}:\n${fields.map((field) => `- ${field}`).join('\n')}`).join('\n')}`;
  return new ApiError(409, 'Conflict', message, { causes: causes.map((cause): Obj => ({ ...cause })) });
}

const describeManager = ({ manager, subresource, operation, apiVersion }: Manager): string =>
  `"${manager}"${subresource === '' ? '' : ` with subresource "${subresource}"`}${operation === 'Update' ? ` using ${apiVersion}` : ''}`;
