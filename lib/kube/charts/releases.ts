import { type Clock, hasCode, type Json, type Secret, throwIfAborted, TkError, waitFor } from '../../base/index.ts';
import type { DecodedRecord, HelmEngine, JsonObject, Lookup, RenderedObject, Rendering } from '../../wasm/index.ts';
import type { KubeReader, KubeWriter } from '../client.ts';
import { type KubeObject, refOf } from '../object.ts';
import { crdsServed } from '../waits.ts';
import { workloadsReady } from '../workloads.ts';
import { releaseFailure } from './failures.ts';
import { type HookEvent, runHooks } from './hooks.ts';
import { hasReadiness, isCrd, isEqualJson, isKept, isOwned, keyOf, owned, placed, toKubeObject, withOrigin } from './objects.ts';
import { pullChart, type Pulled, type PullPorts } from './pull.ts';
import { decode, fieldManager, isPending, listRecords, restatus, type StoredRecord, timestamp, writeRecord } from './record.ts';
import type { ReleasePlan } from './release-plan.ts';
import { describeSchemaProblems } from './schema-problems.ts';
import { type ReferenceReader, resolveValues } from './values.ts';

export interface ReleasePorts {
  readonly engine: HelmEngine;
  readonly clock: Clock;
  readonly pull: PullPorts;
  readonly readReference: ReferenceReader;
}

/** A chart that is here, and what it will be rendered with. Values may hold secrets. */
export interface PreparedRelease {
  readonly plan: ReleasePlan;
  readonly pulled: Pulled;
  readonly values: Secret<JsonObject>;
}

export type ReleaseState =
  | { readonly state: 'absent' }
  | { readonly state: 'equal'; readonly revision: number }
  /** `because` completes "differs: …". */
  | { readonly state: 'differs'; readonly revision: number; readonly because: string }
  /** Somebody began an install, upgrade or rollback and has not finished. */
  | { readonly state: 'pending'; readonly revision: number; readonly status: string; readonly ageMs: number };

export interface InstalledRelease {
  readonly state: 'installed' | 'upgraded' | 'equal';
  readonly revision: number;
  readonly objects: number;
}

export interface InstallOptions {
  /** Told what is being done and waited for. */
  readonly observe?: (seen: string) => void;
  /** Waits for workloads, Jobs and hooks. Default: true. */
  readonly shouldWait?: boolean;
  /** Every API server, so that a new kind is known to each before it is used. Default: the one that `kube` speaks to. */
  readonly servers?: readonly { readonly node: string; readonly kube: KubeReader }[];
}

/** Fetches and puts together; touches no cluster. Failure: `chart/*`, `release/*`. */
export async function prepareRelease(
  plan: ReleasePlan,
  { engine, pull, readReference }: ReleasePorts,
  signal: AbortSignal,
): Promise<PreparedRelease> {
  const pulled = await pullChart(plan.source, pull, signal);
  return { plan, pulled, values: await resolveValues(plan, engine, readReference, signal) };
}

/**
 * What is in the cluster, held against what is wanted: chart, version and values by the record, objects by looking for each.
 * Changes nothing and, where a version is pinned, pulls nothing.
 */
export async function releaseState(plan: ReleasePlan, kube: KubeReader, ports: ReleasePorts, signal: AbortSignal): Promise<ReleaseState> {
  const records = await listRecords(kube, plan.name, plan.storageNamespace, signal);
  const state = await stateOf(plan, records, kube, ports, signal);
  const [stale] = staleRecords(records);
  if (state.state !== 'equal' || stale === undefined) return state;
  return { state: 'differs', revision: state.revision, because: `revision ${stale.revision} still says deployed` };
}

/** A run that died after it wrote the new record, and before it retired the one before. */
const staleRecords = (records: readonly StoredRecord[]): readonly StoredRecord[] =>
  records.slice(0, -1).filter(({ status }) => status === 'deployed');

