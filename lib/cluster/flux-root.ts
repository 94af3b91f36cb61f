import { posix } from 'node:path';
import { type Files, TkError } from '../base/index.ts';
import type { ClusterModel } from '../config/index.ts';
import { parseYaml } from '../format/index.ts';
import type { KubeObject, ObjectRef } from '../kube/index.ts';
import type { FluxRootObject } from './cluster.ts';
import type { KubeAccess } from './kube-access.ts';

export interface FluxRootParts {
  readonly model: ClusterModel;
  readonly files: Files;
  readonly access: KubeAccess;
}

export interface FluxRoot {
  load(signal: AbortSignal): Promise<readonly FluxRootObject[]>;
  apply(object: FluxRootObject, signal: AbortSignal): Promise<void>;
}

/** Where such repositories keep what starts everything. */
const startFolder = 'flux/config';

/**
 * What lets Flux follow a repository where no FluxInstance does: the source and the Kustomization of `kubernetes/flux/config`. What they
 * substitute from is there since `bootstrap:secrets`.
 *
 * Shape: in the order in which they are applied; empty where the repository has no such folder.
 * Source: cluster-template until 2025-01, Taskfile bootstrap:flux
 */
export function createFluxRoot({ model, files, access }: FluxRootParts): FluxRoot {
  const objects = new Map<string, KubeObject>();

  const objectsIn = async (folder: string): Promise<readonly KubeObject[]> => {
    const found: KubeObject[] = [];
    for (const { name, kind } of await files.list(posix.join(model.paths.root, folder))) {
      if (kind !== 'file' || !/\.ya?ml$/.test(name)) continue;
      const path = posix.join(folder, name);
      const text = (await files.readText(posix.join(model.paths.root, path))) ?? '';
      if (/\.sops\.ya?ml$/.test(name)) continue;
      const { documents } = parseYaml({ path, text }, { version: 'kubernetes' });
      for (const { value } of documents) {
        const object = value as KubeObject | null;
        if (object?.metadata?.name === undefined || object.apiVersion.startsWith('kustomize.config.k8s.io/')) continue;
        found.push({ ...object, metadata: { ...object.metadata, namespace: object.metadata.namespace ?? 'flux-system' } });
      }
    }
    return found;
  };

  /** The instance follows something itself. Nobody knows while there is no cluster. */
  const hasSync = async (signal: AbortSignal): Promise<boolean> => {
    try {
      const instance = await (await access.reader()).get(instanceRef, signal);
      return (instance?.['spec'] as { readonly sync?: unknown } | undefined)?.sync !== undefined;
    } catch (error) {
      if (error instanceof TkError && !signal.aborted) return false;
      throw error;
    }
  };

  return {
    async load(signal) {
      objects.clear();
      const { kubernetes, root } = model.paths;
      if (kubernetes === undefined) return [];
      const folder = posix.relative(root, kubernetes);
      const start = (await objectsIn(posix.join(folder, startFolder))).filter(isOfFlux);
      if (!start.some(({ kind }) => kind === 'Kustomization') || (await hasSync(signal))) return [];
      const sources = start.filter(({ kind }) => kind !== 'Kustomization');
      const kustomizations = start.filter(({ kind }) => kind === 'Kustomization');
      return [...sources, ...kustomizations].map((object): FluxRootObject => {
        const { namespace = 'flux-system', name } = object.metadata;
        objects.set(keyOf(object.kind, namespace, name), object);
        return {
          kind: object.kind,
          definition: definitionOf(object),
          namespace,
          name,
          isApplied: async (signal) => isEqual(object, await (await access.reader()).get(refOf(object), signal)),
        };
      });
    },
    async apply({ kind, namespace, name }, signal) {
      const object = objects.get(keyOf(kind, namespace, name));
      if (object === undefined) throw new Error(`${kind} ${namespace}/${name} was not loaded`);
      await (await access.writer()).apply(object, { fieldManager: 'tk', force: true }, signal);
    },
  };
}

const instanceRef: ObjectRef = { apiVersion: 'fluxcd.controlplane.io/v1', kind: 'FluxInstance', namespace: 'flux-system', name: 'flux' };
/** Plurals of Flux' kinds are as in English. */
const definitionOf = ({ apiVersion, kind }: KubeObject): string =>
  `${kind.toLowerCase().replace(/y$/, 'ie')}s.${apiVersion.slice(0, apiVersion.indexOf('/'))}`;

const keyOf = (kind: string, namespace: string, name: string): string => `${kind}/${namespace}/${name}`;
const isOfFlux = ({ apiVersion }: KubeObject): boolean => apiVersion.includes('.toolkit.fluxcd.io/');
const refOf = ({ apiVersion, kind, metadata }: KubeObject): ObjectRef => ({
  apiVersion,
  kind,
  namespace: metadata.namespace,
  name: metadata.name,
});

/** Everything that is wanted is there; what servers and controllers have put in besides does not count. */
function isEqual(wanted: KubeObject, live: KubeObject | undefined): boolean {
  if (live === undefined) return false;
  return isContained(wanted['spec'], live['spec']);
}

function isContained(wanted: unknown, live: unknown): boolean {
  if (typeof wanted !== 'object' || wanted === null) return wanted === undefined || wanted === live;
  if (typeof live !== 'object' || live === null || Array.isArray(wanted) !== Array.isArray(live)) return false;
  if (Array.isArray(wanted) && wanted.length !== (live as readonly unknown[]).length) return false;
  return Object.entries(wanted).every(([key, value]) => isContained(value, (live as Readonly<Record<string, unknown>>)[key]));
}
