import type { ClusterParts, OpenedCluster } from './open.ts';
import type { ReleaseTree } from './releases.ts';
import type { UpgradeHop, VersionPair } from './upgrade-path.ts';

/** Loads what a cluster needs (YAML, protobuf, PKI) only now: the door of this layer is also on the path of `tk --list`. */
export async function openCluster(parts: ClusterParts): Promise<OpenedCluster> {
  return (await import('./open.ts')).openCluster(parts);
}

/** The repository's releases alone. Failure: everything that is wrong with its tree. Undefined: it has none. */
export async function openReleaseTree(parts: Omit<ClusterParts, 'settings' | 'isSandbox'>): Promise<ReleaseTree | undefined> {
  const { helmEngineOf, readReleaseTree } = await import('./releases.ts');
  const { world, model, vault, helmModule, cacheDirectory } = parts;
  const { files, dial, clock, env } = world;
  const engine = helmEngineOf(world, helmModule);
  return readReleaseTree({ model, files, dial, clock, env, engine, vault, cache: `${cacheDirectory}/charts` });
}

/** See `upgradePath`. */
export async function planUpgradePath(from: VersionPair, to: VersionPair): Promise<readonly UpgradeHop[]> {
  return (await import('./upgrade-path.ts')).upgradePath(from, to);
}
