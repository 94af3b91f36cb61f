import {
  type Clock,
  type Condition,
  type Failure,
  failureOf,
  hasCode,
  holds,
  type Json,
  minutes,
  never,
  notYet,
  seconds,
  throwIfAny,
  TkError,
  waitFor,
} from '../../base/index.ts';
import type { NodeModel } from '../../config/index.ts';
import { parseYamlBulk } from '../../format/index.ts';
import { describeRef, isTransient, type KubeObject, type KubeReader, type KubeWriter, readinessOf, refOf } from '../../kube/index.ts';
import type { Connections } from '../connections.ts';
import { resources } from './facts.ts';
import { kubernetesUpgradeFailure } from './failures.ts';
import { inventoryMark, type Inventory, inventoryOf, keyOf, loadInventory, writeInventory } from './inventory.ts';
import type { KubernetesPlan, ManifestChange, ManifestSync } from './kubernetes-upgrade.ts';
import { isSameJson } from './same-json.ts';

export interface ManifestParts {
  readonly clock: Clock;
  readonly connections: Connections;
  /** Whose manifests are taken: they are the same on every control plane. */
  readonly from: NodeModel;
  readonly reader: () => Promise<KubeReader>;
  readonly writer: () => Promise<KubeWriter>;
}

/** Source: Talos pkg/machinery/constants/constants.go KubernetesFieldManagerName */
const fieldManager = 'talos';

interface Settled {
  readonly object: KubeObject;
  readonly action: 'create' | 'change' | 'keep';
  /** What is there now; absent where nothing is. */
  readonly current?: KubeObject;
}

/** The objects of the machine's Manifest resources, in its order. */
export async function readManifests({ connections, from }: ManifestParts, signal: AbortSignal): Promise<readonly KubeObject[]> {
  const found = await connections.read(from, (machine) => machine.list(resources.manifests, signal));
  return found.flatMap(({ yaml }) =>
    parseYamlBulk(yaml, { version: 'go' }).flatMap((value) => (Array.isArray(value) ? value : [value])),
  ) as KubeObject[];
}

/**
 * What a sync would do. Nothing is written: both ways of asking are dry runs of the API server's.
 *
 * Failure: `manifests/foreign`, all of them at once.
 */
export async function manifestChanges(plan: KubernetesPlan, parts: ManifestParts, signal: AbortSignal): Promise<ManifestSync> {
  const kube = await parts.reader();
  const { objects, inventory } = await gather(plan, parts, kube, signal);
  const settled: Settled[] = [];
  for (const object of objects) settled.push(await settle(plan, kube, object, signal));
  throwIfAny(settled.flatMap(foreignMark));
  return {
    changes: [
      ...settled.flatMap(changeOf),
      ...stale(inventory, objects).map((ref): ManifestChange => ({ object: ref.key, action: 'prune' })),
    ],
    unchanged: settled.filter(({ action }) => action === 'keep').length,
  };
}

