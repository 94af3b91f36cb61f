import { dirname, join } from 'node:path/posix';
import type { Files } from '../base/index.ts';
import type { ClusterPaths } from './model.ts';
import { defaultSecretFiles } from './talconfig.ts';

/** Where things are in a talhelper repository. `talconfig` is absolute. */
export async function talconfigPaths(files: Files, root: string, talconfig: string): Promise<ClusterPaths> {
  const folder = dirname(talconfig);
  let secrets: string | undefined;
  for (const name of defaultSecretFiles) {
    if (secrets === undefined && (await files.stat(join(folder, name)))) secrets = join(folder, name);
  }
  // `kubernetes/` may hold nothing but the Talos side: only one with `apps/` is a Flux tree.
  const kubernetes = (await files.stat(join(root, 'kubernetes/apps')))?.kind === 'directory' ? join(root, 'kubernetes') : undefined;
  return {
    root,
    talconfig,
    ...(secrets === undefined ? {} : { secrets }),
    clusterConfig: join(folder, 'clusterconfig'),
    talosconfig: join(folder, 'clusterconfig/talosconfig'),
    kubeconfig: join(root, 'kubeconfig'),
    ...(kubernetes === undefined ? {} : { kubernetes }),
  };
}