async function stateOf(
  plan: ReleasePlan,
  records: readonly StoredRecord[],
  kube: KubeReader,
  ports: ReleasePorts,
  signal: AbortSignal,
): Promise<ReleaseState> {
  const last = records.at(-1);
  if (last === undefined || last.status === 'uninstalled') return { state: 'absent' };
  const { revision } = last;
  if (isPending(last.status)) return { state: 'pending', revision, status: last.status, ageMs: ageMs(last, ports.clock) };
  const differs = (because: string): ReleaseState => ({ state: 'differs', revision, because });
  if (last.status !== 'deployed') return differs(`revision ${revision} is ${last.status}`);
  const record = await decode(ports.engine, last, signal);
  const wanted = await wantedVersion(plan, ports, signal);
  const present = record.chart?.version ?? '';
  if (wanted !== undefined && !isSameVersion(present, wanted)) return differs(`chart ${present}, wanted ${wanted}`);
  const values = await resolveValues(plan, ports.engine, ports.readReference, signal);
  if (!isEqualJson((record.config ?? {}) as Json, values.reveal() as Json)) return differs('values changed');
  const missing = await firstMissing(record, plan, kube, signal);
  return missing === undefined ? { state: 'equal', revision } : differs(missing);
}

async function wantedVersion({ source }: ReleasePlan, ports: ReleasePorts, signal: AbortSignal): Promise<string | undefined> {
  if (source.kind === 'oci' && source.tag !== undefined) return source.tag;
  if (source.kind === 'index' && source.version !== undefined && /^v?\d+\.\d+\.\d+/.test(source.version)) return source.version;
  const { archive } = await pullChart(source, ports.pull, signal);
  return (await ports.engine.inspect(archive, signal)).metadata.version;
}

const isSameVersion = (a: string, b: string): boolean => a.replace(/^v/, '') === b.replace(/^v/, '').replaceAll('_', '+');

async function firstMissing(record: DecodedRecord, plan: ReleasePlan, kube: KubeReader, signal: AbortSignal): Promise<string | undefined> {
  for (const rendered of record.objects) {
    const object = toKubeObject(rendered);
    if (object === undefined) continue;
    const words = `${object.kind.toLowerCase()} ${object.metadata.name}`;
    if (!(await kube.serves(object, signal))) return `${words} is missing`;
    const live = await kube.get(refOf(await placed(object, plan.namespace, kube, signal)), signal);
    if (live === undefined) return `${words} is missing`;
    if (!isOwned(live, plan)) return `${words} belongs to nobody`;
  }
  return undefined;
}

const ageMs = ({ changedAt }: StoredRecord, clock: Clock): number => Math.max(0, clock.now() - changedAt * 1000);

/**
 * Renders for this cluster: its version, its kinds, its answers to `lookup`.
 *
 * Failure: `chart/*`; a schema's problems come as `release/values-schema`, each with the place that set the value.
 */
export async function renderRelease(
  prepared: PreparedRelease,
  kube: KubeReader,
  ports: Pick<ReleasePorts, 'engine'>,
  revision: number,
  signal: AbortSignal,
): Promise<Rendering> {
  const { plan, pulled, values } = prepared;
  const { kubeVersion, apiVersions } = await kube.capabilities(signal);
  try {
    return await ports.engine.render(
      {
        archive: pulled.archive,
        release: { name: plan.name, namespace: plan.namespace, revision, isUpgrade: revision > 1 },
        values: values.reveal(),
        capabilities: { kubeVersion: kubeVersion.gitVersion, apiVersions, onlyThese: true },
        lookup: (asked, inner) => answer(asked, kube, inner),
      },
      signal,
    );
  } catch (error) {
    if (!hasCode(error, 'chart/values-schema')) throw error;
    throw describeSchemaProblems(error.failure, plan);
  }
}

