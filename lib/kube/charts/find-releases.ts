import { posix } from 'node:path';
import { type Failure, type Files, hasCode } from '../../base/index.ts';
import { releaseFailure } from './failures.ts';
import { type FluxTree, loadFluxTree } from './flux-tree.ts';
import { type FoundRelease, readHelmRelease } from './helm-release.ts';
import { findHelmfiles, type HelmfileRelease, planOfHelmfile, readHelmfile } from './helmfile.ts';
import type { ReleasePlan } from './release-plan.ts';
import { type ReferenceReader, readerOfTree } from './values.ts';

export interface FoundReleases {
  /** In the order of their needs, bootstrap's first. */
  readonly releases: readonly ReleasePlan[];
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
 * Shape: HelmReleases of the Flux tree; those that a bootstrap helmfile names are bootstrap's, with its needs, and keep their own
 * chart, version and values, so that bootstrap installs what Flux will. Releases that only the helmfile has come as it has them.
 * Failure: none is thrown; `failures` holds every problem with its place.
 */
export async function findReleases(files: Files, repository: string, folder = 'kubernetes'): Promise<FoundReleases> {
  const tree = await loadFluxTree(files, repository, folder);
  const failures: Failure[] = [...tree.failures];
  const found: FoundRelease[] = [];
  for (const object of tree.objects) {
    if (object.kind !== 'HelmRelease' || !object.apiVersion.startsWith('helm.toolkit.fluxcd.io/')) continue;
    const release = readHelmRelease(object, tree, repository);
    if ('plan' in release) found.push(release);
    else failures.push(...release);
  }
  const declared: HelmfileRelease[] = [];
  for (const path of await findHelmfiles(files, repository)) {
    const helmfile = await readHelmfile(path, files, repository);
    declared.push(...helmfile.releases);
    failures.push(...helmfile.failures);
  }
  const wanted = declared.length > 0 ? byHelmfile(found, declared, failures) : byNames(found);
  return {
    releases: inOrder(wanted, failures),
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

function byHelmfile(found: readonly FoundRelease[], declared: readonly HelmfileRelease[], failures: Failure[]): readonly ReleasePlan[] {
  const matching = (release: HelmfileRelease) =>
    found.find(
      ({ plan, object }) => (plan.name === release.name || object.name === release.name) && plan.namespace === release.namespace,
    ) ?? found.find(({ plan }) => plan.name === release.name);
  const main = declared.filter(({ role }) => role === 'release');
  const known = main.map(({ name }) => name);
  const plans: ReleasePlan[] = [];
  for (const release of declared) {
    const match = matching(release);
    try {
      const plan = match?.plan ?? planOfHelmfile(release);
      const needs = release.needs.flatMap((text) => {
        const name = text.slice(text.lastIndexOf('/') + 1);
        if (known.includes(name)) return [name];
        failures.push(releaseFailure('release/needs-unknown', { release: release.name, needs: text, known }, { where: release.place }));
        return [];
      });
      plans.push({ ...plan, needs, role: release.role, isBootstrap: release.role === 'release', hooks: release.hooks });
    } catch (error) {
      if (!hasCode(error, 'release/helmfile-unsupported')) throw error;
      failures.push(...error.failures);
    }
  }
  const rest = found.filter(({ plan }) => !plans.some(({ name, namespace }) => name === plan.name && namespace === plan.namespace));
  return [...plans, ...rest.map(({ plan, dependsOn }) => ({ ...plan, needs: namesOf(dependsOn, found) }))];
}

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
