import type { KubeReader } from '../kube/index.ts';
import type { ClusterParts, OpenedCluster } from './open.ts';
import type { ReleaseTree } from './releases.ts';
import type { UpgradeHop, VersionPair } from './upgrade-path.ts';

/** Loads what a cluster needs (YAML, protobuf, PKI) only now: the door of this layer is also on the path of `tk --list`. */
export async function openCluster(parts: ClusterParts): Promise<OpenedCluster> {
  return (await import('./open.ts')).openCluster(parts);
}

/** The repository's releases with what brings and renders their charts, and the cluster's API where there is one. */
export interface OpenedReleases extends ReleaseTree {
  /** Failure: `cluster/no-kubeconfig`, `cluster/kubeconfig-foreign`. */
  kube(): Promise<KubeReader>;
}

/**
 * The repository's releases alone. Undefined: it has none. With `rendered`, manifests in that folder take the place of charts.
 *
 * Failure: everything that is wrong with its tree, and with the releases that are wanted.
 */
export async function openReleaseTree(
  parts: Omit<ClusterParts, 'settings'>,
  isWanted: (release: { readonly name: string; readonly namespace: string }) => boolean,
  signal: AbortSignal,
  rendered?: string,
): Promise<OpenedReleases | undefined> {
  const { helmEngineOf, readReleaseTree } = await import('./releases.ts');
  const { world, model, vault, helmModule, cacheDirectory, isSandbox } = parts;
  const { files, dial, clock, env, exec } = world;
  const engine = helmEngineOf(world, helmModule);
  const tree = await readReleaseTree(
    { model, files, dial, clock, env, exec, engine, vault, cache: `${cacheDirectory}/charts`, isSandbox },
    isWanted,
    signal,
    rendered,
  );
  if (tree === undefined) return undefined;
  return {
    ...tree,
    async kube() {
      const { createKubeAccess } = await import('./kube-access.ts');
      const { createBundleStore } = await import('./secrets-bundle.ts');
      const bundles = createBundleStore({ model, files, vault, world });
      const kubernetesCa = async () => (await bundles.existing())?.certs.k8s.certificate;
      return createKubeAccess({ model, files, dial, clock, kubernetesCa }).reader();
    },
  };
}

/** See `upgradePath`. */
export async function planUpgradePath(from: VersionPair, to: VersionPair): Promise<readonly UpgradeHop[]> {
  return (await import('./upgrade-path.ts')).upgradePath(from, to);
}

/** Failure: `upgrade/unsupported-pair`, `upgrade/unknown-talos`. */
export async function checkVersionPair(pair: VersionPair): Promise<void> {
  (await import('./upgrade-path.ts')).refuseUnsupported(pair);
}
