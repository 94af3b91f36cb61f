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

/** A file of Flux' that is not YAML; kind and name are what a look at its lines tells. */
export interface UnreadableFile {
  readonly path: string;
  readonly kind: string;
  readonly name: string;
  readonly failures: readonly Failure[];
}

/** The repository's own Flux files, read but not built: no remote bases, no generators beyond those for values. */
export interface FluxTree {
  /** A file that several Kustomizations apply is here once for each. */
  readonly objects: readonly TreeObject[];
  readonly unreadable: readonly UnreadableFile[];
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
  const unreadable: UnreadableFile[] = [];
  const texts = new Map<string, string>();
  for (const path of await yamlFilesBelow(files, repository, folder)) {
    const read = await files.readText(posix.join(repository, path));
    if (read === undefined) continue;
    const text = withGoAliases(read);
    texts.set(path, text);
    const parsed = parseYaml({ path, text }, { version: 'kubernetes', confidential: /\.sops\.ya?ml$/.test(path) });
    if (parsed.failures.length > 0) {
      // Much that lies in a tree is no object: templates of charts, configs of applications. Only Flux' own kinds matter here. What could
      // be read of a broken file would only bring further problems that are none.
      const [, kind] = /^kind:\s*["']?(HelmRelease|HelmChart|HelmRepository|OCIRepository|Kustomization|Component)\b/m.exec(text) ?? [];
      if (kind !== undefined)
        unreadable.push({ path, kind, name: /\bname:\s*(?:&\S+\s+)?["']?([\w.-]+)/.exec(text)?.[1] ?? '', failures: parsed.failures });
      continue;
    }
    for (const document of parsed.documents) {
      const object = objectOf(document, path);
      if (object !== undefined) documents.push(object);
    }
  }
  return createTree(documents, unreadable, (path) => texts.get(path));
}

/** Go's reader ends the name of an alias at the colon of a key, so `*app: x` is written a lot; others take the colon for a part of the name. */
const withGoAliases = (text: string): string => text.replace(/(^|[\s{,])(\*[\w-]+):(?=\s|$)/gm, '$1$2 :');

async function yamlFilesBelow(files: Files, repository: string, folder: string): Promise<readonly string[]> {
  const found: string[] = [];
  const entries = await files.list(posix.join(repository, folder));
  // Templates of a chart are no objects yet.
  if (entries.some(({ name }) => name === 'Chart.yaml')) return found;
  for (const entry of entries) {
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
