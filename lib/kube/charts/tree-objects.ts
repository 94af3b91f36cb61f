import { posix } from 'node:path';
import type { Failure } from '../../base/index.ts';
import { type Fields, fieldsOf, textOf, textsOf } from './fields.ts';
import type { FluxTree, Owner, RawObject, TreeObject } from './flux-tree.ts';
import { buildFolder, isBelow, type KustomizeBuild, type KustomizeFile, type KustomizeLayer } from './kustomize-build.ts';
import { applyPatches, patchesOf } from './kustomize-patches.ts';
import { substituteKnown } from './substitute.ts';

const fluxKustomization = 'kustomize.toolkit.fluxcd.io/';
const kustomizeFile = 'kustomize.config.k8s.io/';

/** A Flux Kustomization with what it takes in. */
interface Kustomization {
  readonly raw: RawObject;
  /** Folder relative to the repository, without `./`. */
  readonly folder: string;
  readonly build: KustomizeBuild;
}

/** Puts objects, kustomization.yaml files and Flux Kustomizations together. */
export function createTree(
  raw: readonly RawObject[],
  failures: readonly Failure[],
  textAt: (path: string) => string | undefined,
): FluxTree {
  const isKustomize = ({ kind, apiVersion }: RawObject) =>
    apiVersion.startsWith(kustomizeFile) && ['Kustomization', 'Component'].includes(kind);
  const files = new Map<string, KustomizeFile>(
    raw.filter(isKustomize).map(({ path, value }) => [posix.dirname(path), { folder: posix.dirname(path), value }]),
  );
  const paths = [...new Set(raw.filter((object) => !isKustomize(object)).map(({ path }) => path))];
  const kustomizations = raw
    .filter(({ kind, apiVersion }) => kind === 'Kustomization' && apiVersion.startsWith(fluxKustomization))
    .map((object): Kustomization => {
      const spec = fieldsOf(object.value.spec);
      const folder = posix.normalize(textOf(spec.path) ?? '').replace(/^\.?\/|\/$/g, '');
      return {
        raw: object,
        folder,
        build: buildFolder(folder, { kustomizations: files, paths, textOf: textAt }, textsOf(spec.components)),
      };
    })
    .filter(({ folder }) => folder !== '' && folder !== '.');
  const tree = new Tree(raw, failures, kustomizations, namespacesByFolder(raw));
  return tree;
}

class Tree implements FluxTree {
  readonly objects: readonly TreeObject[];
  readonly failures: readonly Failure[];
  readonly #kustomizations: readonly Kustomization[];
  readonly #owners = new Map<TreeObject, { readonly owner?: Kustomization; readonly layers: readonly KustomizeLayer[] }>();
  readonly #ofRaw = new Map<RawObject, TreeObject>();
  readonly #patched = new Map<TreeObject, Fields | undefined>();
  readonly #namespaces: ReadonlyMap<string, string>;

