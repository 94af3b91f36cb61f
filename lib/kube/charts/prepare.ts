import { type Clock, type Json, type Secret, TkError } from '../../base/index.ts';
import type { HelmEngine, JsonObject, Lookup, RenderedObject, Rendering, RenderRequest } from '../../wasm/index.ts';
import type { KubeReader } from '../client.ts';
import type { KubeObject } from '../object.ts';
import { kindsOf } from '../waits.ts';
import { namingChart } from './chart-failure.ts';
import { isCrd, toKubeObject } from './objects.ts';
import { releaseFailure } from './failures.ts';
import { fetchSchema, type Pulled, type PullPorts } from './pull.ts';
import { pullRelease } from './source-access.ts';
import type { ReleasePlan } from './release-plan.ts';
import { PatchError } from './kustomize-patches.ts';
import { type PostRenderer, postRender } from './post-render.ts';
import { type ReferenceReader, resolveRelease } from './values.ts';

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
  /** May hold secrets that variables brought. */
  readonly postRenderers: Secret<readonly PostRenderer[]>;
}

/** Fetches and puts together; touches no cluster. Failure: `chart/*`, `release/*`. */
export async function prepareRelease(
  plan: ReleasePlan,
  { engine, pull, readReference }: ReleasePorts,
  signal: AbortSignal,
): Promise<PreparedRelease> {
  const pulled = await pullRelease(plan, { pull, readReference }, signal);
  return { plan, pulled, ...(await resolveRelease(plan, engine, readReference, signal)) };
}

/**
 * Renders for this cluster: its version, its kinds, its answers to `lookup`.
 *
 * Failure: `chart/*`; a schema's problems come as `release/values-schema`, each with the place that set the value.
 */
export async function renderRelease(
  prepared: PreparedRelease,
  kube: KubeReader,
  ports: Pick<ReleasePorts, 'engine' | 'pull'>,
  { revision, isUpgrade, includeCrds = false }: { readonly revision: number; readonly isUpgrade: boolean; readonly includeCrds?: boolean },
  signal: AbortSignal,
): Promise<Rendering> {
  const { plan, pulled, values } = prepared;
  const { kubeVersion, apiVersions } = await kube.capabilities(signal);
  return namingChart(plan, async () => {
    // Helm installs the crds/ folder before it looks at what the cluster serves. Nothing is installed here yet, so they are added.
    const { crds } = await ports.engine.inspect(pulled.archive, signal);
    const own = plan.crds === 'skip' ? [] : crdsFrom(crds).flatMap(kindsOf);
    const added = own.flatMap(({ apiVersion, kind }) => [apiVersion, `${apiVersion}/${kind}`]);
    const rendering = await ports.engine.render(
      {
        ...chartPartOf(prepared, ports.pull),
        release: { name: plan.name, namespace: plan.namespace, revision, isUpgrade },
        values: values.reveal(),
        capabilities: { kubeVersion: kubeVersion.gitVersion, apiVersions: [...new Set([...apiVersions, ...added])], onlyThese: true },
        includeCrds,
        lookup: (asked, inner) => answer(asked, kube, inner),
      },
      signal,
    );
    return afterwards(prepared, rendering, ports.engine, signal);
  });
}

const chartPartOf = (
  { plan, pulled }: PreparedRelease,
  pull: PullPorts,
): Pick<RenderRequest, 'archive' | 'valuesFiles' | 'skipSchema' | 'fetchSchema'> => ({
  archive: pulled.archive,
  ...valuesFilesOf(plan),
  ...(plan.isSchemaSkipped === true ? { skipSchema: true } : {}),
  fetchSchema: (url, signal) => fetchSchema(url, pull, signal),
});

/** Which of the chart's files are its default values, as the engine is told. */
export const valuesFilesOf = ({ valuesFiles }: ReleasePlan): Pick<RenderRequest, 'valuesFiles'> =>
  valuesFiles === undefined ? {} : { valuesFiles: { paths: valuesFiles.paths, ignoreMissing: valuesFiles.isMissingIgnored } };

/** Failure: `release/patch`. */
async function afterwards(
  { plan, postRenderers }: PreparedRelease,
  rendering: Rendering,
  engine: HelmEngine,
  signal: AbortSignal,
): Promise<Rendering> {
  try {
    const areHooksSpared = plan.areHooksPostRendered === false;
    return await postRender(rendering, postRenderers.reveal(), { engine, namespace: plan.namespace, areHooksSpared, signal });
  } catch (error) {
    if (!(error instanceof PatchError)) throw error;
    throw new TkError(releaseFailure('release/patch', { release: plan.name, reason: error.message }, { where: plan.place }));
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

export interface OfflineOptions {
  /** Default: what the engine was built for. */
  readonly kubeVersion?: string;
  /** In addition to the built-in ones: `group/version` and `group/version/Kind`. */
  readonly apiVersions?: readonly string[];
  /** Puts the chart's `crds/` folder in front. Default: false. */
  readonly includeCrds?: boolean;
}

/** Renders without a cluster, as `helm template` does: look-ups find nothing. Failure: as `renderRelease`. */
export async function renderReleaseOffline(
  prepared: PreparedRelease,
  { engine, pull }: Pick<ReleasePorts, 'engine' | 'pull'>,
  { includeCrds = false, ...capabilities }: OfflineOptions,
  signal: AbortSignal,
): Promise<Rendering> {
  const { plan, values } = prepared;
  const release = { name: plan.name, namespace: plan.namespace };
  return namingChart(plan, async () => {
    const rendering = await engine.render(
      { ...chartPartOf(prepared, pull), release, values: values.reveal(), capabilities, includeCrds },
      signal,
    );
    return afterwards(prepared, rendering, engine, signal);
  });
}

/** What `helm template` prints of a rendering: the manifest, then every hook. */
export const manifestText = ({ manifest, hooks }: Rendering): string =>
  `${manifest.trim()}\n${hooks.map(({ path, manifest: text }) => `---\n# Source: ${path}\n${text}\n`).join('')}`;

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
  const prepared = await prepareRelease(plan.role === 'crds' ? withWhatIsThere(plan) : plan, ports, signal);
  const rendering =
    kube === undefined
      ? await renderReleaseOffline(prepared, ports, {}, signal)
      : await renderRelease(prepared, kube, ports, { revision: 1, isUpgrade: false }, signal);
  return [...(plan.crds === 'skip' ? [] : crdsFrom(rendering.crds)), ...crdsFrom(rendering.objects)];
}

/** Secrets of an application are often made by another one, long after its definitions are wanted, which hardly ever depend on them. */
const withWhatIsThere = (plan: ReleasePlan): ReleasePlan => ({
  ...plan,
  values: plan.values.map((layer) => {
    if (layer.kind === 'reference') return { ...layer, isOptional: true };
    if (layer.kind !== 'helm-release' || layer.substitution === undefined) return layer;
    const from = layer.substitution.from.map((reference) => ({ ...reference, isOptional: true }));
    return { ...layer, substitution: { ...layer.substitution, from } };
  }),
});

export const crdsFrom = (rendered: readonly RenderedObject[]): readonly KubeObject[] =>
  rendered.map(toKubeObject).filter((object) => object !== undefined && isCrd(object)) as readonly KubeObject[];
