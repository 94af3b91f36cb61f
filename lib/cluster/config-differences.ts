import type { Secret } from '../base/index.ts';
import { type DataPath, formatPath } from '../format/index.ts';
import type { ConfigDifference, ConfigDifferences } from './cluster.ts';
import { canonical, documentsOf } from './compare-configs.ts';
import { showConfigValue } from './redact-config.ts';

/**
 * What is different in two machine configs, whatever the order of their documents and keys; the order of a list counts, as it does
 * for the machine. Finds a difference exactly where `compareConfigs` does.
 *
 * Shape: sorted by document as in `after`, then by path. Values are redacted.
 */
export function configDifferences(before: Secret<string>, after: Secret<string>, secrets: readonly string[]): ConfigDifferences {
  const old = documentsOf(before.reveal());
  const wanted = documentsOf(after.reveal());
  if (old === undefined || wanted === undefined) return { state: 'unknown', because: 'its config cannot be read' };
  const differences: ConfigDifference[] = [];
  for (const document of new Set([...wanted.keys(), ...old.keys()])) {
    if (!old.has(document)) differences.push({ document, path: '', change: 'added' });
    else if (!wanted.has(document)) differences.push({ document, path: '', change: 'removed' });
    else {
      for (const { path, before: was, after: is } of compare(old.get(document), wanted.get(document), [])) {
        differences.push({
          document,
          path: formatPath(path),
          change: isEmpty(was) ? 'added' : isEmpty(is) ? 'removed' : 'changed',
          ...(isEmpty(was) ? {} : { before: showConfigValue(was, path, secrets) }),
          ...(isEmpty(is) ? {} : { after: showConfigValue(is, path, secrets) }),
        });
      }
    }
  }
  return { state: 'compared', differences };
}

interface Change {
  readonly path: DataPath;
  readonly before: unknown;
  readonly after: unknown;
}

function compare(before: unknown, after: unknown, path: DataPath): readonly Change[] {
  if (canonical(before ?? null) === canonical(after ?? null)) return [];
  if (isMap(before) && isMap(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
    return keys.flatMap((key) => (sameField(before[key], after[key]) ? [] : compare(before[key], after[key], [...path, key])));
  }
  if (Array.isArray(before) && Array.isArray(after)) return compareLists(before, after, path);
  return [{ path, before, after }];
}

/** Members that are in both lists are no difference; those with the same name are compared, the rest came or went. */
function compareLists(before: readonly unknown[], after: readonly unknown[], path: DataPath): readonly Change[] {
  const left = new Set(before.keys());
  const came: number[] = [];
  after.forEach((item, index) => {
    const same = [...left].find((other) => canonical(before[other]) === canonical(item));
    if (same === undefined) came.push(index);
    else left.delete(same);
  });
  // The same members in another order.
  if (left.size === 0 && came.length === 0) return [{ path, before, after }];
  const changes = came.flatMap((index): readonly Change[] => {
    const name = nameOf(after[index]);
    const other = name === undefined ? undefined : [...left].find((candidate) => nameOf(before[candidate]) === name);
    if (other === undefined) return [{ path: [...path, index], before: undefined, after: after[index] }];
    left.delete(other);
    return compare(before[other], after[index], [...path, index]);
  });
  return [...[...left].map((index) => ({ path: [...path, index], before: before[index], after: undefined })), ...changes];
}

/** What tells members of a list apart, in the kinds that have such lists. */
function nameOf(item: unknown): string | undefined {
  if (!isMap(item)) return undefined;
  for (const key of ['name', 'interface', 'deviceSelector', 'id', 'path', 'mountPath', 'device', 'network', 'publicKey', 'slot'])
    if (item[key] !== undefined && item[key] !== '') return `${key} ${canonical(item[key])}`;
  return undefined;
}

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const emptyForms = new Set(['{}', '[]', 'null', '""']);
const isEmpty = (value: unknown): boolean => value === undefined || emptyForms.has(canonical(value));
const sameField = (before: unknown, after: unknown): boolean => isEmpty(before) && isEmpty(after);
