import { posix } from 'node:path';
import { type Env, type Failure, type Files, type Secret, type SourceFile, TkError } from '../../base/index.ts';
import type { HelmEngine } from '../../wasm/index.ts';
import { releaseFailure } from './failures.ts';
import { type FluxTree, loadFluxTree } from './flux-tree.ts';
import { type FoundRelease, readHelmRelease } from './helm-release.ts';
import { findHelmfiles, type HelmfileRelease, readHelmfile } from './helmfile.ts';
import type { ReleasePlan, ValuesLayer } from './release-plan.ts';
import { type ReferenceReader, readerOfTree } from './values.ts';

export interface FindPorts {
  readonly files: Files;
  /** For helmfiles with templates; not loaded otherwise. */
  readonly engine: HelmEngine;
  readonly env: Env;
  /** The plain text of a SOPS file. Without it helmfile's `secrets` are refused. */
  readonly decrypt?: (file: SourceFile) => Promise<Secret<string>>;
}

/** A HelmRelease that cannot be read as one. */
export interface BrokenRelease {
  readonly name: string;
  readonly namespace: string;
  /** Whether bootstrap would install it. */
  readonly isBootstrap: boolean;
  readonly failures: readonly Failure[];
}

export interface FoundReleases {
  /** In the order of their needs, bootstrap's first. */
  readonly releases: readonly ReleasePlan[];
  /** What is wrong with single releases; the others can be used all the same. */
  readonly broken: readonly BrokenRelease[];
  /** What is wrong with the tree or a helmfile as a whole. */
  readonly failures: readonly Failure[];
  /** What else the tree holds: sources, Kustomizations. */
  readonly tree: FluxTree;
  /** ConfigMaps and Secrets that stand in the tree in the open; whoever holds keys puts the encrypted ones in front. */
  readonly readReference: ReferenceReader;
}

/**
 * What has to run before Flux can, where no helmfile says it: a network before anything that needs one, names before what
 * asks for names, a mirror of images before many images are pulled, certificates before webhooks, Flux last.
 */
const bootstrapOrder = ['cilium', 'coredns', 'spegel', 'cert-manager', 'flux-operator', 'flux-instance'];

/**
 * Every release that the repository declares.
 *
 * Shape: HelmReleases that Flux applies; those that a bootstrap helmfile names are bootstrap's, with its needs, and keep their own
 * chart, version and values, so that bootstrap installs what Flux will. Releases that only the helmfile has come as it has them.
 * Failure: none is thrown; `failures` and `broken` hold every problem with its place.
 */
export async function findReleases(ports: FindPorts, repository: string, folder: string, signal: AbortSignal): Promise<FoundReleases> {
  const { files } = ports;
  const tree = await loadFluxTree(files, repository, folder);
  const isRelease = ({ kind }: { readonly kind: string }) => kind === 'HelmRelease';
  const failures: Failure[] = tree.unreadable.filter((file) => !isRelease(file)).flatMap((file) => file.failures);
  const found: FoundRelease[] = [];
  const broken: BrokenRelease[] = tree.unreadable.filter(isRelease).map(({ name, path, failures: problems }) => ({
    name,
    namespace: /(?:^|\/)apps\/([^/]+)\//.exec(path)?.[1] ?? 'default',
    isBootstrap: false,
    failures: problems,
  }));
  for (const object of tree.objects) {
    if (object.kind !== 'HelmRelease' || !object.apiVersion.startsWith('helm.toolkit.fluxcd.io/')) continue;
    const release = readHelmRelease(object, tree, repository);
    if ('plan' in release) found.push(release);
    else if (object.isApplied)
      broken.push({ name: object.name, namespace: object.namespace ?? 'default', isBootstrap: false, failures: release });
  }
  const declared: HelmfileRelease[] = [];
  for (const path of await findHelmfiles(files, repository, folder)) {
    const helmfile = await readHelmfile(path, { ...ports, repository, signal });
    declared.push(...helmfile.releases);
    failures.push(...helmfile.failures);
  }
  const wanted =
    declared.length > 0 ? await byHelmfile(found, declared, failures) : byNames(found.filter(({ object }) => object.isApplied));
  const names = declared.length > 0 ? declared.filter(({ role }) => role === 'release').map(({ name }) => name) : bootstrapOrder;
  return {
    releases: inOrder(wanted, failures),
    broken: broken.map((release) => ({ ...release, isBootstrap: names.includes(release.name) })),
    failures,
    tree,
    readReference: readerOfTree(tree, (path) => files.readText(posix.join(repository, path))),
  };
}

