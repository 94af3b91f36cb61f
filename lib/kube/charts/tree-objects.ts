import { posix } from 'node:path';
import { type Fields, fieldsOf, textOf, textsOf } from './fields.ts';
import type { FluxTree, Owner, RawObject, TreeObject, UnreadableFile } from './flux-tree.ts';
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
  unreadable: readonly UnreadableFile[],
  textAt: (path: string) => string | undefined,
): FluxTree {
  const isKustomize = ({ kind, apiVersion }: RawObject) =>
    apiVersion.startsWith(kustomizeFile) && ['Kustomization', 'Component'].includes(kind);
  const files = new Map<string, KustomizeFile>(
    raw.filter(isKustomize).map(({ path, value }) => [posix.dirname(path), { folder: posix.dirname(path), value }]),
  );
  const patchFiles = new Set([...files.values()].flatMap(patchFilesOf));
  const objects = raw.filter(({ path }) => !patchFiles.has(path));
  const paths = new Set(objects.filter((object) => !isKustomize(object)).map(({ path }) => path));
  const kustomizations = objects
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
  const components = [...files.values()].filter(({ value }) => value.kind === 'Component').map(({ folder }) => folder);
  return new Tree(objects, unreadable, kustomizations, namespacesByFolder(raw), components);
}

/** Files that are patches and look like objects. */
function patchFilesOf({ folder, value }: KustomizeFile): readonly string[] {
  const listed = [value.patches, value.patchesJson6902].flatMap((list) => (Array.isArray(list) ? list.map(fieldsOf) : []));
  const paths = [...listed.flatMap(({ path }) => textOf(path) ?? []), ...textsOf(value.patchesStrategicMerge)];
  return paths.filter((path) => !path.includes('\n')).map((path) => posix.join(folder, path));
}

/** Who takes a file in, and what changes it on the way. */
interface Taker {
  readonly owner: Kustomization;
  readonly layers: readonly KustomizeLayer[];
}

class Tree implements FluxTree {
  readonly objects: readonly TreeObject[];
  readonly unreadable: readonly UnreadableFile[];
  readonly #kustomizations: readonly Kustomization[];
  readonly #owners = new Map<TreeObject, { readonly owner?: Kustomization; readonly layers: readonly KustomizeLayer[] }>();
  readonly #takers = new Map<string, Taker[]>();
  readonly #aboveFolder = new Map<string, readonly Kustomization[]>();
  readonly #applied = new Map<RawObject, boolean>();
  readonly #ofRaw = new Map<RawObject, TreeObject>();
  readonly #patched = new Map<TreeObject, Fields | undefined>();
  readonly #namespaces: ReadonlyMap<string, string>;
  readonly #components: readonly string[];

  constructor(
    raw: readonly RawObject[],
    unreadable: readonly UnreadableFile[],
    kustomizations: readonly Kustomization[],
    namespaces: ReadonlyMap<string, string>,
    components: readonly string[],
  ) {
    this.unreadable = unreadable;
    this.#kustomizations = kustomizations;
    this.#namespaces = namespaces;
    this.#components = components;
    for (const owner of kustomizations) {
      for (const { path, layers } of owner.build) {
        const takers = this.#takers.get(path) ?? [];
        takers.push({ owner, layers });
        this.#takers.set(path, takers);
      }
    }
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
    const at = posix.dirname(path);
    const known =
      this.#aboveFolder.get(at) ??
      this.#kustomizations.filter(({ folder }) => isBelow(at, folder)).sort((a, b) => a.folder.length - b.folder.length);
    this.#aboveFolder.set(at, known);
    return known.filter(({ raw }) => raw.path !== path);
  }

  /** One for each Kustomization that applies the file; one that is not applied when there is none. */
  #instancesOf(raw: RawObject): readonly TreeObject[] {
    const instances = this.#takersOf(raw)
      .filter(({ owner }) => this.#isApplied(owner.raw))
      .map(({ owner, layers }) => this.#instance(raw, owner, layers, true));
    if (instances.length > 0) return instances;
    const nearest = this.#above(raw).at(-1);
    // A component that nobody takes in is applied by nobody, wherever it lies.
    const isComponent = this.#components.some((folder) => isBelow(posix.dirname(raw.path), folder));
    return [this.#instance(raw, nearest, [], nearest === undefined && !isComponent)];
  }

  #takersOf(raw: RawObject): readonly Taker[] {
    return (this.#takers.get(raw.path) ?? []).filter(({ owner }) => owner.raw !== raw);
  }

  /** A Kustomization that nobody takes in although it lies in somebody's folder is switched off. */
  #isApplied(raw: RawObject, within: readonly RawObject[] = []): boolean {
    const known = this.#applied.get(raw);
    if (known !== undefined) return known;
    if (within.includes(raw)) return true;
    const inner = [...within, raw];
    const isApplied = this.#above(raw).length === 0 || this.#takersOf(raw).some(({ owner }) => this.#isApplied(owner.raw, inner));
    this.#applied.set(raw, isApplied);
    return isApplied;
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
