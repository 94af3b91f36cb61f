import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import { type Files, TkError } from '../../base/index.ts';
import { parseYamlBulk } from '../../format/index.ts';
import { isObj, listAt, type Obj, textAt, type Value } from '../kube/value.ts';
import { generate } from './generators.ts';
import { nameReferencesOf, type RenamedObject, withNewNames } from './name-references.ts';
import { applyKustomizePatches } from './patches.ts';
import { transformed } from './transformers.ts';

export interface RenderedObject {
  readonly object: Obj;
  /** The file that it was written in, relative to the repository. */
  readonly file: string;
  /** Its name in that file. */
  readonly named: string;
}

export interface Rendered {
  readonly objects: readonly RenderedObject[];
  /** Resources of other places: nothing is fetched, so they are not among the objects. */
  readonly remote: readonly string[];
}

/** What a Git server has of a repository. */
export interface FluxRepository {
  /** Whether it has this branch or tag. */
  hasRef(name: string): Promise<boolean>;
  /** 40 hexadecimal digits. */
  revision(): Promise<string>;
  /**
   * `overlay` is what a Flux Kustomization adds to the kustomization.yaml of the folder: patches, components, a namespace, images.
   * Failure: an Error whose message is what kustomize says.
   */
  renderKustomization(path: string, overlay?: Obj): Promise<Rendered>;
}

const names = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];
const largestDepth = 20;
const notInGit = new Set(['.git', '.tk', 'node_modules']);

/**
 * A folder of files as a repository on a Git server: what `kustomize build` makes of it, as far as homelab repositories use it.
 *
 * Shape: what was read stays as it was until the next `revision()` finds other files, as an artifact does.
 * Source: kustomize api/internal/target/kusttarget.go, fluxcd/pkg kustomize/kustomize_generator.go
 */
