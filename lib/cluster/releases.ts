import { posix } from 'node:path';
import { type Clock, type Dial, type Env, type Exec, type Files, throwIfAny, TkError, type World } from '../base/index.ts';
import type { ClusterModel } from '../config/index.ts';
import { parseYaml } from '../format/index.ts';
import {
  applyCrds,
  crdsOfRelease,
  type FoundReleases,
  findReleases,
  findRendered,
  installRelease,
  kindsOf,
  type KubeObject,
  loadRegistryCredentials,
  type ReferenceReader,
  type ReleasePlan,
  type ReleasePorts,
  releaseState,
} from '../kube/index.ts';
import { createHelmEngine, type HelmEngine } from '../wasm/index.ts';
import type { Crd, Releases, ReleaseView } from './cluster.ts';
import { plainData } from './bootstrap-secrets.ts';
import { clusterFailure } from './failures.ts';
import type { KubeAccess } from './kube-access.ts';
import type { Settings } from './settings.ts';
import type { Vault } from './vault.ts';

export interface ReleaseParts {
  readonly model: ClusterModel;
  readonly settings: Settings;
  readonly files: Files;
  readonly dial: Dial;
  readonly clock: Clock;
  readonly env: Env;
  /** For the programs that Docker keeps logins in. */
  readonly exec: Exec;
  readonly engine: HelmEngine;
  readonly access: KubeAccess;
  /** Where pulled charts are kept. */
  readonly cache: string;
  readonly vault: Vault;
  /** Charts come from a registry that makes them up. */
  readonly isSandbox: boolean;
}

export function helmEngineOf(world: World, moduleBytes: () => Promise<Uint8Array>, memo?: Map<string, Promise<string>>): HelmEngine {
  return createHelmEngine({ compute: world.compute, random: world.random, clock: world.clock, moduleBytes, ...(memo ? { memo } : {}) });
}

export interface ReleasesOfTree extends Releases {
  /** The tree has been written anew: what was read of it before counts no more. */
  readAgain(): void;
}

/** The tree is read once: a run decides on one state of the repository. */
export function createReleases(parts: ReleaseParts): ReleasesOfTree {
  const { access } = parts;
  let found: Promise<FoundReleases | undefined> | undefined;
  const tree = (signal: AbortSignal = new AbortController().signal) =>
    (found ??= readTree(parts, signal).then((read) => read && withRendered(read, parts, parts.settings.bootstrap?.rendered)));
  let ports: Promise<ReleasePorts> | undefined;
  const portsOf = (releases: FoundReleases) =>
    (ports ??= makePorts(parts, releases).then((made) => ({ ...made, readReference: orFromCluster(made.readReference, access) })));

  const bootstrapPlans = async (): Promise<readonly ReleasePlan[]> => {
    const releases = await tree();
    if (releases === undefined) return [];
    const wanted = parts.settings.bootstrap?.releases;
    const isWanted = (name: string, isBootstrap: boolean) => (wanted === undefined ? isBootstrap : wanted.includes(name));
    const broken = releases.broken.filter(({ name, isBootstrap }) => isWanted(name, isBootstrap));
    throwIfAny([...releases.failures, ...broken.flatMap(({ failures }) => failures)]);
    const plans = releases.releases.filter((plan) => plan.role === 'release' && isWanted(plan.name, plan.isBootstrap));
    const missing = (wanted ?? []).filter((name) => !plans.some((plan) => plan.name === name));
    throwIfAny(
      missing.map((release) => clusterFailure('cluster/unknown-release', { release, known: releases.releases.map((plan) => plan.name) })),
    );
    return plans;
  };
  const planOf = async (name: string): Promise<{ readonly plan: ReleasePlan; readonly ports: ReleasePorts }> => {
    const releases = await tree();
    const plan = releases?.releases.find((candidate) => candidate.name === name);
    if (!releases || !plan)
      throw new TkError(
        clusterFailure('cluster/unknown-release', { release: name, known: releases?.releases.map((known) => known.name) ?? [] }),
      );
    return { plan, ports: await portsOf(releases) };
  };
  const definitions = new Map<string, { readonly object: KubeObject; readonly plan: ReleasePlan }>();

  return {
    readAgain() {
      found = undefined;
      ports = undefined;
      definitions.clear();
    },
    forBootstrap: async () => (await bootstrapPlans()).map(viewOf),
    async state(release, signal) {
      const { plan, ports: release0 } = await planOf(release.name);
      const state = await releaseState(plan, await access.reader(), release0, signal);
      switch (state.state) {
        case 'equal':
          return { state: 'equal', revision: state.revision };
        case 'absent':
          return { state: 'absent' };
        case 'pending':
          return { state: 'differs', because: `revision ${state.revision} is ${state.status}` };
        case 'differs':
          return { state: 'differs', because: state.because };
      }
    },
    async crds(signal) {
      const releases = await tree();
      if (releases === undefined) return [];
      const plans = [...releases.releases.filter((plan) => plan.role === 'crds'), ...(await bootstrapPlans())];
      const made = await portsOf(releases);
      const kube = await access.reader();
      const crds: Crd[] = [];
      for (const plan of plans) {
        for (const object of await crdsOfRelease(plan, made, kube, signal)) {
          const { name } = object.metadata;
          if (definitions.has(name) && crds.some((crd) => crd.name === name)) continue;
          definitions.set(name, { object, plan });
          crds.push({ name, release: plan.name, isServed: (inner) => isServedEverywhere(object, access, inner) });
        }
      }
      return crds;
    },
    async applyCrds(crds, signal) {
      const kube = await access.writer();
      const servers = await access.eachApiServer();
      const releases = (await tree()) as FoundReleases;
      const made = await portsOf(releases);
      for (const [plan, names] of Map.groupBy(crds, (crd) => definitions.get(crd.name)?.plan)) {
        if (plan === undefined) continue;
        const objects = names.flatMap((crd) => definitions.get(crd.name)?.object ?? []);
        await applyCrds(objects, plan, kube, made, { servers }, signal);
      }
    },
    async install(release, observe, signal) {
      const { plan, ports: made } = await planOf(release.name);
      return installRelease(plan, await access.writer(), made, { observe, servers: await access.eachApiServer() }, signal);
    },
  };
}

