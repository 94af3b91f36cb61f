import { posix } from 'node:path';
import { type Failure, type Files, type Json, type Place, placeOf } from '../../base/index.ts';
import { type DataDocument, parseYaml } from '../../format/index.ts';
import { type Fields, fieldsOf } from './fields.ts';
import { createTree } from './tree-objects.ts';

/** One document of the repository's Flux tree, as one Kustomization applies it. */
export interface TreeObject {
  readonly apiVersion: string;
  readonly kind: string;
  /** With the variables that its Kustomization writes out already put in. */
  readonly name: string;
  /** As it will have it in the cluster: its Kustomization's `targetNamespace`, its kustomization.yaml's, its own, or the folder's under `apps/`. */
  readonly namespace: string | undefined;
  /** Relative to the repository. */
  readonly path: string;
  readonly document: DataDocument;
  /** As the file has it. */
  readonly value: Fields;
  readonly isEncrypted: boolean;
  /** False: no kustomization.yaml takes it in, so Flux does not apply it. */
  readonly isApplied: boolean;
}

/** A Flux Kustomization, its patches from above applied. */
export interface Owner {
  readonly name: string;
  readonly namespace: string;
  readonly spec: Fields;
}

/** The repository's own Flux files, read but not built: no remote bases, no generators beyond those for values. */
export interface FluxTree {
  /** A file that several Kustomizations apply is here once for each. */
  readonly objects: readonly TreeObject[];
  readonly failures: readonly Failure[];
  /** The Kustomization that applies this object. */
  ownerOf(object: TreeObject): Owner | undefined;
  /**
   * The object after every patch that a kustomization.yaml, a component or a Kustomization above has for it; undefined when one of
   * them takes it away. Failure: `PatchError`.
   */
  patched(object: TreeObject): Fields | undefined;
  /** Objects that are applied come before those that are not. */
  find(kind: string, name: string, namespace: string | undefined): TreeObject | undefined;
}

/** Nobody's values file; a rendered bundle that landed in the tree. */
const largestFileBytes = 4 * 1024 * 1024;

/**
 * Reads every YAML file below `folder`.
 *
 * Shape: files that are no Kubernetes objects are passed over. Failures of one file do not hide the others.
 */
export async function loadFluxTree(files: Files, repository: string, folder = 'kubernetes'): Promise<FluxTree> {
  const documents: RawObject[] = [];
  const failures: Failure[] = [];
  const texts = new Map<string, string>();
  for (const path of await yamlFilesBelow(files, repository, folder)) {
    const text = await files.readText(posix.join(repository, path));
    if (text === undefined) continue;
    texts.set(path, text);
    const parsed = parseYaml({ path, text }, { version: 'kubernetes', confidential: /\.sops\.ya?ml$/.test(path) });
    failures.push(...parsed.failures);
    // What could be read of a broken file would only bring further problems that are none.
    if (parsed.failures.length > 0) continue;
    for (const document of parsed.documents) {
      const object = objectOf(document, path);
      if (object !== undefined) documents.push(object);
    }
  }
  return createTree(documents, failures, (path) => texts.get(path));
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

/** A document as its file has it. */
export type RawObject = Omit<TreeObject, 'isApplied'>;

function objectOf(document: DataDocument, path: string): RawObject | undefined {
  const value = fieldsOf(document.value as Json);
  const { apiVersion, kind } = value;
  if (typeof apiVersion !== 'string' || typeof kind !== 'string') return undefined;
  const metadata = fieldsOf(value.metadata);
  const name = typeof metadata.name === 'string' ? metadata.name : '';
  const namespace = typeof metadata.namespace === 'string' ? metadata.namespace : undefined;
  return { apiVersion, kind, name, namespace, path, document, value, isEncrypted: value.sops !== undefined };
}

export const placeIn = (object: TreeObject, ...path: readonly (string | number)[]): Place => placeOf(object.document.spanOf(path));
