import { posix } from 'node:path';
import { fieldsOf, type Fields, textOf, textsOf } from './fields.ts';
import { type KustomizePatch, patchesOf } from './kustomize-patches.ts';

/** A kustomization.yaml, with the folder that it stands in. */
export interface KustomizeFile {
  readonly folder: string;
  readonly value: Fields;
}

/** What one kustomization.yaml does to everything that it takes in. */
export interface KustomizeLayer {
  readonly patches: readonly KustomizePatch[];
  readonly namespace?: string;
  readonly namePrefix: string;
  readonly nameSuffix: string;
}

/** Files that a build takes in, each with the layers that change it, innermost first. */
export type KustomizeBuild = ReadonlyMap<string, readonly KustomizeLayer[]>;

export interface KustomizeSource {
  /** By folder. */
  readonly kustomizations: ReadonlyMap<string, KustomizeFile>;
  /** Every YAML file of the tree that holds objects. */
  readonly paths: readonly string[];
  /** For patches that stand in files of their own. */
  textOf(path: string): string | undefined;
}

/**
 * Which files a kustomization in this folder takes in. A folder without kustomization.yaml takes in every file below it, and folders
 * that have one as a whole.
 *
 * Shape: nothing is fetched: remote resources are passed over.
 * Source: kustomize api/internal/target/kusttarget.go (resources, components, then own transformers); fluxcd/pkg/kustomize generator
 */
export function buildFolder(folder: string, source: KustomizeSource, components: readonly string[] = []): KustomizeBuild {
  const build = new Builder(source);
  const taken = source.kustomizations.has(folder) ? build.kustomization(folder, []) : build.plainFolder(folder);
  for (const component of components) build.addComponent(taken, posix.normalize(posix.join(folder, component)), []);
  return taken;
}

class Builder {
  readonly #source: KustomizeSource;

  constructor(source: KustomizeSource) {
    this.#source = source;
  }

  plainFolder(folder: string): Map<string, readonly KustomizeLayer[]> {
    const taken = new Map<string, readonly KustomizeLayer[]>();
    const { kustomizations, paths } = this.#source;
    const inside = [...kustomizations.keys()].filter((candidate) => isBelow(candidate, folder));
    const outermost = inside.filter((candidate) => !inside.some((other) => other !== candidate && isBelow(candidate, other)));
    for (const path of paths) {
      if (isBelow(path, folder) && !outermost.some((own) => isBelow(path, own))) taken.set(path, []);
    }
    for (const own of outermost) for (const [path, layers] of this.kustomization(own, [])) taken.set(path, layers);
    return taken;
  }

  kustomization(folder: string, within: readonly string[]): Map<string, readonly KustomizeLayer[]> {
    const taken = new Map<string, readonly KustomizeLayer[]>();
    const file = this.#source.kustomizations.get(folder);
    if (file === undefined || within.includes(folder)) return taken;
    const inner = [...within, folder];
    this.#addResources(taken, file, inner);
    for (const component of textsOf(file.value.components)) this.addComponent(taken, posix.join(folder, component), inner);
    addLayer(taken, this.#layerOf(file));
    return taken;
  }

  /** A component brings resources of its own, and changes everything that is there already. */
  addComponent(taken: Map<string, readonly KustomizeLayer[]>, folder: string, within: readonly string[]): void {
    const file = this.#source.kustomizations.get(posix.normalize(folder).replace(/\/$/, ''));
    if (file === undefined || within.includes(file.folder)) return;
    const inner = [...within, file.folder];
    this.#addResources(taken, file, inner);
    for (const component of textsOf(file.value.components)) this.addComponent(taken, posix.join(file.folder, component), inner);
    addLayer(taken, this.#layerOf(file));
  }

  #addResources(taken: Map<string, readonly KustomizeLayer[]>, { folder, value }: KustomizeFile, within: readonly string[]): void {
    for (const resource of [...textsOf(value.resources), ...textsOf(value.bases)]) {
      const path = posix.join(folder, resource).replace(/\/$/, '');
      if (this.#source.kustomizations.has(path)) for (const [one, layers] of this.kustomization(path, within)) taken.set(one, layers);
      else if (this.#source.paths.includes(path)) taken.set(path, []);
    }
  }

  #layerOf({ folder, value }: KustomizeFile): KustomizeLayer {
    const read = (path: string): readonly KustomizePatch[] => {
      const text = this.#source.textOf(posix.join(folder, path));
      return text === undefined ? [] : [{ text }];
    };
    const entries = Array.isArray(value.patches) ? value.patches.map(fieldsOf) : [];
    const json = Array.isArray(value.patchesJson6902) ? value.patchesJson6902.map(fieldsOf) : [];
    const fromEntry = (entry: Fields): readonly KustomizePatch[] => {
      const path = textOf(entry.path);
      const target = entry.target === undefined ? {} : { target: fieldsOf(entry.target) };
      return path === undefined ? patchesOf([entry as never]) : read(path).map(({ text }) => ({ text, ...target }));
    };
    const namespace = textOf(value.namespace);
    return {
      patches: [
        ...textsOf(value.patchesStrategicMerge).flatMap((entry) => (entry.includes('\n') ? [{ text: entry }] : read(entry))),
        ...entries.flatMap(fromEntry),
        ...json.flatMap(fromEntry),
      ],
      ...(namespace === undefined ? {} : { namespace }),
      namePrefix: textOf(value.namePrefix) ?? '',
      nameSuffix: textOf(value.nameSuffix) ?? '',
    };
  }
}

function addLayer(taken: Map<string, readonly KustomizeLayer[]>, layer: KustomizeLayer): void {
  for (const [path, layers] of taken) taken.set(path, [...layers, layer]);
}

export const isBelow = (path: string, folder: string): boolean =>
  folder === '' || folder === '.' || path === folder || path.startsWith(`${folder}/`);
