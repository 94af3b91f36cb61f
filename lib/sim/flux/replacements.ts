import { clone, isObj, listAt, type Obj, objAt, textAt, type Value } from '../kube/value.ts';
import { matchesTarget } from './patches.ts';

/**
 * `replacements:` of a kustomization: a field of one object goes into fields of others.
 *
 * Failure: an Error with the words of kustomize.
 * Source: kustomize api/filters/replacement/replacement.go, kyaml/utils/pathsplitter.go
 */
export function applyReplacements<T extends { readonly object: Obj }>(objects: readonly T[], replacements: readonly Value[]): T[] {
  return replacements.reduce<T[]>((current, replacement) => applyOne(current, objAt(replacement)), [...objects]);
}

function applyOne<T extends { readonly object: Obj }>(objects: readonly T[], replacement: Obj): T[] {
  const value = replacement.sourceValue ?? valueFrom(objects, objAt(replacement, 'source'));
  let result = [...objects];
  for (const target of listAt(replacement, 'targets').filter(isObj)) {
    const fits = (object: Obj) =>
      matchesTarget(object, objAt(target, 'select')) && !listAt(target, 'reject').some((one) => isObj(one) && matchesTarget(object, one));
    const paths = listAt(target, 'fieldPaths').map(String);
    result = result.map((one) => {
      if (!fits(one.object)) return one;
      const object = clone(one.object);
      for (const path of paths.length === 0 ? ['metadata.name'] : paths) write(object, path, value, objAt(target, 'options'));
      return { ...one, object };
    });
  }
  return result;
}

function valueFrom(objects: readonly { readonly object: Obj }[], source: Obj): Value {
  const found = objects.filter(({ object }) => matchesTarget(object, source));
  const wanted = `${textAt(source, 'kind') || '[noKind]'}/${textAt(source, 'name') || '[noName]'}.${textAt(source, 'namespace') || '[noNs]'}`;
  const [first] = found;
  if (first === undefined) throw new Error(`nothing selected by ${wanted}`);
  if (found.length > 1) throw new Error(`multiple matches for selector ${wanted}`);
  const path = textAt(source, 'fieldPath') || 'metadata.name';
  let value: Value | undefined = first.object;
  for (const step of stepsOf(path)) value = Array.isArray(value) ? memberOf(value, step) : isObj(value) ? value[step] : undefined;
  if (value === undefined) throw new Error(`fieldPath \`${path}\` is missing for replacement source ${wanted}`);
  const delimiter = textAt(source, 'options', 'delimiter');
  if (delimiter === '') return value;
  const parts = String(value).split(delimiter);
  return parts[indexOf(objAt(source, 'options'))] ?? '';
}

const indexOf = (options: Obj): number => (typeof options.index === 'number' ? options.index : 0);

/** `spec.rules.0`, `spec.[name=web].image`, `metadata.annotations.a\.b/c`. */
function stepsOf(path: string): readonly string[] {
  return [...path.matchAll(/\[[^\]]*\]|(?:\\.|[^.[\\])+/g)].map(([step]) => step.replace(/\\(.)/g, '$1'));
}

const selected = (step: string): { readonly key: string; readonly value: string } | undefined => {
  const [, key = '', value = ''] = /^\[([^=]+)=(.*)\]$/.exec(step) ?? [];
  return key === '' ? undefined : { key, value };
};

function memberOf(list: readonly Value[], step: string): Value | undefined {
  const by = selected(step);
  return by === undefined ? list[Number(step)] : list.find((item) => isObj(item) && String(item[by.key]) === by.value);
}

function write(object: Obj, path: string, value: Value, options: Obj): void {
  const steps = stepsOf(path);
  const isCreated = options.create === true;
  const missing = () => new Error(`unable to find field "${path}" in replacement target`);
  const put = (holder: Obj | Value[], key: string | number): void => {
    const before = (holder as Obj)[key as string];
    (holder as Obj)[key as string] = withPart(before, value, options);
  };
  const walk = (at: Value | undefined, index: number): void => {
    const step = steps[index] as string;
    const isLast = index === steps.length - 1;
    if (Array.isArray(at)) {
      const members = step === '*' ? at.map((_, position) => position) : positionsOf(at, step, isCreated && selected(step) !== undefined);
      if (members.length === 0) throw missing();
      for (const position of members) {
        if (isLast) put(at, position);
        else walk(at[position], index + 1);
      }
      return;
    }
    if (!isObj(at)) throw missing();
    if (step === '*') {
      for (const key of Object.keys(at)) {
        if (isLast) put(at, key);
        else walk(at[key], index + 1);
      }
      return;
    }
    if (at[step] === undefined) {
      if (!isCreated) throw missing();
      if (!isLast) at[step] = selected(steps[index + 1] as string) === undefined ? {} : [];
    }
    if (isLast) put(at, step);
    else walk(at[step], index + 1);
  };
  walk(object, 0);
}

function positionsOf(list: Value[], step: string, isCreated: boolean): readonly number[] {
  const by = selected(step);
  if (by === undefined) return list[Number(step)] === undefined ? [] : [Number(step)];
  const found = list.flatMap((item, position) => (isObj(item) && String(item[by.key]) === by.value ? [position] : []));
  if (found.length > 0 || !isCreated) return found;
  list.push({ [by.key]: by.value });
  return [list.length - 1];
}

/** With a delimiter only one part of the text becomes the new one; -1 puts it in front, a number past the end behind. */
function withPart(before: Value | undefined, value: Value, options: Obj): Value {
  const delimiter = textAt(options, 'delimiter');
  if (delimiter === '') return clone(value);
  const parts = String(before ?? '').split(delimiter);
  const index = indexOf(options);
  if (index < 0) parts.unshift(String(value));
  else if (index >= parts.length) parts.push(String(value));
  else parts[index] = String(value);
  return parts.join(delimiter);
}
