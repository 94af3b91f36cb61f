import type { ClusterParts, OpenedCluster } from './open.ts';

/** Loads what a cluster needs (YAML, protobuf, PKI) only now: the door of this layer is also on the path of `tk --list`. */
export async function openCluster(parts: ClusterParts): Promise<OpenedCluster> {
  return (await import('./open.ts')).openCluster(parts);
}
