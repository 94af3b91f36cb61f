import { posix } from 'node:path';
import { type Files, type Redactor, Secret, type SourceFile, TkError, type World } from '../base/index.ts';
import { type ClusterModel, fillSecretFile, secretFilesIn } from '../config/index.ts';
import {
  contractOf,
  createSecretsBundle,
  parseSecretsBundle,
  renderSecretsBundle,
  type SecretsBundle,
  secretValuesOf,
} from '../talos/machine-config.ts';
import { clusterFailure } from './failures.ts';
import { environmentOf } from './environment.ts';
import type { Vault } from './vault.ts';

export interface KeptBundle {
  readonly bundle: SecretsBundle;
  /** Made just now and not written yet: its file and what belongs in there. */
  readonly fresh?: { readonly path: string; readonly text: Secret<string>; readonly isEncrypted: boolean };
}

export interface BundleStore {
  /** The bundle of this cluster, or a new one when nothing shows that there is a cluster. Failure: `cluster/secrets-lost`. */
  get(): Promise<KeptBundle>;
  /** The bundle in that file and no other, absolute. Failure: `cluster/no-such-bundle`. */
  of(path: string): Promise<KeptBundle>;
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
  readonly world: Pick<World, 'random' | 'clock' | 'env'>;
  /** Is told every key of a bundle as soon as it is known. */
  readonly redactor?: Redactor;
}

/** Where a new bundle goes, beside the talconfig; talhelper looks for the same name. */
const newBundleName = 'talsecret.sops.yaml';
const plainBundleName = 'talsecret.yaml';

export function createBundleStore({ model, files, vault, world, redactor }: BundleParts): BundleStore {
  const folder = posix.dirname(model.paths.talconfig);
  let kept: Promise<KeptBundle> | undefined;
  let parsed: { readonly path: string; readonly text: Secret<string>; readonly bundle: SecretsBundle } | undefined;

  const read = async (path: string): Promise<SecretsBundle | undefined> => {
    const text = await files.readText(path);
    if (text === undefined) return undefined;
    const shown = path.startsWith(`${model.paths.root}/`) ? path.slice(model.paths.root.length + 1) : path;
    const plain = await vault.decrypt({ path: shown, text });
    const filled = await fillSecretFile(files, { path: shown, text: plain.reveal() }, { ...environment, root: model.paths.root });
    // Asked for before every question to Kubernetes: the file is read again each time, and parsed when it has changed.
    if (parsed?.path !== shown || parsed.text.reveal() !== filled)
      parsed = { path: shown, text: new Secret(filled), bundle: parseSecretsBundle({ path: shown, text: filled }) };
    return parsed.bundle;
  };
  const environment = {
    path: model.paths.talconfig,
    environment: environmentOf(world),
    decrypt: async (file: SourceFile) => (vault.isEncrypted(file) ? (await vault.decrypt(file)).reveal() : file.text),
  };
  const find = async (): Promise<SecretsBundle | undefined> => {
    const [first, ...others] = new Set([
      ...(model.paths.secrets === undefined ? [] : [model.paths.secrets]),
      ...(await secretFilesIn(files, folder)),
    ]);
    const bundle = first === undefined ? undefined : await read(first);
    for (const other of others) {
      // Which of two is meant is not ours to guess: talhelper takes the last, and a person looks at the first.
      const another = await read(other);
      if (bundle && another && renderSecretsBundle(bundle).reveal() !== renderSecretsBundle(another).reveal())
        throw new TkError(
          clusterFailure('cluster/two-bundles', { paths: [first ?? '', other].map((path) => posix.relative(model.paths.root, path)) }),
        );
    }
    return bundle;
  };
  const make = async (): Promise<KeptBundle> => {
    const traces = await tracesOfCluster(files, model, folder);
    if (traces.length > 0)
      throw new TkError(
        clusterFailure('cluster/secrets-lost', { wanted: posix.relative(model.paths.root, posix.join(folder, newBundleName)), traces }),
      );
    const bundle = hidden(await createSecretsBundle(world, contractOf(model.talosVersion)));
    const plain = renderSecretsBundle(bundle);
    const path = posix.join(folder, newBundleName);
    const encrypted = await vault.encrypt(posix.relative(model.paths.root, path), plain);
    return encrypted === undefined
      ? { bundle, fresh: { path: posix.join(folder, plainBundleName), text: plain, isEncrypted: false } }
      : { bundle, fresh: { path, text: new Secret(encrypted), isEncrypted: true } };
  };

  const hidden = <B extends SecretsBundle | undefined>(bundle: B): B => {
    if (bundle !== undefined) for (const value of secretValuesOf(bundle)) redactor?.add(value);
    return bundle;
  };
  const existing = async () => hidden(kept ? (await kept).bundle : await find());

  return {
    get() {
      kept ??= find().then((bundle) => (bundle ? { bundle: hidden(bundle) } : make()));
      // A failed look is not remembered: the file may be there next time.
      kept.catch(() => {
        kept = undefined;
      });
      return kept;
    },
    async of(path) {
      const isFolder = (await files.stat(path))?.kind === 'directory';
      const bundle = isFolder ? undefined : await read(path);
      if (bundle === undefined)
        throw new TkError(clusterFailure('cluster/no-such-bundle', { path: posix.relative(model.paths.root, path), isFolder }));
      return { bundle: hidden(bundle) };
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
