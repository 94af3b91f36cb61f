import { posix } from 'node:path';
import { type Failure, type Files, type Json, placeOf, type Secret, TkError } from '../base/index.ts';
import type { ClusterModel } from '../config/index.ts';
import { parseYaml } from '../format/index.ts';
import type { KubeObject } from '../kube/index.ts';
import type { BootstrapSecret } from './cluster.ts';
import { clusterFailure } from './failures.ts';
import type { KubeAccess } from './kube-access.ts';
import type { BootstrapSecrets } from './kubernetes.ts';
import type { Vault } from './vault.ts';

export interface BootstrapSecretParts {
  readonly model: ClusterModel;
  readonly files: Files;
  readonly vault: Vault;
  readonly access: KubeAccess;
}

const fluxNamespace = 'flux-system';
const ageSecretName = 'sops-age';

/** Folders whose encrypted Secrets Flux cannot read by itself yet, in the order in which they are applied. */
const places = ['bootstrap', 'kubernetes/bootstrap', 'kubernetes/components', 'kubernetes/flux'] as const;
/** Folders of ConfigMaps that Flux' own start substitutes from. */
const settingsPlaces = ['kubernetes/components', 'kubernetes/flux'] as const;

/**
 * The Secrets that have to be there before Flux is: its age key, its deploy key, the variables of the cluster. They are decrypted
 * in memory only.
 */
export function createBootstrapSecrets({ model, files, vault, access }: BootstrapSecretParts): BootstrapSecrets {
  const objects = new Map<string, KubeObject>();
  const leftOut: Failure[] = [];

  const filesIn = async (folder: string, isMeant: (name: string) => boolean): Promise<readonly string[]> => {
    const found: string[] = [];
    for (const entry of await files.list(posix.join(model.paths.root, folder))) {
      const path = posix.join(folder, entry.name);
      if (entry.kind === 'directory') found.push(...(await filesIn(path, isMeant)));
      else if (isMeant(entry.name)) found.push(path);
    }
    return found;
  };
  const encryptedFiles = (folder: string) => filesIn(folder, (name) => /\.sops\.ya?ml$/.test(name));
  /** Those that a Kustomization of Flux' start names, where they stand in the open. */
  const settings = async (): Promise<readonly { readonly path: string; readonly object: KubeObject }[]> => {
    const found: { path: string; object: KubeObject }[] = [];
    const wanted = new Set<string>();
    for (const folder of settingsPlaces) {
      for (const path of await filesIn(folder, (name) => /\.ya?ml$/.test(name) && !/\.sops\.ya?ml$/.test(name))) {
        const text = (await files.readText(posix.join(model.paths.root, path))) ?? '';
        if (!/substituteFrom|kind: *ConfigMap/.test(text)) continue;
        for (const { value } of parseYaml({ path, text }, { version: 'kubernetes' }).documents) {
          const object = value as KubeObject | null;
          if (object?.kind === 'ConfigMap' && object.metadata?.name !== undefined) found.push({ path, object: inFluxNamespace(object) });
          if (object?.kind === 'Kustomization') for (const name of settingsNamedBy(object)) wanted.add(name);
        }
      }
    }
    return found.filter(({ object }) => object.metadata.namespace === fluxNamespace && wanted.has(object.metadata.name));
  };
  const read = async (path: string): Promise<readonly KubeObject[]> => {
    const text = (await files.readText(posix.join(model.paths.root, path))) ?? '';
    const plain = await vault.decrypt({ path, text });
    return secretsOf(path, plain);
  };

  return {
    async load() {
      if (model.paths.kubernetes === undefined) return [];
      objects.clear();
      leftOut.length = 0;
      const paths = new Map<string, string>();
      for (const folder of places) {
        const found = await filesIn(folder, (name) => /\.sops\.ya?ml$|\.ya?ml\.j2$/.test(name));
        for (const path of found.filter((one) => one.endsWith('.j2'))) await leaveOut(path);
        for (const path of found.filter((one) => !one.endsWith('.j2'))) {
          for (const object of await read(path)) {
            // A component that each application takes in with its own name: the Kustomization that does so substitutes and decrypts it.
            if (/\$\{/.test(keyOf(object))) continue;
            const key = keyOf(object);
            objects.set(key, object);
            paths.set(key, path);
          }
        }
      }
      for (const { path, object } of await settings()) {
        objects.set(keyOf(object), object);
        paths.set(keyOf(object), path);
      }
      await addAgeKey();
      await proveKey([...objects.values()].find(({ kind, metadata }) => kind === 'Secret' && metadata.name === ageSecretName));
      return [...objects].map(
        ([key, object]): BootstrapSecret => ({
          kind: object.kind,
          namespace: object.metadata.namespace ?? fluxNamespace,
          name: object.metadata.name,
          ...(paths.has(key) ? { path: paths.get(key) as string } : {}),
          isApplied: async (signal) => isEqual(object, await (await access.reader()).get(refOf(object), signal)),
        }),
      );
    },
    leftOut: () => [...leftOut],
    async apply(secret, signal) {
      const object = objects.get(keyIn(secret.kind ?? 'Secret', secret.namespace, secret.name));
      if (object === undefined) throw new Error(`the Secret ${secret.namespace}/${secret.name} was not loaded`);
      const kube = await access.writer();
      if ((await kube.get({ apiVersion: 'v1', kind: 'Namespace', name: secret.namespace }, signal)) === undefined) {
        await kube.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: secret.namespace } }, { fieldManager: 'tk' }, signal);
      }
      await kube.apply(object, { fieldManager: 'tk', force: true }, signal);
    },
  };

  /** `minijinja-cli resources.yaml.j2 | op inject | kubectl apply`: nobody here knows what a password manager would fill in. */
  async function leaveOut(path: string): Promise<void> {
    // Sources of `configure` in older repositories.
    if (path.includes('/templates/')) return;
    const text = (await files.readText(posix.join(model.paths.root, path))) ?? '';
    if (/^\s*kind: *["']?(?:Secret|ConfigMap|Namespace)\b/m.test(text))
      leftOut.push(clusterFailure('cluster/template-left-out', { path }, { where: placeOf({ file: { path, text }, start: 0, end: 1 }) }));
  }

  /** Repositories without a file for it have the key itself: the Secret is made from it. */
  async function addAgeKey(): Promise<void> {
    const key = keyIn('Secret', fluxNamespace, ageSecretName);
    if (objects.has(key)) return;
    const identity = await vault.ageKey();
    if (identity === undefined) return;
    objects.set(key, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: ageSecretName, namespace: fluxNamespace },
      stringData: { 'age.agekey': `${identity.reveal().trim()}\n` },
    });
  }

  /** A wrong key planted here shows only hours later, in Flux; a file of the tree shows it now. */
  async function proveKey(ageSecret: KubeObject | undefined): Promise<void> {
    const [first] = await encryptedFiles('kubernetes');
    if (first === undefined) return;
    if (ageSecret === undefined) throw new TkError(clusterFailure('cluster/no-age-key', { needed: first }));
    const text = (await files.readText(posix.join(model.paths.root, first))) ?? '';
    const keys = Object.values(plainData(ageSecret)).join('\n');
    if (!(await vault.opens({ path: first, text }, keys))) throw new TkError(clusterFailure('cluster/wrong-age-key', { path: first }));
  }
}

