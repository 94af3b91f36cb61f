import { posix } from 'node:path';
import { type Failure, type Files, type Json, type Place, placeOf } from '../../base/index.ts';
import { type DataDocument, parseYaml } from '../../format/index.ts';

export type Fields = { readonly [field: string]: Json | undefined };

/** One document of the repository's Flux tree. */
export interface TreeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  /** As it will have it in the cluster: its own, its Kustomization's `targetNamespace`, its kustomization.yaml's, or the folder's under `apps/`. */
  readonly namespace: string | undefined;
  /** Relative to the repository. */
  readonly path: string;
  readonly document: DataDocument;
  readonly value: Fields;
  readonly isEncrypted: boolean;
}

/** A Flux Kustomization: what it does to the objects below its path. */
interface Kustomization {
  readonly object: TreeObject;
  /** Folder relative to the repository, without `./`. */
  readonly path: string;
  readonly spec: Fields;
}

/** The repository's own Flux files, read but not built: no remote bases, no generators beyond those for values. */
export interface FluxTree {
  readonly objects: readonly TreeObject[];
  readonly failures: readonly Failure[];
  /** The Kustomization that applies this file, with the patches of those above it already in its spec. */
  kustomizationOf(path: string): { readonly name: string; readonly namespace: string; readonly spec: Fields } | undefined;
  /** What the patches of Kustomizations above give to each object of a kind: defaults of a HelmRelease, for example. */
  patchesFor(object: TreeObject): readonly Fields[];
  find(kind: string, name: string, namespace: string | undefined): TreeObject | undefined;
}

const fluxKustomization = 'kustomize.toolkit.fluxcd.io';
const kustomizeFile = 'kustomize.config.k8s.io';
/** Nobody's values file; a rendered bundle that landed in the tree. */
const largestFileBytes = 4 * 1024 * 1024;

/**
 * Reads every YAML file below `folder`.
 *
 * Shape: files that are no Kubernetes objects are passed over. Failures of one file do not hide the others.
 */
export async function loadFluxTree(files: Files, repository: string, folder = 'kubernetes'): Promise<FluxTree> {
  const objects: TreeObject[] = [];
  const failures: Failure[] = [];
  for (const path of await yamlFilesBelow(files, repository, folder)) {
    const text = await files.readText(posix.join(repository, path));
    if (text === undefined) continue;
    const parsed = parseYaml({ path, text }, { version: 'kubernetes', confidential: /\.sops\.ya?ml$/.test(path) });
    failures.push(...parsed.failures);
    // What could be read of a broken file would only bring further problems that are none.
    if (parsed.failures.length > 0) continue;
    for (const document of parsed.documents) {
      const object = objectOf(document, path);
      if (object !== undefined) objects.push(object);
    }
  }
  return createTree(objects, failures);
}

async function yamlFilesBelow(files: Files, repository: string, folder: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const entry of await files.list(posix.join(repository, folder))) {
    const path = posix.join(folder, entry.name);
    if (entry.kind === 'directory') found.push(...(await yamlFilesBelow(files, repository, path)));
    else if (/\.ya?ml$/.test(entry.name)) {
      const stat = await files.stat(posix.join(repository, path));
      if (stat?.kind === 'file' && stat.sizeBytes <= largestFileBytes) found.push(path);
    }
  }
  return found;
}

function objectOf(document: DataDocument, path: string): TreeObject | undefined {
  const value = fieldsOf(document.value as Json);
  const { apiVersion, kind } = value;
  if (typeof apiVersion !== 'string' || typeof kind !== 'string') return undefined;
  const metadata = fieldsOf(value.metadata);
  const name = typeof metadata.name === 'string' ? metadata.name : '';
  const namespace = typeof metadata.namespace === 'string' ? metadata.namespace : undefined;
  return { apiVersion, kind, name, namespace, path, document, value, isEncrypted: value.sops !== undefined };
}

