import { hasCode, type Json } from '../../base/index.ts';
import { formatPath } from '../../format/index.ts';
import type { KubeReader } from '../client.ts';
import { type KubeObject, type ObjectRef, refOf } from '../object.ts';
import { isFields } from './fields.ts';
import { isKept, isOwned, keyOf, owned, placed, toKubeObject, withOrigin } from './objects.ts';
import { crdsFrom, prepareRelease, type ReleasePorts, renderRelease } from './prepare.ts';
import { decode, fieldManager, listRecords } from './record.ts';
import type { ReleasePlan } from './release-plan.ts';

/** Absent `before`: the field is new; absent `after`: it goes away. Contents of Secrets read `[redacted]`. */
export interface FieldChange {
  readonly path: string;
  readonly before?: Json;
  readonly after?: Json;
}

export type ObjectChange =
  | { readonly change: 'create' | 'delete'; readonly ref: ObjectRef }
  | { readonly change: 'update'; readonly ref: ObjectRef; readonly fields: readonly FieldChange[] };

/** What installing a release now would do. */
export interface ReleaseChange {
  readonly release: string;
  readonly namespace: string;
  /** As the repository pins it. */
  readonly version: string;
  /** Revision that is deployed; absent: there is none. */
  readonly revision?: number;
  /** In the order in which it would happen; equal objects are left out. */
  readonly objects: readonly ObjectChange[];
}

/** What the server itself writes, or that only says who wrote. */
const bookkeeping = ['managedFields', 'resourceVersion', 'generation', 'uid', 'creationTimestamp', 'selfLink'];

/**
 * What installing this release now would change, by asking the API server what it would make of each object (`dryRun=All`).
 *
 * Shape: contents of Secrets are redacted. Changes nothing.
 * Failure: each of `renderRelease`.
 */
export async function diffRelease(plan: ReleasePlan, kube: KubeReader, ports: ReleasePorts, signal: AbortSignal): Promise<ReleaseChange> {
  const records = await listRecords(kube, plan.name, plan.storageNamespace, signal);
  const deployed = records.filter(({ status }) => status === 'deployed').at(-1);
  const rendering = await renderRelease(
    await prepareRelease(plan, ports, signal),
    kube,
    ports,
    { revision: (records.at(-1)?.revision ?? 0) + 1, isUpgrade: deployed !== undefined },
    signal,
  );
  const changes: ObjectChange[] = [];
  const wanted = new Set<string>();
  for (const definition of plan.crds === 'skip' ? [] : crdsFrom(rendering.crds)) {
    const change = await changeOf(withOrigin(definition, plan), kube, signal);
    if (change !== undefined && (change.change === 'create' || plan.crds === 'create-replace')) changes.push(change);
  }
  const hasNamespace = (await kube.get({ apiVersion: 'v1', kind: 'Namespace', name: plan.namespace }, signal)) !== undefined;
  for (const rendered of rendering.objects) {
    const object = toKubeObject(rendered);
    if (object === undefined) continue;
    // Nothing can be tried in a namespace that is not there, nor of a kind that is not served yet.
    if (!hasNamespace || !(await kube.serves(object, signal))) {
      changes.push({ change: 'create', ref: refOf(object) });
      continue;
    }
    const ready = owned(await placed(object, plan.namespace, kube, signal), plan);
    wanted.add(keyOf(ready));
    const change = await changeOf(ready, kube, signal);
    if (change !== undefined) changes.push(change);
  }
  const last = deployed === undefined ? [] : (await decode(ports.engine, deployed, signal)).objects;
  for (const rendered of last.toReversed()) {
    const object = toKubeObject(rendered);
    if (object === undefined || !(await kube.serves(object, signal))) continue;
    const old = await placed(object, plan.namespace, kube, signal);
    if (wanted.has(keyOf(old))) continue;
    const live = await kube.get(refOf(old), signal);
    if (live !== undefined && isOwned(live, plan) && !isKept(live)) changes.push({ change: 'delete', ref: refOf(old) });
  }
  const { name, namespace, version } = plan;
  return { release: name, namespace, version, ...(deployed === undefined ? {} : { revision: deployed.revision }), objects: changes };
}

async function changeOf(object: KubeObject, kube: KubeReader, signal: AbortSignal): Promise<ObjectChange | undefined> {
  const ref = refOf(object);
  const live = await kube.get(ref, signal);
  if (live === undefined) return { change: 'create', ref };
  try {
    const after = await kube.preview(object, { fieldManager, force: true }, signal);
    const isSecret = object.kind === 'Secret' && object.apiVersion === 'v1';
    const fields = fieldChanges(withoutBookkeeping(live), withoutBookkeeping(after), []).map((change) =>
      isSecret ? redacted(change) : change,
    );
    return fields.length === 0 ? undefined : { change: 'update', ref, fields };
  } catch (error) {
    // Fields that cannot be changed: the object would have to be made anew, and the server says which in its own words.
    if (!hasCode(error, 'kube/invalid')) throw error;
    return { change: 'update', ref, fields: [{ path: '', after: String(error.failure.facts.message) }] };
  }
}

function withoutBookkeeping(object: KubeObject): Json {
  const { status: _, metadata, ...rest } = object;
  return { ...rest, metadata: Object.fromEntries(Object.entries(metadata).filter(([name]) => !bookkeeping.includes(name))) } as Json;
}

function fieldChanges(before: Json | undefined, after: Json | undefined, path: readonly (string | number)[]): readonly FieldChange[] {
  if (isFields(before) && isFields(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
    return keys.flatMap((key) => fieldChanges(before[key], after[key], [...path, key]));
  }
  if (Array.isArray(before) && Array.isArray(after) && before.length === after.length) {
    return before.flatMap((item: Json, index) => fieldChanges(item, after[index] as Json, [...path, index]));
  }
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  return [{ path: formatPath(path), ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) }];
}

function redacted(change: FieldChange): FieldChange {
  if (!/^(?:data|stringData)(?:$|[.[])/.test(change.path)) return change;
  return {
    path: change.path,
    ...(change.before === undefined ? {} : { before: '[redacted]' }),
    ...(change.after === undefined ? {} : { after: '[redacted]' }),
  };
}
