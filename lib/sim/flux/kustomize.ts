import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import type { Files } from '../../base/index.ts';
import { parseYamlBulk } from '../../format/index.ts';
import { mergePatch } from '../kube/patches.ts';
import { isObj, listAt, type Obj, objAt, textAt, type Value } from '../kube/value.ts';
import { nameReferencesOf, type RenamedObject, withNewNames } from './name-references.ts';
import { applyKustomizePatches } from './patches.ts';

export interface RenderedObject {
  readonly object: Obj;
  /** The file that it was written in, relative to the repository. */
  readonly file: string;
}

/** What a Git server has of a repository. */
export interface FluxRepository {
  /** Whether it has this branch or tag. */
  hasRef(name: string): Promise<boolean>;
  /** 40 hexadecimal digits. */
  revision(): Promise<string>;
  /** Failure: an Error whose message is what kustomize says. */
  renderKustomization(path: string): Promise<readonly RenderedObject[]>;
}

const names = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];
const largestDepth = 20;

/**
 * A folder of files as a repository on a Git server: what `kustomize build` makes of it, as far as homelab repositories use it.
 * Source: kustomize api/internal/target/kusttarget.go, fluxcd/pkg kustomize/kustomize_generator.go
 */
export function repositoryOfFiles(files: Files, root: string): FluxRepository {
  const inRoot = (path: string) => posix.join(root, path);

  const read = async (path: string): Promise<Obj[]> => {
    const text = await files.readText(inRoot(path));
    if (text === undefined)
      throw new Error(
        `accumulating resources: accumulation err='accumulating resources from '${posix.basename(path)}': open ${path}: no such file or directory'`,
      );
    return (parseYamlBulk(text, { path }) as Value[]).flatMap((document) =>
      isObj(document) ? (textAt(document, 'kind') === 'List' ? listAt(document, 'items').filter(isObj) : [document]) : [],
    );
  };
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

  const build = async (folder: string, depth: number): Promise<RenderedObject[]> => {
    if (depth > largestDepth) throw new Error(`cycle detected: candidate root '${folder}' contains visited root`);
    const file = await kustomizationIn(folder);
    if (file === undefined)
      throw new Error(`unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in directory '${folder}'`);
    const [spec = {}] = await read(file);
    let objects: RenderedObject[] = [];
    for (const list of ['resources', 'components', 'bases']) {
      for (const resource of listAt(spec, list).map(String)) {
        if (/^https?:\/\//.test(resource)) throw new Error(`accumulating resources: '${resource}' cannot be fetched in the sandbox`);
        const path = posix.join(folder, resource);
        const isFolder = (await files.stat(inRoot(path)))?.kind === 'directory';
        objects.push(...(isFolder ? await build(path, depth + 1) : (await read(path)).map((object) => ({ object, file: path }))));
      }
    }
    const renamed: RenamedObject[] = [];
    for (const kind of ['ConfigMap', 'Secret']) {
      for (const generator of listAt(spec, kind === 'ConfigMap' ? 'configMapGenerator' : 'secretGenerator')) {
        const object = await generate(folder, generator, kind, spec);
        objects.push({ object, file });
        renamed.push({ kind, from: textAt(generator, 'name'), to: textAt(object, 'metadata', 'name') });
      }
    }
    const configured: Obj[] = [];
    for (const path of renamed.length === 0 ? [] : listAt(spec, 'configurations').map(String))
      configured.push(...(await read(posix.join(folder, path))));
    const references = configured.flatMap(nameReferencesOf);
    objects = objects.map((one) => ({ ...one, object: withNewNames(one.object, renamed, references) }));
    const patches: Value[] = [];
    for (const patch of listAt(spec, 'patches')) {
      const path = textAt(patch, 'path');
      patches.push(path === '' ? patch : { ...objAt(patch), patch: (await files.readText(inRoot(posix.join(folder, path)))) ?? '' });
    }
    for (const path of listAt(spec, 'patchesStrategicMerge').map(String))
      patches.push({ patch: path.includes('\n') ? path : ((await files.readText(inRoot(posix.join(folder, path)))) ?? '') });
    objects = applyKustomizePatches(objects, patches);
    const namespace = textAt(spec, 'namespace');
    const labels = Object.assign({}, objAt(spec, 'commonLabels'), ...listAt(spec, 'labels').map((one) => objAt(one, 'pairs'))) as Obj;
    return objects.map(({ object, file: from }) => {
      const extra: Obj = {
        ...(namespace === '' || isClusterScoped(object) ? {} : { namespace }),
        // Source: kustomize api/internal/konfig/builtinpluginconsts/namespace.go
        ...(namespace !== '' && textAt(object, 'kind') === 'Namespace' ? { name: namespace } : {}),
        ...(Object.keys(labels).length === 0 ? {} : { labels }),
        ...(isObj(spec.commonAnnotations) ? { annotations: spec.commonAnnotations } : {}),
      };
      return { object: Object.keys(extra).length === 0 ? object : (mergePatch(object, { metadata: extra }) as Obj), file: from };
    });
  };

  const generate = async (folder: string, generator: Value, kind: string, spec: Obj): Promise<Obj> => {
    const data: Obj = {};
    const encode = (text: string) => (kind === 'Secret' ? Buffer.from(text).toString('base64') : text);
    for (const entry of listAt(generator, 'files').map(String)) {
      const [key, path] = entry.includes('=')
        ? [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]
        : [posix.basename(entry), entry];
      const text = await files.readText(inRoot(posix.join(folder, path)));
      if (text === undefined)
        throw new Error(`loading KV pairs: file sources: [${entry}]: evalsymlink failure on '${path}' : no such file or directory`);
      data[key] = encode(text);
    }
    for (const literal of listAt(generator, 'literals').map(String))
      data[literal.slice(0, literal.indexOf('='))] = encode(literal.slice(literal.indexOf('=') + 1));
    const options = { ...objAt(spec, 'generatorOptions'), ...objAt(generator, 'options') };
    const hash =
      options.disableNameSuffixHash === true ? '' : `-${createHash('sha256').update(JSON.stringify(data)).digest('hex').slice(0, 10)}`;
    const namespace = textAt(generator, 'namespace');
    return {
      apiVersion: 'v1',
      kind,
      metadata: { name: `${textAt(generator, 'name')}${hash}`, ...(namespace === '' ? {} : { namespace }) },
      data,
    };
  };

  const hashOf = async (folder: string): Promise<string> => {
    const hash = createHash('sha1');
    for (const entry of await files.list(inRoot(folder))) {
      const path = posix.join(folder, entry.name);
      if (entry.name === '.git' || entry.name === '.tk' || entry.name === 'node_modules') continue;
      hash.update(`${path}\0`);
      hash.update(entry.kind === 'directory' ? await hashOf(path) : ((await files.read(inRoot(path))) ?? ''));
    }
    return hash.digest('hex');
  };

  return {
    hasRef: (name) => hasRef(files, root, name),
    revision: () => hashOf('kubernetes'),
    async renderKustomization(path) {
      const folder = posix.join('.', path);
      if ((await files.stat(inRoot(folder)))?.kind !== 'directory')
        throw new Error(`kustomization path not found: stat /tmp/kustomization/${folder}: no such file or directory`);
      if ((await kustomizationIn(folder)) !== undefined) return build(folder, 0);
      // Without a kustomization.yaml the controller makes one that lists everything below.
      const found: RenderedObject[] = [];
      for (const file of await yamlBelow(folder)) {
        const isFolder = (await files.stat(inRoot(file)))?.kind === 'directory';
        found.push(...(isFolder ? await build(file, 1) : (await read(file)).map((object) => ({ object, file }))));
      }
      return found;
    },
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

const clusterScoped = new Set(
  'Namespace Node PersistentVolume ClusterRole ClusterRoleBinding CustomResourceDefinition StorageClass PriorityClass IngressClass APIService MutatingWebhookConfiguration ValidatingWebhookConfiguration RuntimeClass ClusterIssuer GatewayClass CiliumLoadBalancerIPPool CiliumL2AnnouncementPolicy CiliumBGPClusterConfig CiliumBGPPeerConfig CiliumBGPAdvertisement CiliumClusterwideNetworkPolicy TalosUpgrade KubernetesUpgrade'.split(
    ' ',
  ),
);

/** kustomize knows it of built-in kinds; of others the API server takes the namespace out. */
export const isClusterScoped = (object: Obj): boolean => clusterScoped.has(textAt(object, 'kind'));