/** See `KubernetesUpgrade.syncManifests`. Source: go-kubernetes kubernetes/ssa/apply.go, kubernetes/manifests/sync.go */
export async function syncManifests(
  plan: KubernetesPlan,
  parts: ManifestParts,
  observe: (seen: string) => void,
  signal: AbortSignal,
  waiting: AbortSignal = signal,
): Promise<ManifestSync> {
  const kube = await parts.writer();
  const { objects, inventory } = await gather(plan, parts, kube, signal);
  const changes: ManifestChange[] = [];
  const written: KubeObject[] = [];
  const failures: Failure[] = [];
  let unchanged = 0;
  for (const stage of stagesOf(objects)) {
    const begun = written.length;
    for (const object of stage) {
      try {
        const settled = await settle(plan, kube, object, signal);
        throwIfAny(foreignMark(settled));
        if (settled.action === 'keep') unchanged += 1;
        else {
          observe(describeRef(refOf(object)));
          written.push(await write(plan, kube, settled, signal));
          changes.push(...changeOf(settled));
        }
      } catch (error) {
        const failure = failureOf(error);
        if (signal.aborted || isTransient(failure)) throw error;
        // One that the server refuses (a Job that is changed) keeps no other back.
        failures.push(
          failure.code === 'manifests/foreign'
            ? failure
            : kubernetesUpgradeFailure('manifests/refused', { object: describeRef(refOf(object)) }, { cause: failure }),
        );
      }
    }
    // Definitions have to be served before what they define; at the end everything has to run.
    await waitFor(allReady(kube, written.slice(begun)), parts.clock, waiting, ({ seen }) => observe(seen));
  }
  if (inventory !== undefined) {
    const kept = objects.filter((object) => !failures.some(({ facts }) => facts['object'] === describeRef(refOf(object))));
    const gone = failures.length > 0 ? [] : stale(inventory, objects);
    for (const ref of gone) {
      const removed = await removeStale(kube, ref, inventory, signal);
      if (removed) changes.push({ object: ref.key, action: 'prune' });
    }
    const goneKeys = new Set(gone.map(({ key }) => key));
    const keys = new Set([...inventory.refs.map(({ key }) => key).filter((key) => !goneKeys.has(key)), ...kept.map(keyOf)]);
    await writeInventory(kube, inventory, [...keys], signal);
  }
  throwIfAny(failures);
  return { changes, unchanged };
}

async function gather(plan: KubernetesPlan, parts: ManifestParts, kube: KubeReader, signal: AbortSignal) {
  const found = await readManifests(parts, signal);
  if (plan.manifests === 'update') return { objects: found, inventory: undefined };
  const inventory = await loadInventory(kube, signal);
  return { objects: found.map((object) => withMark(object)), inventory };
}

function withMark(object: KubeObject): KubeObject {
  const { annotations } = object.metadata;
  return { ...object, metadata: { ...object.metadata, annotations: { ...annotations, [inventoryMark]: inventoryOf.name } } };
}

async function settle({ manifests }: KubernetesPlan, kube: KubeReader, object: KubeObject, signal: AbortSignal): Promise<Settled> {
  const current = await kube.get(refOf(object), signal);
  if (current === undefined) return { object, action: 'create' };
  if (manifests === 'server-side-apply') {
    const next = await kube.preview(object, { fieldManager, force: true }, signal);
    return { object, action: isSameJson(essence(current), essence(next)) ? 'keep' : 'change', current };
  }
  const update: KubeObject = { ...object, metadata: { ...object.metadata, ...versionOf(current) } };
  const next = await kube.previewReplace(update, signal);
  return { object: update, action: isSameJson(legacyEssence(current), legacyEssence(next)) ? 'keep' : 'change', current };
}

const versionOf = ({ metadata: { resourceVersion } }: KubeObject) => (resourceVersion === undefined ? {} : { resourceVersion });

async function write(
  { manifests }: KubernetesPlan,
  kube: KubeWriter,
  { object, action }: Settled,
  signal: AbortSignal,
): Promise<KubeObject> {
  if (manifests === 'server-side-apply') return kube.apply(object, { fieldManager, force: true }, signal);
  if (action !== 'create') return kube.replace(object, signal);
  try {
    return await kube.create(object, signal);
  } catch (error) {
    // The machine makes what is missing too.
    const found = hasCode(error, 'kube/exists') ? await kube.get(refOf(object), signal) : undefined;
    if (found === undefined) throw error;
    return found;
  }
}

/** Labels, annotations, and everything that is neither metadata nor status. Source: fluxcd/pkg ssa/manager_diff.go hasDrifted */
function essence({ metadata, status: _status, ...rest }: KubeObject): Json {
  return { ...rest, labels: metadata.labels ?? {}, annotations: metadata.annotations ?? {} } as Json;
}

