import { type Failure, suggestionFor } from '../../base/index.ts';
import { machineConfigSchema, type SchemaType, type TalosMinor, talosMinors } from '../../upstream/tables.ts';
import { firstMinorOfKind } from './document.ts';
import { talosConfigFailure } from './failures.ts';

/** A field as people ask for it: the kind, and the rest of their words. */
export interface AskedField {
  readonly kind: string;
  /** `machine.sysctls.vm.max_map_count`, `disks[0].device`; empty for a document as a whole. */
  readonly path: string;
}

/**
 * Why no configuration of that version can have the field; undefined when one can.
 *
 * Shape: maps with keys of one's own take any key. A kind that no table has is asked for in the documents, not here.
 * Failure: `talos-config/no-such-field`.
 */
export function unknownField({ kind, path }: AskedField, minor: TalosMinor): Failure | undefined {
  const root = machineConfigSchema(minor).kinds.get(kind)?.type;
  if (!root) return undefined;
  const stop = walk(root, path);
  if (!stop) return undefined;
  const prefix = kind === 'v1alpha1' ? '' : `${kind}.`;
  const since = talosMinors.find((one) => {
    const type = machineConfigSchema(one).kinds.get(kind)?.type;
    return type !== undefined && walk(type, path) === undefined;
  });
  const suggestion = since === undefined ? suggested(root, path, stop, { kind, minor }) : undefined;
  return talosConfigFailure('talos-config/no-such-field', {
    field: `${prefix}${path}`,
    key: stop.key,
    inside: `${prefix}${path.slice(0, stop.at).replace(/\.$/, '')}`.replace(/\.$/, ''),
    found: stop.found,
    talosMinor: minor,
    ...(suggestion === undefined
      ? {}
      : { suggestion: suggestion.startsWith(kind) || prefix === '' ? suggestion : `${prefix}${suggestion}` }),
    ...(since === undefined ? {} : { since }),
  });
}

/** Where the tables end: the key at that place is not one of the struct's, or there is no struct. */
interface Stop {
  readonly at: number;
  readonly key: string;
  readonly found: 'struct' | 'list' | 'value';
  readonly candidates: readonly string[];
}

function walk(type: SchemaType, path: string, at = 0): Stop | undefined {
  const rest = path.slice(at);
  if (rest === '') return undefined;
  const key = /^[^.[]*/.exec(rest)?.[0] || rest;
  switch (type.is) {
    case 'pointer':
      return walk(type.to, path, at);
    case 'struct': {
      const field = type.byName.get(key);
      if (!field) return { at, key, found: 'struct', candidates: [...type.byName.keys()] };
      const end = at + key.length;
      return walk(field.type, path, path[end] === '.' ? end + 1 : end);
    }
    case 'list': {
      const index = /^(?:\[\d+\]|\d+(?=$|[.[]))\.?/.exec(rest)?.[0];
      return index === undefined ? { at, key, found: 'list', candidates: [] } : walk(type.of, path, at + index.length);
    }
    // A key of one's own may hold points: what follows it cannot be told from it.
    case 'map':
    case 'any':
      return undefined;
    // An argument may be a list.
    case 'scalar':
      return type.go.endsWith('.ArgValue') ? undefined : { at, key, found: 'value', candidates: [] };
    case 'enum':
      return { at, key, found: 'value', candidates: [] };
  }
}

/** The near name at that place, then the same words elsewhere in the document, then a kind; of a list, its first element. */
function suggested(
  root: SchemaType,
  path: string,
  { at, key, found, candidates }: Stop,
  { kind, minor }: { kind: string; minor: TalosMinor },
): string | undefined {
  const rest = path.slice(at + key.length);
  const fits = (text: string): boolean => walk(root, text) === undefined;
  if (found === 'list') return [`${path.slice(0, at).replace(/\.$/, '')}[0].${path.slice(at)}`].find(fits);
  if (found === 'value') return undefined;
  const near = suggestionFor(key, candidates);
  if (near !== undefined) {
    const whole = `${path.slice(0, at)}${near}${rest}`;
    return fits(whole) ? whole : `${path.slice(0, at)}${near}`;
  }
  const elsewhere = placesOf(root, key)
    .map((place) => `${place}${rest}`)
    .filter(fits);
  if (elsewhere.length > 0) return elsewhere[0];
  const kinds = kind === 'v1alpha1' && at === 0 ? suggestionFor(key, machineConfigSchema(minor).kinds.keys()) : undefined;
  return kinds === undefined ? undefined : `${kinds}${rest}`;
}

/** The paths of the fields of that name which are reached without passing a list, nearest first. */
function placesOf(root: SchemaType, name: string): readonly string[] {
  const found: string[] = [];
  let level: readonly { readonly type: SchemaType; readonly path: string }[] = [{ type: root, path: '' }];
  // The tables are no deeper; a struct that holds itself would be.
  for (let depth = 0; depth < 8 && level.length > 0; depth += 1) {
    level = level.flatMap(({ type, path }) => {
      if (type.is === 'pointer') return [{ type: type.to, path }];
      if (type.is !== 'struct') return [];
      if (type.byName.has(name)) found.push(`${path}${name}`);
      return type.fields.map((field) => ({ type: field.type, path: `${path}${field.name}.` }));
    });
  }
  return found;
}

/** The first minor that knows a kind which this one does not; undefined when it does, or none does. */
export function laterMinorOfKind(kind: string, minor: TalosMinor): TalosMinor | undefined {
  return machineConfigSchema(minor).kinds.has(kind) ? undefined : firstMinorOfKind(kind);
}
