import { posix } from 'node:path';
import { type Files, Secret, TkError, type World } from '../base/index.ts';
import type { ClusterModel } from '../config/index.ts';
import {
  contractOf,
  createSecretsBundle,
  parseSecretsBundle,
  renderSecretsBundle,
  type SecretsBundle,
  secretValuesOf,
} from '../talos/machine-config.ts';
import { clusterFailure } from './failures.ts';
import type { Vault } from './vault.ts';

export interface KeptBundle {
  readonly bundle: SecretsBundle;
  /** Made just now and not written yet: its file and what belongs in there. */
  readonly fresh?: { readonly path: string; readonly text: Secret<string>; readonly isEncrypted: boolean };
}

export interface BundleStore {
  /** The bundle of this cluster, or a new one when nothing shows that there is a cluster. Failure: `cluster/secrets-lost`. */
  get(): Promise<KeptBundle>;
  /** Undefined when there is none and nobody made one. */
  existing(): Promise<SecretsBundle | undefined>;
  /** Every key of the bundle, as text, for taking them out of what is printed. Empty when there is none. */
  secretValues(): Promise<readonly string[]>;
  /** The next `get` reads the file again. */
  forget(): void;
}

export interface BundleParts {
  readonly model: ClusterModel;
  readonly files: Files;
  readonly vault: Vault;
  readonly world: Pick<World, 'random' | 'clock'>;
}

/** Where a new bundle goes, beside the talconfig; talhelper looks for the same name. */
const newBundleName = 'talsecret.sops.yaml';
const plainBundleName = 'talsecret.yaml';

export function createBundleStore({ model, files, vault, world }: BundleParts): BundleStore {
  const folder = posix.dirname(model.paths.talconfig);
  let kept: Promise<KeptBundle> | undefined;

  const read = async (path: string): Promise<SecretsBundle | undefined> => {
    const text = await files.readText(path);
    if (text === undefined) return undefined;
    const shown = path.startsWith(`${model.paths.root}/`) ? path.slice(model.paths.root.length + 1) : path;
    const plain = await vault.decrypt({ path: shown, text });
    return parseSecretsBundle({ path: shown, text: plain.reveal() });
  };
  const find = async (): Promise<SecretsBundle | undefined> => {
    for (const path of new Set([model.paths.secrets, posix.join(folder, newBundleName), posix.join(folder, plainBundleName)])) {
      const found = path === undefined ? undefined : await read(path);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  const make = async (): Promise<KeptBundle> => {
    const traces = await tracesOfCluster(files, model, folder);
    if (traces.length > 0)
      throw new TkError(
        clusterFailure('cluster/secrets-lost', { wanted: posix.relative(model.paths.root, posix.join(folder, newBundleName)), traces }),
      );
    const bundle = await createSecretsBundle(world, contractOf(model.talosVersion));
    const plain = renderSecretsBundle(bundle);
    const path = posix.join(folder, newBundleName);
    const encrypted = await vault.encrypt(posix.relative(model.paths.root, path), plain);
    return encrypted === undefined
      ? { bundle, fresh: { path: posix.join(folder, plainBundleName), text: plain, isEncrypted: false } }
      : { bundle, fresh: { path, text: new Secret(encrypted), isEncrypted: true } };
  };

  const existing = async () => (kept ? (await kept).bundle : find());

  return {
    get() {
      kept ??= find().then((bundle) => (bundle ? { bundle } : make()));
      // A failed look is not remembered: the file may be there next time.
      kept.catch(() => {
        kept = undefined;
      });
      return kept;
    },
    existing,
    async secretValues() {
      const bundle = await existing();
      return bundle === undefined ? [] : secretValuesOf(bundle).filter((value) => value.length >= 6);
    },
    forget() {
      kept = undefined;
    },
  };
}

/**
 * Files that only exist when this cluster does: generated configs, credentials, a bundle under another name. New secrets beside any
 * of them would lock the owner out (guarantee G-08).
 */
async function tracesOfCluster(files: Files, model: ClusterModel, folder: string): Promise<readonly string[]> {
  const traces: string[] = [];
  const { paths } = model;
  const shown = (path: string) => posix.relative(paths.root, path);
  for (const path of [paths.talosconfig, paths.kubeconfig]) if (await files.stat(path)) traces.push(shown(path));
  for (const entry of await files.list(paths.clusterConfig))
    if (/\.ya?ml$/.test(entry.name)) traces.push(shown(posix.join(paths.clusterConfig, entry.name)));
  for (const directory of new Set([folder, paths.root])) {
    for (const entry of await files.list(directory)) {
      if (entry.kind !== 'file' || !/\.(?:ya?ml|json|bak|old|orig)$/i.test(entry.name)) continue;
      const path = posix.join(directory, entry.name);
      // The keys of a bundle stay readable when SOPS encrypts it.
      if (/^\s*"?trustdinfo"?\s*:/im.test((await files.readText(path)) ?? '')) traces.push(shown(path));
    }
  }
  return [...new Set(traces)].sort();
}