export function repositoryOfFiles(files: Files, root: string): FluxRepository {
  const inRoot = (path: string) => posix.join(root, path);
  let documents = new Map<string, Promise<readonly Obj[]>>();
  let rendered = new Map<string, Promise<Rendered>>();
  let known = '';

  const parse = async (path: string): Promise<readonly Obj[]> => {
    const text = await files.readText(inRoot(path));
    if (text === undefined)
      throw new Error(
        `accumulating resources: accumulation err='accumulating resources from '${posix.basename(path)}': open ${path}: no such file or directory'`,
      );
    return documentsOf(path, text).flatMap((document) =>
      isObj(document) ? (textAt(document, 'kind') === 'List' ? listAt(document, 'items').filter(isObj) : [document]) : [],
    );
  };
  const read = (path: string): Promise<readonly Obj[]> => {
    const found = documents.get(path) ?? parse(path);
    documents.set(path, found);
    return found;
  };
  const textOf = (path: string) => files.readText(inRoot(path));
  const isFolder = async (path: string) => (await files.stat(inRoot(path)))?.kind === 'directory';
  const kustomizationIn = async (folder: string): Promise<string | undefined> => {
    for (const name of names) if ((await files.stat(inRoot(posix.join(folder, name))))?.kind === 'file') return posix.join(folder, name);
    return undefined;
  };
  const yamlBelow = async (folder: string): Promise<string[]> => {
    const found: string[] = [];
    for (const entry of await files.list(inRoot(folder))) {
      const path = posix.join(folder, entry.name);
      if (entry.kind === 'directory') found.push(...((await kustomizationIn(path)) === undefined ? await yamlBelow(path) : [path]));
      else if (/\.ya?ml$/.test(entry.name)) found.push(path);
    }
    return found;
  };

  /** Resources, generators, components, then the transformers of this file. Components see everything that is there already. */
  const accumulate = async (folder: string, spec: Obj, file: string, into: Accumulated, depth: number): Promise<void> => {
    if (depth > largestDepth) throw new Error(`cycle detected: candidate root '${folder}' contains visited root`);
    for (const resource of [...listAt(spec, 'resources'), ...listAt(spec, 'bases')].map(String)) {
      if (isRemote(resource)) {
        into.remote.push(resource);
        continue;
      }
      const path = posix.join(folder, resource);
      if (await isFolder(path)) {
        const inner = await build(path, depth + 1);
        add(into, inner.objects);
        into.remote.push(...inner.remote);
      } else add(into, (await read(path)).map(objectOf(path)));
    }
    const renamed: RenamedObject[] = [];
    for (const kind of ['ConfigMap', 'Secret']) {
      for (const generator of listAt(spec, kind === 'ConfigMap' ? 'configMapGenerator' : 'secretGenerator')) {
        const object = await generate({ folder, generator, kind, spec, textOf });
        into.objects = generated(into.objects, { object, file, named: textAt(generator, 'name') }, textAt(generator, 'behavior'));
        renamed.push({ kind, from: textAt(generator, 'name'), to: textAt(object, 'metadata', 'name') });
      }
    }
    for (const component of listAt(spec, 'components').map(String)) {
      if (isRemote(component)) {
        into.remote.push(component);
        continue;
      }
      const inner = posix.join(folder, component);
      const own = await kustomizationOf(inner);
      await accumulate(inner, own.spec, own.file, into, depth + 1);
    }
    const configured: Obj[] = [];
    for (const path of listAt(spec, 'configurations').map(String)) configured.push(...(await read(posix.join(folder, path))));
    const references = configured.flatMap(nameReferencesOf);
    into.objects = into.objects.map((one) => ({ ...one, object: withNewNames(one.object, renamed, references) }));
    into.objects = applyKustomizePatches(into.objects, await patchesOf(folder, spec));
    into.objects = transformed(into.objects, { ...spec, replacements: await replacementsOf(folder, spec) }, references);
  };
  const kustomizationOf = async (folder: string): Promise<{ readonly spec: Obj; readonly file: string }> => {
    const file = await kustomizationIn(folder);
    if (file === undefined)
      throw new Error(`unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in directory '${folder}'`);
    return { spec: (await read(file))[0] ?? {}, file };
  };
  const build = async (folder: string, depth: number, overlay: Obj = {}): Promise<Rendered> => {
    const into: Accumulated = { objects: [], remote: [] };
    const { spec, file } = await kustomizationOf(folder);
    await accumulate(folder, withOverlay(spec, overlay), file, into, depth);
    return into;
  };
  const patchesOf = async (folder: string, spec: Obj): Promise<Value[]> => {
    const inFile = async (path: string): Promise<string> => {
      const text = await textOf(posix.join(folder, path));
      if (text === undefined) throw new Error(`failed to get patch file (${path}) from ${folder}: no such file or directory`);
      return text;
    };
    const patches: Value[] = [];
    for (const path of listAt(spec, 'patchesStrategicMerge').map(String))
      patches.push({ patch: path.includes('\n') ? path : await inFile(path) });
    for (const patch of [...listAt(spec, 'patches'), ...listAt(spec, 'patchesJson6902')].filter(isObj)) {
      const path = textAt(patch, 'path');
      patches.push(path === '' ? patch : { ...patch, patch: await inFile(path) });
    }
    return patches;
  };
  const replacementsOf = async (folder: string, spec: Obj): Promise<Value[]> => {
    const found: Value[] = [];
    for (const one of listAt(spec, 'replacements')) {
      const path = textAt(one, 'path');
      if (path === '') found.push(one);
      else {
        const text = await textOf(posix.join(folder, path));
        if (text === undefined) throw new Error(`open ${posix.join(folder, path)}: no such file or directory`);
        for (const document of parseYamlBulk(text, { path }) as Value[]) found.push(...(Array.isArray(document) ? document : [document]));
      }
    }
    return found;
  };

  /** Without a kustomization.yaml the controller makes one that lists everything below. */
  const buildGenerated = async (folder: string, overlay: Obj): Promise<Rendered> => {
    const into: Accumulated = { objects: [], remote: [] };
    const resources = (await yamlBelow(folder)).map((path) => posix.relative(folder, path));
    await accumulate(folder, withOverlay({ resources }, overlay), posix.join(folder, 'kustomization.yaml'), into, 0);
    return into;
  };
  const render = async (folder: string, overlay: Obj): Promise<Rendered> => {
    if (!(await isFolder(folder)))
      throw new Error(`kustomization path not found: stat /tmp/kustomization/${folder}: no such file or directory`);
    return (await kustomizationIn(folder)) === undefined ? buildGenerated(folder, overlay) : build(folder, 0, overlay);
  };

  const hashOf = async (folder: string): Promise<string> => {
    const hash = createHash('sha1');
    for (const entry of await files.list(inRoot(folder))) {
      const path = posix.join(folder, entry.name);
      if (notInGit.has(entry.name)) continue;
      hash.update(`${path}\0`);
      hash.update(entry.kind === 'directory' ? await hashOf(path) : ((await files.read(inRoot(path))) ?? ''));
    }
    return hash.digest('hex');
  };

  return {
    hasRef: (name) => hasRef(files, root, name),
    async revision() {
      const found = await hashOf((await isFolder('kubernetes')) ? 'kubernetes' : '.');
      if (found !== known) [documents, rendered, known] = [new Map(), new Map(), found];
      return found;
    },
    renderKustomization(path, overlay = {}) {
      const folder = posix.join('.', path);
      const key = `${folder}\0${JSON.stringify(overlay)}`;
      const found = rendered.get(key) ?? render(folder, overlay);
      rendered.set(key, found);
      return found;
    },
  };
}