function secretsOf(path: string, plain: Secret<string>): readonly KubeObject[] {
  const { documents } = parseYaml({ path, text: plain.reveal() }, { version: 'kubernetes', confidential: true });
  return documents.flatMap(({ value }) => {
    const object = value as (KubeObject & { readonly sops?: unknown }) | null;
    if (object?.kind !== 'Secret' || object.metadata?.name === undefined) return [];
    const { sops: _, ...rest } = object;
    return [{ ...rest, metadata: { ...object.metadata, namespace: object.metadata.namespace ?? fluxNamespace } } as KubeObject];
  });
}

const keyIn = (kind: string, namespace: string, name: string): string => `${kind}/${namespace}/${name}`;
const keyOf = (object: KubeObject): string => keyIn(object.kind, object.metadata.namespace ?? fluxNamespace, object.metadata.name);
const inFluxNamespace = (object: KubeObject): KubeObject => ({
  ...object,
  metadata: { ...object.metadata, namespace: object.metadata.namespace ?? fluxNamespace },
});

/** Names of the ConfigMaps that a Kustomization substitutes from. */
function settingsNamedBy(kustomization: KubeObject): readonly string[] {
  const { postBuild } = (kustomization['spec'] ?? {}) as {
    readonly postBuild?: { readonly substituteFrom?: readonly { readonly kind?: string; readonly name?: string }[] };
  };
  return (postBuild?.substituteFrom ?? []).flatMap(({ kind, name }) => (kind === 'ConfigMap' && name !== undefined ? [name] : []));
}

const refOf = (object: KubeObject) => ({
  apiVersion: 'v1',
  kind: object.kind,
  namespace: object.metadata.namespace ?? fluxNamespace,
  name: object.metadata.name,
});

/** `data` and `stringData` as text by key. */
export function plainData(object: KubeObject): Readonly<Record<string, string>> {
  const data = (object['data'] ?? {}) as Readonly<Record<string, string>>;
  const stringData = (object['stringData'] ?? {}) as Readonly<Record<string, Json>>;
  return {
    ...Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString('utf8')])),
    ...Object.fromEntries(Object.entries(stringData).map(([key, value]) => [key, String(value)])),
  };
}

function isEqual(wanted: KubeObject, live: KubeObject | undefined): boolean {
  if (live === undefined) return false;
  const contentOf = (object: KubeObject) =>
    object.kind === 'Secret' ? plainData(object) : ((object['data'] ?? {}) as Readonly<Record<string, string>>);
  const [a, b] = [contentOf(wanted), contentOf(live)];
  return Object.keys(a).every((key) => a[key] === b[key]);
}