/** Everything but what the cluster itself writes. Source: go-kubernetes kubernetes/manifests/sync.go getResourceDiff */
function legacyEssence(object: KubeObject): Json {
  const { labels, annotations, name, namespace } = object.metadata;
  const own = Object.fromEntries(Object.entries(annotations ?? {}).filter(([key]) => !key.includes('kubernetes.io/')));
  const { metadata: _metadata, secrets: _secrets, ...rest } = object;
  const kept =
    object.kind === 'ServiceAccount' ? rest : { ...rest, ...(object['secrets'] === undefined ? {} : { secrets: object['secrets'] }) };
  return { ...kept, metadata: { name, namespace: namespace ?? '', labels: labels ?? {}, annotations: own } } as Json;
}

function foreignMark({ object, current, action }: Settled): readonly Failure[] {
  const mark = current?.metadata.annotations?.[inventoryMark];
  const wanted = object.metadata.annotations?.[inventoryMark];
  if (action === 'keep' || wanted === undefined || mark === undefined || mark === wanted) return [];
  return [kubernetesUpgradeFailure('manifests/foreign', { object: describeRef(refOf(object)), inventory: mark })];
}

const changeOf = ({ object, action }: Settled): readonly ManifestChange[] =>
  action === 'keep' ? [] : [{ object: describeRef(refOf(object)), action }];

/**
 * Namespaces, definitions and roles; configuration, which pods are rolled for; everything else.
 * Source: fluxcd/pkg ssa ApplyAllStaged, Talos pkg/cluster/kubernetes/talos_managed.go
 */
function stagesOf(objects: readonly KubeObject[]): readonly (readonly KubeObject[])[] {
  const stageOf = ({ kind }: KubeObject): number =>
    ['CustomResourceDefinition', 'Namespace', 'ClusterRole'].includes(kind) ? 0 : ['ConfigMap', 'Secret'].includes(kind) ? 1 : 2;
  return [0, 1, 2].map((stage) => objects.filter((object) => stageOf(object) === stage)).filter((stage) => stage.length > 0);
}

const stale = (inventory: Inventory | undefined, objects: readonly KubeObject[]) => {
  const present = new Set(objects.map(keyOf));
  // An object of the whole cluster may carry a namespace in the manifest, and carries none in the inventory.
  for (const object of objects) present.add(keyOf({ ...object, metadata: { ...object.metadata, namespace: '' } }));
  return (inventory?.refs ?? []).filter(({ key }) => !present.has(key));
};

/** False when it was gone already. Failure: `manifests/foreign`. */
async function removeStale(
  kube: KubeWriter,
  ref: Inventory['refs'][number],
  { servedAs }: Inventory,
  signal: AbortSignal,
): Promise<boolean> {
  const apiVersion = await servedAs(ref.group, ref.kind, signal);
  if (apiVersion === undefined) return false;
  const at = { apiVersion, kind: ref.kind, name: ref.name, ...(ref.namespace === '' ? {} : { namespace: ref.namespace }) };
  const current = await kube.get(at, signal);
  if (current === undefined) return false;
  const mark = current.metadata.annotations?.[inventoryMark];
  if (mark !== undefined && mark !== inventoryOf.name)
    throw new TkError(kubernetesUpgradeFailure('manifests/foreign', { object: describeRef(at), inventory: mark }));
  const { uid } = current.metadata;
  return kube.delete(at, uid === undefined ? {} : { uid }, signal);
}

/** Source: upstream waits five minutes, looking every two seconds. */
function allReady(kube: KubeReader, objects: readonly KubeObject[]): Condition<number> {
  return {
    description: 'the manifests to be taken up',
    deadlineMs: minutes(5),
    intervalMs: seconds(2),
    see: 'kubectl -n kube-system get daemonsets,deployments -o wide',
    transient: isTransient,
    async check(signal) {
      for (const object of objects) {
        const current = await kube.get(refOf(object), signal);
        if (current === undefined) return notYet(`${describeRef(refOf(object))} does not exist`);
        const readiness = readinessOf(current);
        if (readiness.state === 'failed') return never(readiness.failure);
        if (readiness.state === 'waiting' && readiness.seen !== 'no node takes it')
          return notYet(`${describeRef(refOf(object))}: ${readiness.seen}`);
      }
      return holds(objects.length);
    },
  };
}
