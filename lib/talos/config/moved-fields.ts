import { documentConflicts, machineConfigSchema, movedFields, type TalosMinor } from '../../upstream/tables.ts';

/**
 * The kinds of documents that have taken over a field of the document without a kind, as far as that version knows them.
 *
 * Shape: those of the closest field; empty where the field is still at home. Order of the tables.
 */
export function movedTo(path: string, minor: TalosMinor): readonly string[] {
  const { kinds } = machineConfigSchema(minor);
  let closest = 0;
  let found: string[] = [];
  const take = (field: string, candidates: readonly string[]) => {
    const isInside = path === field || path.startsWith(`${field}.`);
    if (!isInside && !field.startsWith(`${path}.`)) return;
    const known = candidates.filter((kind) => kinds.has(kind));
    const closeness = isInside ? field.length : 1;
    if (known.length === 0 || closeness < closest) return;
    if (closeness > closest) found = [];
    closest = closeness;
    found.push(...known);
  };
  for (const { field, kind } of documentConflicts) take(field, [kind]);
  for (const { field, kinds: candidates } of movedFields) take(field, candidates);
  return [...new Set(found)];
}