  constructor(
    raw: readonly RawObject[],
    failures: readonly Failure[],
    kustomizations: readonly Kustomization[],
    namespaces: ReadonlyMap<string, string>,
  ) {
    this.failures = failures;
    this.#kustomizations = kustomizations;
    this.#namespaces = namespaces;
    // Kustomizations first, outermost first: what they are patched to decides about everything below them.
    const ordered = kustomizations.map((one) => one.raw).sort((a, b) => this.#depthOf(a) - this.#depthOf(b));
    const made = new Map<RawObject, readonly TreeObject[]>();
    for (const object of ordered) made.set(object, this.#instancesOf(object));
    for (const object of raw) if (!made.has(object)) made.set(object, this.#instancesOf(object));
    this.objects = raw.flatMap((object) => made.get(object) ?? []);
  }

  ownerOf(object: TreeObject): Owner | undefined {
    const owner = this.#owners.get(object)?.owner;
    return owner && this.#ownerView(owner);
  }

  patched(object: TreeObject): Fields | undefined {
    if (this.#patched.has(object)) return this.#patched.get(object);
    const { owner, layers } = this.#owners.get(object) ?? { layers: [] };
    const patches = [...layers.flatMap((layer) => layer.patches), ...(owner ? patchesOf(this.#specOf(owner).patches) : [])];
    const result = patches.length === 0 ? object.value : applyPatches(object.value, patches, object.namespace);
    this.#patched.set(object, result);
    return result;
  }

  find(kind: string, name: string, namespace: string | undefined): TreeObject | undefined {
    const found = this.objects.filter(
      (object) => object.kind === kind && object.name === name && (namespace === undefined || object.namespace === namespace),
    );
    return found.find(({ isApplied }) => isApplied) ?? found[0];
  }

  #ownerView(owner: Kustomization): Owner {
    const object = this.#ofRaw.get(owner.raw);
    return { name: object?.name ?? owner.raw.name, namespace: object?.namespace ?? 'flux-system', spec: this.#specOf(owner) };
  }

  #specOf({ raw }: Kustomization): Fields {
    const object = this.#ofRaw.get(raw);
    return fieldsOf((object === undefined ? raw.value : (this.patched(object) ?? raw.value)).spec);
  }

  /** How many Kustomizations lie above it by folder; the file itself may be named by its own path. */
  #depthOf(object: RawObject): number {
    return this.#above(object).length;
  }

  /** Innermost last. */
  #above({ path }: RawObject): readonly Kustomization[] {
    return this.#kustomizations
      .filter(({ folder, raw }) => isBelow(posix.dirname(path), folder) && raw.path !== path)
      .sort((a, b) => a.folder.length - b.folder.length);
  }

  /** One for each Kustomization that applies the file; one that is not applied when there is none. */
  #instancesOf(raw: RawObject): readonly TreeObject[] {
    const appliers = this.#kustomizations.filter(({ build, raw: own }) => own !== raw && build.has(raw.path) && this.#isApplied(own));
    if (appliers.length > 0) return appliers.map((owner) => this.#instance(raw, owner, owner.build.get(raw.path) ?? [], true));
    const nearest = this.#above(raw).at(-1);
    return [this.#instance(raw, nearest, [], nearest === undefined)];
  }

  /** A Kustomization that nobody takes in although it lies in somebody's folder is switched off. */
  #isApplied(raw: RawObject, within: readonly RawObject[] = []): boolean {
    const above = this.#above(raw);
    if (above.length === 0 || within.includes(raw)) return true;
    return this.#kustomizations.some(({ build, raw: own }) => own !== raw && build.has(raw.path) && this.#isApplied(own, [...within, raw]));
  }

  #instance(raw: RawObject, owner: Kustomization | undefined, layers: readonly KustomizeLayer[], isApplied: boolean): TreeObject {
    const spec = owner ? this.#specOf(owner) : {};
    const target = textOf(spec.targetNamespace) ?? layers.findLast(({ namespace }) => namespace !== undefined)?.namespace;
    const prefix = layers
      .map(({ namePrefix }) => namePrefix)
      .reverse()
      .join('');
    const suffix = layers.map(({ nameSuffix }) => nameSuffix).join('');
    const variables = fieldsOf(fieldsOf(spec.postBuild).substitute);
    const known = (text: string) => substituteKnown(text, variables);
    const namespace = target ?? raw.namespace ?? namespaceOfFolder(raw.path, this.#namespaces);
    const object: TreeObject = {
      ...raw,
      name: known(`${textOf(spec.namePrefix) ?? ''}${prefix}${raw.name}${suffix}${textOf(spec.nameSuffix) ?? ''}`),
      namespace: namespace === undefined ? undefined : known(namespace),
      isApplied,
    };
    this.#owners.set(object, { ...(owner === undefined ? {} : { owner }), layers });
    if (!this.#ofRaw.has(raw)) this.#ofRaw.set(raw, object);
    return object;
  }
}

/** `namespace:` of the kustomization.yaml files, by folder. */
function namespacesByFolder(objects: readonly RawObject[]): ReadonlyMap<string, string> {
  const byFolder = new Map<string, string>();
  for (const { apiVersion, path, value } of objects) {
    if (apiVersion.startsWith(kustomizeFile) && typeof value.namespace === 'string') byFolder.set(posix.dirname(path), value.namespace);
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
