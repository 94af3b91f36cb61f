import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Every etcd cluster that was ever bootstrapped in a repository's sandbox, from what it keeps on disk. */
export function etcdClusters(root: string): readonly string[] {
  const text = readFileSync(join(root, '.tk/sim/cluster/cluster.jsonl'), 'utf8');
  return [...new Set([...text.matchAll(/"etcd\/(c\d+)":/g)].map(([, cluster]) => String(cluster)))];
}
