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

/** A file that a build takes in, with the layers that change it, innermost first. */
export interface TakenFile {
  readonly path: string;
  readonly layers: readonly KustomizeLayer[];
}

/** A component that several folders take in is here once for each of them. */
export type KustomizeBuild = readonly TakenFile[];

export interface KustomizeSource {
  /** By folder. */
  readonly kustomizations: ReadonlyMap<string, KustomizeFile>;
  /** Every YAML file of the tree that holds objects. */
  readonly paths: ReadonlySet<string>;
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

  plainFolder(folder: string): TakenFile[] {
    const taken: TakenFile[] = [];
    const { kustomizations, paths } = this.#source;
    const inside = [...kustomizations.keys()].filter((candidate) => isBelow(candidate, folder));
    const outermost = inside.filter((candidate) => !inside.some((other) => other !== candidate && isBelow(candidate, other)));
    for (const path of paths) {
      if (isBelow(path, folder) && !outermost.some((own) => isBelow(path, own))) taken.push({ path, layers: [] });
    }
    for (const own of outermost) taken.push(...this.kustomization(own, []));
    return taken;
  }

  kustomization(folder: string, within: readonly string[]): TakenFile[] {
    const taken: TakenFile[] = [];
    const file = this.#source.kustomizations.get(folder);
    if (file === undefined || within.includes(folder)) return taken;
    const inner = [...within, folder];
    this.#addResources(taken, file, inner);
    for (const component of textsOf(file.value.components)) this.addComponent(taken, posix.join(folder, component), inner);
    addLayer(taken, this.#layerOf(file));
    return taken;
  }

  /** A component brings resources of its own, and changes everything that is there already. */
  addComponent(taken: TakenFile[], folder: string, within: readonly string[]): void {
    const file = this.#source.kustomizations.get(posix.normalize(folder).replace(/\/$/, ''));
    if (file === undefined || within.includes(file.folder)) return;
    const inner = [...within, file.folder];
    this.#addResources(taken, file, inner);
    for (const component of textsOf(file.value.components)) this.addComponent(taken, posix.join(file.folder, component), inner);
    addLayer(taken, this.#layerOf(file));
  }

  #addResources(taken: TakenFile[], { folder, value }: KustomizeFile, within: readonly string[]): void {
    for (const resource of [...textsOf(value.resources), ...textsOf(value.bases)]) {
      const path = posix.join(folder, resource).replace(/\/$/, '');
      if (this.#source.kustomizations.has(path)) taken.push(...this.kustomization(path, within));
      else if (this.#source.paths.has(path)) taken.push({ path, layers: [] });
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

function addLayer(taken: TakenFile[], layer: KustomizeLayer): void {
  for (const [index, { path, layers }] of taken.entries()) taken[index] = { path, layers: [...layers, layer] };
}

export const isBelow = (path: string, folder: string): boolean =>
  folder === '' || folder === '.' || path === folder || path.startsWith(`${folder}/`);
