import { dirname, join, relative } from 'node:path/posix';
import type { Files } from '../base/index.ts';
import { clustertoolHome } from './clustertool.ts';
import { talconfigPlaces } from './find.ts';
import type { ClusterPaths } from './model.ts';
import { defaultSecretFiles } from './talconfig.ts';

/** Names that talosctl and topf give a bundle; other things go by them too, so that only its content tells. */
const otherSecretFiles = ['secrets.yaml', 'secrets.sops.yaml', 'secrets.json'];

/** The secrets bundles that lie beside a talconfig, absolute: talhelper's names, or else those of others; clustertool's is with its output. */
export async function secretFilesIn(files: Files, folder: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const name of defaultSecretFiles) if (await files.stat(join(folder, name))) found.push(join(folder, name));
  if (found.length > 0) return found;
  for (const name of otherSecretFiles) {
    // Keys stay readable when SOPS encrypts a file.
    if (/^\s*"?trustdinfo"?\s*:/im.test((await files.readText(join(folder, name))) ?? '')) found.push(join(folder, name));
  }
  if (found.length > 0) return found;
  const generated = clustertoolHome(join(folder, 'talconfig.yaml'))?.generated;
  return generated === undefined ? [] : secretFilesIn(files, generated);
}

/** Where things are in a talhelper repository. `talconfig` is absolute. */
export async function talconfigPaths(files: Files, root: string, talconfig: string): Promise<ClusterPaths> {
  const folder = dirname(talconfig);
  const clusterConfig = clustertoolHome(talconfig)?.generated ?? join(folder, 'clusterconfig');
  const secrets = (await secretFilesIn(files, folder))[0];
  const kubernetes = (await isFluxTree(files, root)) ? join(root, 'kubernetes') : undefined;
  return {
    root,
    talconfig,
    ...(secrets === undefined ? {} : { secrets }),
    clusterConfig,
    talosconfig: join(clusterConfig, 'talosconfig'),
    // One repository may hold several clusters: only the one in a known place has the root for itself.
    kubeconfig: join(talconfigPlaces.includes(relative(root, talconfig)) ? root : folder, 'kubeconfig'),
    ...(kubernetes === undefined ? {} : { kubernetes }),
  };
}

/**
 * `kubernetes/` may hold nothing but the Talos side, or charts that Argo CD applies: one with `apps/` is a Flux tree unless these are charts,
 * and so is one that a helmfile bootstraps.
 */
async function isFluxTree(files: Files, root: string): Promise<boolean> {
  const isFolder = async (path: string) => (await files.stat(join(root, path)))?.kind === 'directory';
  const hasApps = await isFolder('kubernetes/apps');
  if (hasApps && (await isFolder('kubernetes/flux'))) return true;
  if (!hasApps && !(await isFolder('kubernetes'))) return false;
  for (const home of ['bootstrap', 'kubernetes/bootstrap']) {
    if (!(await isFolder(home))) continue;
    const entries = await files.list(join(root, home));
    if (entries.some(({ name }) => /^helmfile(?:\.d|\.ya?ml(?:\.gotmpl)?)?$/.test(name))) return true;
  }
  if (!hasApps) return false;
  for (const { name, kind } of await files.list(join(root, 'kubernetes/apps')))
    if (kind === 'directory' && (await files.stat(join(root, 'kubernetes/apps', name, 'Chart.yaml'))) !== undefined) return false;
  return true;
}
