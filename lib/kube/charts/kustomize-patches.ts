import type { Json } from '../../base/index.ts';
import { parseYaml } from '../../format/index.ts';
import { type Fields, fieldsOf, isFields } from './fields.ts';
import { applyJsonPatch, JsonPatchError } from './json-patch.ts';
import { deleted, strategicMerge } from './strategic-merge.ts';

/** One entry of `patches`: documents that are merged, or lists of JSON 6902 operations. */
export interface KustomizePatch {
  readonly text: string;
  /** Absent: the object that the patch itself names. */
  readonly target?: Fields;
}

/** A patch that cannot be read or does not fit; the message says which and why. */
export class PatchError extends Error {}

/** `patches` of a kustomization.yaml, a Flux Kustomization or a post-renderer, as far as they are written out. */
export const patchesOf = (value: Json | undefined): readonly KustomizePatch[] =>
  (Array.isArray(value) ? value.map(fieldsOf) : []).flatMap(({ patch, target }) =>
    typeof patch === 'string' ? [{ text: patch, ...(isFields(target) ? { target } : {}) }] : [],
  );

/**
 * Patches each object that a patch is meant for. Undefined stands for one that a patch deletes.
 *
 * Failure: `PatchError`.
 * Source: kustomize api/internal/builtins/PatchTransformer.go, api/types/selector.go
 */
export function applyPatches(object: Fields, patches: readonly KustomizePatch[], namespace?: string): Fields | undefined {
  let patched = object;
  for (const { text, target } of patches) {
    for (const document of parsed(text)) {
      if (!isMeant(patched, document, target, namespace)) continue;
      const result = applyOne(patched, document);
      if (result === deleted) return undefined;
      patched = result;
    }
  }
  return patched;
}

function applyOne(object: Fields, document: Json): Fields | typeof deleted {
  if (isFields(document)) return strategicMerge(object, document);
  if (!Array.isArray(document)) throw new PatchError(`a patch is neither a mapping nor a list: ${JSON.stringify(document)}`);
  try {
    return fieldsOf(applyJsonPatch(object as Json, document));
  } catch (error) {
    if (!(error instanceof JsonPatchError)) throw error;
    const { name } = fieldsOf(object.metadata);
    throw new PatchError(`a patch does not fit ${String(object.kind)} ${String(name)}: ${error.message}`);
  }
}

function isMeant(object: Fields, document: Json, target: Fields | undefined, namespace: string | undefined): boolean {
  if (target !== undefined) return matchesTarget(object, target, namespace);
  if (!isFields(document)) return false;
  const isSameName = fieldsOf(document.metadata).name === fieldsOf(object.metadata).name;
  return isSameName && document.kind === object.kind && groupOf(document) === groupOf(object);
}

/** Every fact that a target names must fit; names, kinds and groups are expressions for the whole word. */
export function matchesTarget(object: Fields, target: Fields, namespace?: string): boolean {
  const metadata = fieldsOf(object.metadata);
  const apiVersion = String(object.apiVersion ?? '');
  const facts: Fields = {
    group: groupOf(object),
    version: apiVersion.slice(apiVersion.indexOf('/') + 1),
    kind: object.kind,
    name: metadata.name,
    namespace: metadata.namespace ?? namespace,
  };
  for (const [field, fact] of Object.entries(facts)) {
    const wanted = target[field];
    if (typeof wanted === 'string' && wanted !== '' && !isWholeMatch(wanted, String(fact ?? ''))) return false;
  }
  return (
    matchesSelector(target.labelSelector, fieldsOf(metadata.labels)) &&
    matchesSelector(target.annotationSelector, fieldsOf(metadata.annotations))
  );
}

function isWholeMatch(expression: string, text: string): boolean {
  try {
    return new RegExp(`^(?:${expression})$`).test(text);
  } catch {
    throw new PatchError(`\`${expression}\` is no regular expression`);
  }
}

/** `a=b,c!=d,e in (f, g),h notin (i),j,!k` */
function matchesSelector(selector: Json | undefined, marks: Fields): boolean {
  if (typeof selector !== 'string' || selector.trim() === '') return true;
  return selector.split(/,(?![^(]*\))/).every((part) => {
    const [, key = '', operator = '', list = ''] = /^\s*([^\s!=,]+)\s+(in|notin)\s+\(([^)]*)\)\s*$/.exec(part) ?? [];
    if (operator !== '') {
      const isIn =
        list
          .split(',')
          .map((item) => item.trim())
          .includes(String(marks[key] ?? '')) && marks[key] !== undefined;
      return operator === 'in' ? isIn : !isIn;
    }
    const [, name = '', sign = '', value = ''] = /^\s*([^\s!=]+)\s*(!=|==?)\s*(\S*)\s*$/.exec(part) ?? [];
    if (sign !== '') return sign === '!=' ? marks[name] !== value : marks[name] === value;
    const wanted = part.trim();
    return wanted.startsWith('!') ? marks[wanted.slice(1).trim()] === undefined : marks[wanted] !== undefined;
  });
}

const groupOf = ({ apiVersion }: Fields): string => {
  const text = String(apiVersion ?? '');
  return text.includes('/') ? text.slice(0, text.indexOf('/')) : '';
};

/** The same few patches are asked for once for each object of the tree. */
const known = new Map<string, readonly Json[]>();

function parsed(text: string): readonly Json[] {
  const before = known.get(text);
  if (before !== undefined) return before;
  const { documents, failures } = parseYaml({ path: 'patch', text }, { version: 'go' });
  if (failures.length > 0) throw new PatchError(`a patch is not YAML: ${text.split('\n')[0]}`);
  const values = documents.map(({ value }) => value as Json).filter((value) => value !== null && value !== undefined);
  if (known.size > 200) known.clear();
  known.set(text, values);
  return values;
}