/** What `lookup` gives: an object, a list, or nothing. */
async function answer({ apiVersion, kind, namespace, name }: Lookup, kube: KubeReader, signal: AbortSignal): Promise<Json | undefined> {
  if (!(await kube.serves({ apiVersion, kind }, signal))) return undefined;
  if (name === '') {
    const { items, resourceVersion } = await kube.list({ apiVersion, kind }, namespace === '' ? {} : { namespace }, signal);
    return { apiVersion, kind: `${kind}List`, metadata: { resourceVersion }, items: items as unknown as readonly Json[] };
  }
  const { isNamespaced } = await kube.resource({ apiVersion, kind }, signal);
  if (isNamespaced && namespace === '') return undefined;
  return (await kube.get({ apiVersion, kind, name, ...(isNamespaced ? { namespace } : {}) }, signal)) as unknown as Json | undefined;
}

/**
 * Installs or upgrades, so that Flux takes the release over without a change: same field manager, same marks, same record.
 *
 * Shape: namespace, CRDs, hooks, objects, wait, hooks, and the record last; a run that dies in between leaves no record and the
 * next one begins again, which changes nothing that is there already. An equal release is left alone.
 * Failure: `release/pending` while somebody else may be at work; `chart/*`, `release/*`, `kube/*`, `wait/timeout`.
 */
export async function installRelease(
  plan: ReleasePlan,
  kube: KubeWriter,
  ports: ReleasePorts,
  options: InstallOptions,
  signal: AbortSignal,
): Promise<InstalledRelease> {
  const observe = options.observe ?? (() => {});
  const records = await listRecords(kube, plan.name, plan.storageNamespace, signal);
  const state = await stateOf(plan, records, kube, ports, signal);
  if (state.state === 'equal') {
    await retire(staleRecords(records), state.revision, kube, ports, signal);
    return { state: 'equal', revision: state.revision, objects: 0 };
  }
  if (state.state === 'pending' && state.ageMs < plan.timeoutMs) {
    const { revision, status } = state;
    throw new TkError(
      releaseFailure('release/pending', { release: plan.name, revision, status, ageMs: state.ageMs, staleAfterMs: plan.timeoutMs }),
    );
  }
  observe(`fetching ${plan.chart} ${plan.version}`);
  const prepared = await prepareRelease(plan, ports, signal);
  const deployed = records.filter(({ status }) => status === 'deployed').at(-1);
  const revision = (records.at(-1)?.revision ?? 0) + 1;
  const isUpgrade = deployed !== undefined;
  const work = new ReleaseWork(prepared, kube, ports, { ...options, observe }, signal);
  await work.namespaces();
  await work.bundledCrds();
  const rendering = await renderRelease(prepared, kube, ports, revision, signal);
  await work.hooks(rendering, isUpgrade ? 'pre-upgrade' : 'pre-install');
  const objects = await work.apply(rendering.objects);
  if (isUpgrade) await work.removeDropped(await decode(ports.engine, deployed, signal), objects);
  await work.wait(objects);
  const hooks = await work.hooks(rendering, isUpgrade ? 'post-upgrade' : 'post-install');
  const first = deployed === undefined ? undefined : (await decode(ports.engine, deployed, signal)).info.first_deployed;
  const now = timestamp(ports.clock.now());
  const data = await ports.engine.encodeRecord(
    {
      name: plan.name,
      namespace: plan.namespace,
      version: revision,
      info: {
        first_deployed: first ?? now,
        last_deployed: now,
        description: isUpgrade ? 'Upgrade complete' : 'Install complete',
        status: 'deployed',
        ...(rendering.notes === '' ? {} : { notes: rendering.notes }),
      },
      config: prepared.values.reveal(),
      manifest: rendering.manifest,
      hooks: hooks.map(({ objects: _, ...hook }) => hook),
    },
    prepared.pulled.archive,
    signal,
  );
  observe('writing the release record');
  await writeRecord(
    kube,
    { name: plan.name, namespace: plan.storageNamespace, revision, status: 'deployed', data, nowMs: ports.clock.now() },
    signal,
  );
  await retire(records, revision, kube, ports, signal);
  return { state: isUpgrade ? 'upgraded' : 'installed', revision, objects: objects.length };
}