export type ReleaseTreeParts = Pick<
  ReleaseParts,
  'model' | 'files' | 'dial' | 'clock' | 'env' | 'exec' | 'engine' | 'cache' | 'vault' | 'isSandbox'
>;

/** The releases that a repository declares, with what brings and renders their charts. */
export interface ReleaseTree {
  readonly releases: FoundReleases['releases'];
  readonly ports: ReleasePorts;
}

/** Releases whose manifests lie in this folder, which the settings name, take those in place of their charts. */
async function withRendered(
  found: FoundReleases,
  { model, files }: Pick<ReleaseParts, 'model' | 'files'>,
  folder: string | undefined,
): Promise<FoundReleases> {
  if (folder === undefined) return found;
  const releases: ReleasePlan[] = [];
  for (const plan of found.releases) {
    const place = { root: model.paths.root, path: posix.relative(model.paths.root, posix.resolve(model.paths.root, folder)) };
    const at = plan.role === 'release' ? await findRendered(place, plan, files) : undefined;
    releases.push(at === undefined ? plan : { ...plan, source: { kind: 'rendered', ...at, chart: plan.chart }, version: 'rendered' });
  }
  return { ...found, releases };
}

/**
 * For what needs no cluster. Undefined: there is no tree. With `rendered`, manifests in that folder take the place of charts.
 *
 * Failure: what is wrong with the tree as a whole, and with the releases that `isWanted` takes, at once.
 */
export async function readReleaseTree(
  parts: ReleaseTreeParts,
  isWanted: (release: { readonly name: string; readonly namespace: string }) => boolean,
  signal: AbortSignal,
  rendered?: string,
): Promise<ReleaseTree | undefined> {
  const read = await readTree(parts, signal);
  if (read === undefined) return undefined;
  const found = await withRendered(read, parts, rendered);
  throwIfAny([...found.failures, ...found.broken.filter(isWanted).flatMap(({ failures }) => failures)]);
  return { releases: found.releases, ports: await makePorts(parts, found) };
}

async function readTree({ model, files, engine, env, vault }: ReleaseTreeParts, signal: AbortSignal): Promise<FoundReleases | undefined> {
  const { kubernetes, root } = model.paths;
  return kubernetes === undefined
    ? undefined
    : findReleases({ files, engine, env, decrypt: (file) => vault.decrypt(file) }, root, kubernetes.slice(root.length + 1), signal);
}

async function makePorts(parts: ReleaseTreeParts, releases: FoundReleases): Promise<ReleasePorts> {
  const { engine, clock, files, dial, env, exec, cache, isSandbox } = parts;
  const credentials = await loadRegistryCredentials({ files, env, exec });
  return {
    engine,
    clock,
    pull: { files, dial, clock, credentials, cache, areChartsMadeUp: isSandbox },
    readReference: decrypting(releases, parts),
  };
}

const viewOf = (plan: ReleasePlan): ReleaseView => ({
  name: plan.name,
  namespace: plan.namespace,
  chart: plan.chart,
  version: plan.version,
  needs: plan.needs,
});

async function isServedEverywhere(definition: KubeObject, access: KubeAccess, signal: AbortSignal): Promise<boolean> {
  for (const { kube } of await access.eachApiServer()) {
    for (const kind of kindsOf(definition)) if (!(await kube.serves(kind, signal))) return false;
  }
  return true;
}

/** What the tree has not, somebody may have made in the cluster since: Flux takes values from there, and so does what is held against it. */
function orFromCluster(read: ReferenceReader, access: KubeAccess): ReferenceReader {
  return async (reference, signal) => {
    const known = await read(reference, signal);
    if (known !== undefined) return known;
    try {
      const found = await (await access.reader()).get({ apiVersion: 'v1', ...reference }, signal);
      return found && (reference.kind === 'Secret' ? plainData(found) : (fieldsOfConfigMap(found) ?? {}));
    } catch (error) {
      // Without a cluster that answers there is nothing more to be had.
      if (error instanceof TkError) return undefined;
      throw error;
    }
  };
}

const fieldsOfConfigMap = (object: KubeObject) => object['data'] as Readonly<Record<string, string>> | undefined;

/** Values that a release takes from a Secret of the tree: encrypted ones are opened, plain ones are read as they stand. */
function decrypting(found: FoundReleases, { vault, files, model }: ReleaseTreeParts): ReferenceReader {
  return async (reference, signal) => {
    const object = found.tree.find(reference.kind, reference.name, reference.namespace);
    if (object === undefined || !object.isEncrypted) return found.readReference(reference, signal);
    const text = (await files.readText(posix.join(model.paths.root, object.path))) ?? '';
    const plain = await vault.decrypt({ path: object.path, text });
    const { documents } = parseYaml({ path: object.path, text: plain.reveal() }, { version: 'kubernetes', confidential: true });
    const value = documents
      .map((document) => document.value as KubeObject | null)
      .find((candidate) => candidate?.kind === reference.kind && candidate.metadata.name === reference.name);
    return value ? plainData(value) : undefined;
  };
}