function byNames(found: readonly FoundRelease[]): readonly ReleasePlan[] {
  const present = bootstrapOrder.filter((name) => found.some(({ plan }) => plan.name === name));
  return found.map(({ plan, dependsOn }) => {
    const position = present.indexOf(plan.name);
    const before = position > 0 ? present[position - 1] : undefined;
    const needs = [...namesOf(dependsOn, found), ...(before === undefined ? [] : [before])];
    return { ...plan, needs: [...new Set(needs)], isBootstrap: position !== -1 };
  });
}

async function byHelmfile(
  found: readonly FoundRelease[],
  declared: readonly HelmfileRelease[],
  failures: Failure[],
): Promise<readonly ReleasePlan[]> {
  const applied = found.filter(({ object }) => object.isApplied);
  // One that nobody applies is still the best description of what bootstrap is to install.
  const candidates = [...applied, ...found.filter(({ object }) => !object.isApplied)];
  const matching = (release: HelmfileRelease) =>
    candidates.find(
      ({ plan, object }) => (plan.name === release.name || object.name === release.name) && plan.namespace === release.namespace,
    ) ?? candidates.find(({ plan }) => plan.name === release.name);
  const main = declared.filter(({ role }) => role === 'release');
  const known = main.map(({ name }) => name);
  const plans: ReleasePlan[] = [];
  for (const release of declared) {
    // Some repositories keep an old helmfile beside the one that they use.
    if (plans.some(({ name, role }) => name === release.name && role === release.role)) continue;
    try {
      const plan = matching(release)?.plan ?? (await release.plan());
      const needs = release.needs.flatMap((text) => {
        const name = text.slice(text.lastIndexOf('/') + 1);
        if (known.includes(name)) return [name];
        if (declared.some((other) => other.name === name)) return [];
        failures.push(releaseFailure('release/needs-unknown', { release: release.name, needs: text, known }, { where: release.place }));
        return [];
      });
      plans.push({
        ...plan,
        ...(plan.source.access === undefined ? {} : { source: { ...plan.source, access: { ...plan.source.access, isOptional: true } } }),
        values: plan.values.map(laterFromFlux),
        needs,
        role: release.role,
        isBootstrap: release.role === 'release',
        hooks: release.hooks,
      });
    } catch (error) {
      if (!(error instanceof TkError)) throw error;
      failures.push(...error.failures);
    }
  }
  const isPlanned = ({ plan }: FoundRelease) =>
    plans.some(({ name, namespace, role }) => role === 'release' && name === plan.name && namespace === plan.namespace);
  const rest = applied.filter((release) => !isPlanned(release));
  return [...plans, ...rest.map(({ plan, dependsOn }) => ({ ...plan, needs: namesOf(dependsOn, applied) }))];
}

/**
 * helmfile installs before the ConfigMaps and Secrets are there that operators make, and Flux adds what they hold. So does bootstrap: what
 * the repository itself does not have is left to Flux, values and logins alike.
 */
const laterFromFlux = (layer: ValuesLayer): ValuesLayer => (layer.kind === 'reference' ? { ...layer, isOptional: true } : layer);

const namesOf = (dependsOn: readonly string[], found: readonly FoundRelease[]): readonly string[] =>
  dependsOn.flatMap((wanted) =>
    found.filter(({ object }) => `${object.namespace ?? 'default'}/${object.name}` === wanted).map(({ plan }) => plan.name),
  );

/** Stable: bootstrap's first, then by needs, then as declared. A cycle is reported and then ignored. */
function inOrder(plans: readonly ReleasePlan[], failures: Failure[]): readonly ReleasePlan[] {
  const order = (plan: ReleasePlan) =>
    plan.isBootstrap ? (bootstrapOrder.includes(plan.name) ? bootstrapOrder.indexOf(plan.name) : bootstrapOrder.length) : 1000;
  const waiting = [...plans].sort((a, b) => order(a) - order(b));
  const placed: ReleasePlan[] = [];
  while (waiting.length > 0) {
    const isThere = (name: string) =>
      placed.some((plan) => plan.name === name) || !waiting.some((plan) => plan.name === name && plan.role === 'release');
    const next = waiting.findIndex((plan) => plan.needs.every(isThere));
    if (next === -1) failures.push(releaseFailure('release/needs-cycle', { releases: waiting.map(({ name }) => name) }));
    placed.push(...waiting.splice(Math.max(0, next), 1));
    if (next === -1) break;
  }
  return [...placed, ...waiting];
}