async function retire(
  records: readonly StoredRecord[],
  by: number,
  kube: KubeWriter,
  { engine, clock }: ReleasePorts,
  signal: AbortSignal,
): Promise<void> {
  for (const record of records) {
    if (record.status === 'deployed')
      await restatus(kube, engine, record, 'superseded', `superseded by revision ${by}`, clock.now(), signal);
    if (isPending(record.status)) await restatus(kube, engine, record, 'failed', 'given up: its owner is gone', clock.now(), signal);
  }
}

/** The steps of one install or upgrade. */
class ReleaseWork {
  readonly #prepared: PreparedRelease;
  readonly #kube: KubeWriter;
  readonly #ports: ReleasePorts;
  readonly #options: InstallOptions & { readonly observe: (seen: string) => void };
  readonly #signal: AbortSignal;

  constructor(
    prepared: PreparedRelease,
    kube: KubeWriter,
    ports: ReleasePorts,
    options: InstallOptions & { readonly observe: (seen: string) => void },
    signal: AbortSignal,
  ) {
    this.#prepared = prepared;
    this.#kube = kube;
    this.#ports = ports;
    this.#options = options;
    this.#signal = signal;
  }

  get #plan(): ReleasePlan {
    return this.#prepared.plan;
  }

  async namespaces(): Promise<void> {
    for (const name of new Set([this.#plan.namespace, this.#plan.storageNamespace])) {
      const ref = { apiVersion: 'v1', kind: 'Namespace', name };
      if ((await this.#kube.get(ref, this.#signal)) !== undefined) continue;
      await this.#kube.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } }, { fieldManager: 'tk' }, this.#signal);
    }
  }

  /** The chart's `crds/` folder, which Helm never upgrades and Flux does where its policy says so. */
  async bundledCrds(): Promise<void> {
    if (this.#plan.crds === 'skip') return;
    const { crds } = await this.#ports.engine.inspect(this.#prepared.pulled.archive, this.#signal);
    await applyCrds(crdsFrom(crds), this.#plan, this.#kube, this.#ports, this.#options, this.#signal);
  }

  async hooks(rendering: Rendering, event: HookEvent): Promise<Rendering['hooks']> {
    if (this.#plan.areHooksDisabled) return rendering.hooks;
    return runHooks(
      rendering.hooks,
      event,
      this.#plan,
      { kube: this.#kube, clock: this.#ports.clock, observe: this.#options.observe },
      this.#signal,
    );
  }

  async apply(rendered: readonly RenderedObject[]): Promise<readonly KubeObject[]> {
    const objects = rendered.map(toKubeObject).filter((object) => object !== undefined);
    const definitions = objects.filter(isCrd);
    const others = objects.filter((object) => !isCrd(object));
    const applied: KubeObject[] = [];
    for (const object of definitions) applied.push(await this.#applyOne(object, objects.length, applied.length));
    if (definitions.length > 0) await waitForCrds(definitions, this.#plan, this.#kube, this.#ports, this.#options, this.#signal);
    for (const object of others) applied.push(await this.#applyOne(object, objects.length, applied.length));
    return applied;
  }

  async #applyOne(object: KubeObject, count: number, done: number): Promise<KubeObject> {
    throwIfAborted(this.#signal, `release ${this.#plan.name}`);
    this.#options.observe(`applying ${done + 1} of ${count}: ${object.kind.toLowerCase()} ${object.metadata.name}`);
    const ready = owned(await placed(object, this.#plan.namespace, this.#kube, this.#signal), this.#plan);
    return this.#kube.apply(ready, { fieldManager, force: true }, this.#signal);
  }

  /** What the last revision had and this one has not. */
  async removeDropped(last: DecodedRecord, present: readonly KubeObject[]): Promise<void> {
    const keys = new Set(present.map(keyOf));
    for (const rendered of last.objects.toReversed()) {
      const object = toKubeObject(rendered);
      if (object === undefined || isKept(object) || !(await this.#kube.serves(object, this.#signal))) continue;
      const old = await placed(object, this.#plan.namespace, this.#kube, this.#signal);
      if (keys.has(keyOf(old))) continue;
      const live = await this.#kube.get(refOf(old), this.#signal);
      if (live === undefined || isKept(live) || !isOwned(live, this.#plan)) continue;
      this.#options.observe(`removing ${old.kind.toLowerCase()} ${old.metadata.name}`);
      await this.#kube.delete(refOf(old), {}, this.#signal);
    }
  }

  async wait(objects: readonly KubeObject[]): Promise<void> {
    const workloads = objects.filter(hasReadiness).map(refOf);
    if (this.#options.shouldWait === false || workloads.length === 0) return;
    const condition = workloadsReady(this.#kube, workloads, { deadlineMs: this.#plan.timeoutMs });
    await waitFor(condition, this.#ports.clock, this.#signal, ({ waitingFor, seen }) =>
      this.#options.observe(`waiting for ${waitingFor}: ${seen}`),
    );
  }
}

export const crdsFrom = (rendered: readonly RenderedObject[]): readonly KubeObject[] =>
  rendered.map(toKubeObject).filter((object) => object !== undefined && isCrd(object)) as readonly KubeObject[];

/** Applies definitions, those that exist only where the plan says "create-replace", and waits until every API server serves them. */
export async function applyCrds(
  definitions: readonly KubeObject[],
  plan: ReleasePlan,
  kube: KubeWriter,
  ports: Pick<ReleasePorts, 'clock'>,
  options: InstallOptions,
  signal: AbortSignal,
): Promise<void> {
  if (definitions.length === 0) return;
  for (const definition of definitions) {
    if (plan.crds === 'create' && (await kube.get(refOf(definition), signal)) !== undefined) continue;
    options.observe?.(`applying customresourcedefinition ${definition.metadata.name}`);
    await kube.apply(withOrigin(definition, plan), { fieldManager, force: true }, signal);
  }
  await waitForCrds(definitions, plan, kube, ports, options, signal);
}

async function waitForCrds(
  definitions: readonly KubeObject[],
  plan: ReleasePlan,
  kube: KubeReader,
  { clock }: Pick<ReleasePorts, 'clock'>,
  { servers, observe }: InstallOptions,
  signal: AbortSignal,
): Promise<void> {
  const names = definitions.map(({ metadata }) => metadata.name);
  const condition = crdsServed(servers ?? [{ node: kube.server, kube }], names, { deadlineMs: plan.timeoutMs });
  await waitFor(condition, clock, signal, ({ waitingFor, seen }) => observe?.(`waiting for ${waitingFor}: ${seen}`));
}

/**
 * Every definition that a release brings: its chart's `crds/` folder and those among its templates, rendered with the built-in
 * capabilities when there is no cluster to ask.
 */
export async function crdsOfRelease(
  plan: ReleasePlan,
  ports: ReleasePorts,
  kube: KubeReader | undefined,
  signal: AbortSignal,
): Promise<readonly KubeObject[]> {
  const prepared = await prepareRelease(plan, ports, signal);
  const { archive } = prepared.pulled;
  const release = { name: plan.name, namespace: plan.namespace };
  const rendering =
    kube === undefined
      ? await ports.engine.render({ archive, release, values: prepared.values.reveal() }, signal)
      : await renderRelease(prepared, kube, ports, 1, signal);
  return [...(plan.crds === 'skip' ? [] : crdsFrom(rendering.crds)), ...crdsFrom(rendering.objects)];
}