function documentsOf(path: string, text: string): Value[] {
  try {
    return parseYamlBulk(text.replace(/(^|[\s{,])(\*[\w-]+):(?=\s|$)/gm, '$1$2 :'), { path }) as Value[];
  } catch (error) {
    // Go's reader ends the name of an alias at a colon, and has other words for what is wrong; the place is the same.
    const { problem = 'malformed' } = error instanceof TkError ? error.failure.facts : {};
    const where = error instanceof TkError && error.failure.where?.kind === 'file' ? `${path}:${error.failure.where.line}` : path;
    throw new Error(`accumulating resources: MalformedYAMLError: ${String(problem)} in File: ${where}`);
  }
}

interface Accumulated {
  objects: RenderedObject[];
  readonly remote: string[];
}

const isRemote = (resource: string): boolean => /^(?:https?:\/\/|ssh:\/\/|git@|git::|(?:github|gitlab)\.com\/)|\?ref=/.test(resource);

const objectOf =
  (file: string) =>
  (object: Obj): RenderedObject => {
    const named = textAt(object, 'metadata', 'name') || textAt(object, 'metadata', 'generateName');
    if (textAt(object, 'kind') === '' || named === '')
      throw new Error(
        `accumulating resources: accumulation err='accumulating resources from '${posix.basename(file)}': missing ${textAt(object, 'kind') === '' ? 'kind' : 'metadata.name'} in object of ${file}'`,
      );
    return { object, file, named };
  };

/** Source: kustomize api/resmap/reswrangler.go (Append) */
function add(into: Accumulated, objects: readonly RenderedObject[]): void {
  const ids = new Set(into.objects.map(({ object }) => idOf(object)));
  for (const one of objects) {
    const id = idOf(one.object);
    if (ids.has(id)) throw new Error(`accumulating resources: may not add resource with an already registered id: ${id}`);
    ids.add(id);
    into.objects.push(one);
  }
}

function idOf(object: Obj): string {
  const apiVersion = textAt(object, 'apiVersion');
  const slash = apiVersion.indexOf('/');
  const itsGroup = slash === -1 ? '[noGrp]' : apiVersion.slice(0, slash);
  const { metadata } = object;
  return `${textAt(object, 'kind')}.${apiVersion.slice(slash + 1)}.${itsGroup}/${textAt(metadata, 'name') || textAt(metadata, 'generateName')}.${textAt(metadata, 'namespace') || '[noNs]'}`;
}

/** A generator adds, unless it says that it changes what is there. */
function generated(objects: readonly RenderedObject[], made: RenderedObject, behavior: string): RenderedObject[] {
  if (behavior !== 'merge' && behavior !== 'replace') return [...objects, made];
  const kind = textAt(made.object, 'kind');
  return objects.map((one) => {
    if (textAt(one.object, 'kind') !== kind || one.named !== made.named) return one;
    const [before, now] = [one.object.data, made.object.data];
    return {
      ...one,
      object: { ...one.object, data: behavior === 'merge' && isObj(before) && isObj(now) ? { ...before, ...now } : now } as Obj,
    };
  });
}

/** Source: fluxcd/pkg kustomize/kustomize_generator.go (WriteFile) */
function withOverlay(spec: Obj, overlay: Obj): Obj {
  const listed = (key: string): Obj => {
    const own = listAt(overlay, key);
    return own.length === 0 ? {} : { [key]: [...listAt(spec, key), ...own] };
  };
  const replacedBy = (key: string): Obj => (textAt(overlay, key) === '' ? {} : { [key]: textAt(overlay, key) });
  return {
    ...spec,
    ...listed('patches'),
    ...listed('components'),
    ...listed('images'),
    ...replacedBy('namespace'),
    ...replacedBy('namePrefix'),
    ...replacedBy('nameSuffix'),
  };
}

/**
 * Branches and tags that the clone knows. One that cannot tell (no clone, a single commit checked out, no commit yet) has whatever is
 * asked for.
 */
async function hasRef(files: Files, root: string, name: string): Promise<boolean> {
  const git = (path: string) => posix.join(root, '.git', path);
  const head = (await files.stat(git('.')))?.kind === 'directory' ? await files.readText(git('HEAD')) : undefined;
  const current = /^ref: refs\/heads\/(\S+)/.exec(head ?? '')?.[1];
  if (current === undefined || current === name) return true;
  const packed = ((await files.readText(git('packed-refs'))) ?? '').split('\n');
  const isThere = async (ref: string) => (await files.stat(git(ref))) !== undefined || packed.some((line) => line.endsWith(` ${ref}`));
  for (const folder of ['refs/heads', 'refs/tags', 'refs/remotes/origin']) if (await isThere(`${folder}/${name}`)) return true;
  return !(await isThere(`refs/heads/${current}`));
}
