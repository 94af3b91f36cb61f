import { throwIfAborted, TkError, waitFor } from '../../base/index.ts';
import type { DecodedRecord, RenderedObject, Rendering } from '../../wasm/index.ts';
import type { KubeWriter } from '../client.ts';
import { type KubeObject, refOf } from '../object.ts';
import { workloadsReady } from '../workloads.ts';
import { applyCrds, type InstallOptions, waitForCrds } from './apply-crds.ts';
import { releaseFailure } from './failures.ts';
import { type HookEvent, runHooks } from './hooks.ts';
import { hasReadiness, isCrd, isKept, isOwned, keyOf, owned, placed, toKubeObject } from './objects.ts';
import { crdsFrom, type PreparedRelease, prepareRelease, type ReleasePorts, renderRelease, valuesFilesOf } from './prepare.ts';
import { decode, fieldManager, isPending, listRecords, restatus, type StoredRecord, timestamp, writeRecord } from './record.ts';
import { nameOfPostRenderers } from './post-render.ts';
import type { ReleasePlan } from './release-plan.ts';
import { staleRecords, stateOf } from './release-state.ts';

export interface InstalledRelease {
  readonly state: 'installed' | 'upgraded' | 'equal';
  readonly revision: number;
  readonly objects: number;
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
  const deployed = records.filter(({ status }) => status === 'deployed').at(-1);
  const isUpgrade = deployed !== undefined;
  const action: ReleasePlan = isUpgrade ? { ...plan, ...plan.upgrade } : plan;
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
  const prepared = await prepareRelease(action, ports, signal);
  const revision = (records.at(-1)?.revision ?? 0) + 1;
  const work = new ReleaseWork(prepared, kube, ports, { ...options, observe }, signal);
  // Everything that can be wrong with the chart or its values comes to light here, before anything is changed.
  const rendering = await renderRelease(prepared, kube, ports, { revision, isUpgrade }, signal);
  await work.namespaces();
  await work.bundledCrds(rendering);
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
      hooks,
      ...valuesFilesOf(plan),
    },
    prepared.pulled.archive,
    signal,
  );
  observe('writing the release record');
  await writeRecord(
    kube,
    {
      name: plan.name,
      namespace: plan.storageNamespace,
      revision,
      status: 'deployed',
      data,
      nowMs: ports.clock.now(),
      postRendered: nameOfPostRenderers(prepared.postRenderers.reveal()),
    },
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
  async bundledCrds({ crds }: Rendering): Promise<void> {
    if (this.#plan.crds === 'skip') return;
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
    if (this.#options.shouldWait === false || this.#plan.shouldWait === false || workloads.length === 0) return;
    const condition = workloadsReady(this.#kube, workloads, { deadlineMs: this.#plan.timeoutMs });
    await waitFor(condition, this.#ports.clock, this.#signal, ({ waitingFor, seen }) =>
      this.#options.observe(`waiting for ${waitingFor}: ${seen}`),
    );
  }
}