function createTree(raw: readonly TreeObject[], failures: readonly Failure[]): FluxTree {
  const kustomizations = raw
    .filter(({ kind, apiVersion }) => kind === 'Kustomization' && apiVersion.startsWith(fluxKustomization))
    .map((object): Kustomization => {
      const spec = fieldsOf(object.value.spec);
      return { object, spec, path: posix.normalize(String(spec.path ?? '')).replace(/^\.?\/|\/$/g, '') };
    });
  /** Outermost first. */
  const above = (path: string): readonly Kustomization[] =>
    kustomizations
      .filter(
        (candidate) =>
          candidate.path !== '' &&
          candidate.path !== '.' &&
          `${posix.dirname(path)}/`.startsWith(`${candidate.path}/`) &&
          candidate.object.path !== path,
      )
      .sort((a, b) => a.path.length - b.path.length);
  const patchesAbove = (object: TreeObject): readonly Fields[] =>
    // The innermost one applies the object itself; those above it apply the Kustomizations, and patch those.
    above(object.path)
      .slice(-1)
      .flatMap(({ object: owner, spec }) => [...patchesOf(effectiveSpec(owner, spec), object)]);
  const effectiveSpec = (object: TreeObject, spec: Fields): Fields =>
    above(object.path)
      .slice(-1)
      .reduce(
        (merged, owner) =>
          patchesOf(effectiveSpec(owner.object, owner.spec), object).reduce(
            (into, patch) => mergePatch(into, fieldsOf(patch.spec)),
            merged,
          ),
        spec,
      );
  const kustomizationOf = (path: string) => {
    const owner = above(path).at(-1);
    if (owner === undefined) return undefined;
    return { name: owner.object.name, namespace: owner.object.namespace ?? 'flux-system', spec: effectiveSpec(owner.object, owner.spec) };
  };
  const namespaces = namespacesByFolder(raw);
  const objects = raw.map((object) => {
    const target = kustomizationOf(object.path)?.spec.targetNamespace;
    const namespace = typeof target === 'string' ? target : (object.namespace ?? namespaceOfFolder(object.path, namespaces));
    return { ...object, namespace };
  });
  return {
    objects,
    failures,
    kustomizationOf,
    patchesFor: patchesAbove,
    find: (kind, name, namespace) =>
      objects.find((object) => object.kind === kind && object.name === name && (namespace === undefined || object.namespace === namespace)),
  };
}

/** `namespace:` of the kustomization.yaml files, by folder. */
function namespacesByFolder(objects: readonly TreeObject[]): ReadonlyMap<string, string> {
  const byFolder = new Map<string, string>();
  for (const { kind, apiVersion, path, value } of objects) {
    const isKustomize = kind === 'Kustomization' && apiVersion.startsWith(kustomizeFile);
    if (isKustomize && typeof value.namespace === 'string') byFolder.set(posix.dirname(path), value.namespace);
  }
  return byFolder;
}

function namespaceOfFolder(path: string, namespaces: ReadonlyMap<string, string>): string | undefined {
  for (let folder = posix.dirname(path); folder !== '.' && folder !== '/'; folder = posix.dirname(folder)) {
    const found = namespaces.get(folder);
    if (found !== undefined) return found;
  }
  return /(?:^|\/)apps\/([^/]+)\//.exec(path)?.[1];
}

/** The same few patches are asked for once for each object of the tree. */
const parsedPatches = new Map<string, Fields>();

function parsePatch(text: string): Fields {
  const known = parsedPatches.get(text);
  if (known !== undefined) return known;
  const [document] = parseYaml({ path: '', text }, { version: 'kubernetes' }).documents;
  const value = fieldsOf(document?.value as Json);
  if (parsedPatches.size > 200) parsedPatches.clear();
  parsedPatches.set(text, value);
  return value;
}

/** The patches of a Kustomization's spec that are meant for this object, as merge patches. JSON 6902 lists are not read. */
function patchesOf(spec: Fields, { apiVersion, kind, name }: TreeObject): readonly Fields[] {
  const patches = Array.isArray(spec.patches) ? spec.patches : [];
  return patches.flatMap((entry) => {
    const { patch, target } = fieldsOf(entry);
    const wanted = fieldsOf(target);
    if (typeof patch !== 'string') return [];
    const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
    const value = parsePatch(patch);
    const isMeant =
      target === undefined
        ? value.kind === kind && fieldsOf(value.metadata).name === name
        : (wanted.kind === undefined || wanted.kind === kind) &&
          (wanted.group === undefined || wanted.group === group) &&
          (wanted.name === undefined || new RegExp(`^(?:${String(wanted.name)})$`).test(name)) &&
          wanted.labelSelector === undefined;
    return isMeant ? [value] : [];
  });
}

/** RFC 7396: null takes a field away, mappings are merged, everything else is replaced. */
export function mergePatch(into: Fields, patch: Fields): Fields {
  const merged: { [field: string]: Json | undefined } = { ...into };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else if (isFields(value)) merged[key] = mergePatch(fieldsOf(merged[key]), value) as Json;
    else merged[key] = value;
  }
  return merged;
}

export const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);
export const fieldsOf = (value: Json | undefined): Fields => (isFields(value) ? value : {});

export const placeIn = (object: TreeObject, ...path: readonly (string | number)[]): Place => placeOf(object.document.spanOf(path));
