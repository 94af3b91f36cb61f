import { type Failure, type Files, placeOf, TkError } from '../base/index.ts';
import { configFailure } from './failures.ts';

/** Where talhelper users keep it, relative to the repository. */
export const talconfigPlaces: readonly string[] = [
  'talos/talconfig.yaml',
  'kubernetes/bootstrap/talos/talconfig.yaml',
  'setup/talos/talconfig.yaml',
  'iac/talos/talconfig.yaml',
  'infrastructure/talos/talconfig.yaml',
  'kubernetes/talos/talconfig.yaml',
  'clusters/main/talos/talconfig.yaml',
  'talconfig.yaml',
];

export const clusterFile = 'cluster.yaml';
export const nodesFile = 'nodes.yaml';

/** First line of a talconfig that `configure` rendered. Whoever takes it out makes the file his own. */
export const renderedMark = '# Rendered by tk configure';

export type ClusterSource =
  | { readonly kind: 'cluster.yaml' }
  /** `path` is relative to the repository. With `besides`, cluster.yaml and nodes.yaml lie there too and have to agree. */
  | { readonly kind: 'talconfig.yaml'; readonly path: string; readonly besides: boolean }
  /** A repository of tasks alone. */
  | { readonly kind: 'none' };

export interface Repository {
  /** Absolute. */
  readonly root: string;
  readonly source: ClusterSource;
  /** Relative to the repository. */
  readonly tasksConfig?: string;
}

export interface FindOptions {
  /** `from` and no directory above it. */
  readonly exactly?: boolean;
  /** Absolute: this talconfig, wherever it lies. */
  readonly talconfig?: string;
}

/**
 * Finds the repository that `from` lies in.
 *
 * Shape: the first directory upwards that holds `tasks.config.ts`, `cluster.yaml` and `nodes.yaml`, or a talconfig in a known place;
 * with `exactly` (the flag -C) that directory and no other. A talconfig that somebody wrote himself wins over cluster.yaml, and one
 * that was named (--talconfig) is asked before anything else.
 * Failure: `config/no-repository`, `config/other-inputs`, `config/ambiguous-cluster`, `config/missing-file` when one of the two inputs is there alone.
 */
export async function findRepository(files: Files, from: string, options: FindOptions = {}): Promise<Repository> {
  if (options.talconfig !== undefined) return repositoryOfTalconfig(files, from, options.talconfig);
  let lonely: Failure | undefined;
  for (const directory of options.exactly ? [from] : upwards(from)) {
    const found = (options.exactly ? undefined : await repositoryAround(files, directory)) ?? (await repositoryAt(files, directory));
    if (found) return found;
    lonely ??= await lonelyInput(files, directory);
  }
  lonely ??= (await unfilledTemplates(files, from)) ?? (await otherInputs(files, upwards(from)));
  if (lonely !== undefined) throw new TkError(lonely);
  const { talconfigs, others } = await inputsBelow(files, from);
  const [other] = talconfigs.length === 0 ? others : [];
  throw new TkError(
    (other && (await otherInput(files, from, ...other))) ?? configFailure('config/no-repository', { from, elsewhere: talconfigs }),
  );
}

const deepest = 4;
const shownElsewhere = 5;
/** Somebody may stand in his home: whoever looks for more than a moment helps nobody. */
const mostFolders = 500;

type OtherInput = readonly [path: string, program: string];

/** Relative to `from`, nearest first: clusters of a repository that has several, or one in an unusual place. */
async function inputsBelow(
  files: Files,
  from: string,
): Promise<{ readonly talconfigs: readonly string[]; readonly others: readonly OtherInput[] }> {
  const found: string[] = [];
  const others: OtherInput[] = [];
  const folders = [''];
  for (let next = 0; next < Math.min(folders.length, mostFolders) && found.length < shownElsewhere; next += 1) {
    const folder = folders[next] as string;
    for (const { name, kind } of await files.list(folder === '' ? from : `${from}/${folder}`)) {
      const path = folder === '' ? name : `${folder}/${name}`;
      if (kind === 'file' && /^talconfig\.ya?ml$/.test(name)) found.push(path);
      const program = kind === 'file' ? otherNames.get(name) : undefined;
      if (program !== undefined && !path.startsWith('templates/')) others.push([path, program]);
      const isLookedInto = kind === 'directory' && !name.startsWith('.') && name !== 'node_modules';
      if (isLookedInto && path.split('/').length <= deepest) folders.push(path);
    }
  }
  return { talconfigs: found.slice(0, shownElsewhere), others };
}

/** What other programs make machine configs of, and tk does not read. */
const otherPlaces: readonly OtherInput[] = [
  ['talos/topf.yaml', 'topf'],
  ['topf.yaml', 'topf'],
  ['cluster.toml', 'topf'],
  ['talos/machineconfig.yaml.j2', 'minijinja-cli'],
  ['talos/talconfig.yaml.j2', 'minijinja-cli'],
  ['talos/cluster.yaml.j2', 'minijinja-cli'],
  ['talos/controlplane.yaml.j2', 'minijinja-cli'],
  ['config.yaml', 'cluster-template before 2025'],
  ['config.sample.yaml', 'cluster-template before 2025'],
];

/** Names that say enough wherever they lie. */
const otherNames: ReadonlyMap<string, string> = new Map([
  ['topf.yaml', 'topf'],
  ['machineconfig.yaml.j2', 'minijinja-cli'],
]);

/** Other programs have files of these names, too. */
const ownKeys: Readonly<Record<string, RegExp>> = {
  // cluster-template's names the network of the nodes.
  'cluster.toml': /^\s*node_cidr\s*=/m,
  'config.yaml': /^bootstrap_node_\w+:/m,
  'config.sample.yaml': /^bootstrap_node_\w+:/m,
};

async function otherInputs(files: Files, directories: readonly string[]): Promise<Failure | undefined> {
  for (const directory of directories)
    for (const [path, program] of otherPlaces) {
      const found = await otherInput(files, directory, path, program);
      if (found !== undefined) return found;
    }
  return undefined;
}

async function otherInput(files: Files, directory: string, path: string, program: string): Promise<Failure | undefined> {
  const text = await files.readText(`${directory}/${path}`);
  if (text === undefined || ownKeys[path]?.test(text) === false) return undefined;
  return configFailure('config/other-inputs', { path, program }, { where: placeOf({ file: { path, text }, start: 0, end: 1 }) });
}

/**
 * The folder of a talconfig in a known place is no repository of its own: whoever stands in `talos/` means the one around it, and so does
 * who stands in the folder of one of several clusters.
 */
async function repositoryAround(files: Files, directory: string): Promise<Repository | undefined> {
  // The deepest first: `kubernetes/bootstrap/talos` ends in `talos`, too.
  for (const place of [...talconfigPlaces].sort((a, b) => b.length - a.length)) {
    const folder = `/${place.slice(0, Math.max(0, place.lastIndexOf('/')))}`;
    for (const part of place.startsWith('clusters/') ? [folder, folder.slice(0, folder.lastIndexOf('/'))] : [folder]) {
      if (part === '/' || !directory.endsWith(part)) continue;
      const found = await repositoryAt(files, directory.slice(0, -part.length));
      if (found?.source.kind === 'talconfig.yaml' && found.source.path === place) return found;
    }
  }
  return undefined;
}

/** Its root is the nearest directory above that git or tk knows, else where the command was started. Failure: `config/missing-file`. */
async function repositoryOfTalconfig(files: Files, from: string, talconfig: string): Promise<Repository> {
  if ((await files.stat(talconfig))?.kind !== 'file')
    throw new TkError(configFailure('config/missing-file', { path: talconfig, neededBy: '--talconfig' }));
  const folder = talconfig.slice(0, talconfig.lastIndexOf('/'));
  let root: string | undefined;
  for (const directory of upwards(folder)) {
    const marks = await Promise.all(['.git', 'tasks.config.ts'].map((name) => files.stat(`${directory}/${name}`)));
    if (marks.some((mark) => mark !== undefined)) root ??= directory;
  }
  root ??= folder === from || folder.startsWith(`${from}/`) ? from : folder;
  const tasksConfig = (await files.stat(`${root}/tasks.config.ts`))?.kind === 'file' ? { tasksConfig: 'tasks.config.ts' } : {};
  return { root, ...tasksConfig, source: { kind: 'talconfig.yaml', path: talconfig.slice(root.length + 1), besides: false } };
}

function upwards(from: string): string[] {
  const directories = [from];
  for (let end = from.lastIndexOf('/'); end > 0; end = from.lastIndexOf('/', end - 1)) directories.push(from.slice(0, end));
  return directories;
}

async function repositoryAt(files: Files, root: string): Promise<Repository | undefined> {
  const isFile = async (path: string) => (await files.stat(`${root}/${path}`))?.kind === 'file';
  const tasksConfig = (await isFile('tasks.config.ts')) ? { tasksConfig: 'tasks.config.ts' } : {};
  const hasInputs = (await isFile(clusterFile)) && (await isFile(nodesFile));
  const talconfigs: string[] = [];
  for (const place of talconfigPlaces) if (await isFile(place)) talconfigs.push(place);
  const [first, second] = talconfigs;
  if (first !== undefined && second !== undefined) throw new TkError(configFailure('config/ambiguous-cluster', { first, second }));
  const rendered = first !== undefined && (await isRendered(files, root, first));
  if (rendered && !hasInputs) {
    // What was rendered from an input that has gone since says nothing about what is wanted now.
    const lonely = await lonelyInput(files, root);
    if (lonely) throw new TkError(lonely);
  }
  if (first !== undefined && !(hasInputs && rendered)) {
    return { root, ...tasksConfig, source: { kind: 'talconfig.yaml', path: first, besides: hasInputs } };
  }
  if (hasInputs) return { root, ...tasksConfig, source: { kind: 'cluster.yaml' } };
  return tasksConfig.tasksConfig === undefined ? undefined : { root, ...tasksConfig, source: { kind: 'none' } };
}

/** By its first line, or because a template of the repository makes it. */
async function isRendered(files: Files, root: string, path: string): Promise<boolean> {
  if ((await files.readText(`${root}/${path}`))?.includes(renderedMark)) return true;
  for (const templates of ['templates/config', 'templates/overrides', 'templates']) {
    if (await files.stat(`${root}/${templates}/${path}.j2`)) return true;
  }
  return false;
}

async function lonelyInput(files: Files, directory: string): Promise<Failure | undefined> {
  const [cluster, nodes] = await Promise.all([clusterFile, nodesFile].map((file) => files.readText(`${directory}/${file}`)));
  // Other programs have a cluster.yaml too; ours names the network of the nodes.
  if (cluster !== undefined && nodes === undefined && /^node_cidr\s*:/m.test(cluster)) {
    const where = placeOf({ file: { path: clusterFile, text: cluster }, start: 0, end: 1 });
    return configFailure('config/missing-file', { path: nodesFile, neededBy: clusterFile }, { where });
  }
  if (cluster === undefined && nodes !== undefined && /^nodes\s*:/m.test(nodes)) {
    const where = placeOf({ file: { path: nodesFile, text: nodes }, start: 0, end: 1 });
    return configFailure('config/missing-file', { path: clusterFile, neededBy: nodesFile }, { where });
  }
  return undefined;
}

/** Templates of which the inputs are not here: those who use them keep them out of git. */
async function unfilledTemplates(files: Files, directory: string): Promise<Failure | undefined> {
  const path = 'makejinja.toml';
  const text = await files.readText(`${directory}/${path}`);
  const [, data = ''] = /^data\s*=\s*\[([^\]]*)\]/m.exec(text ?? '') ?? [];
  const named = /["'](?:\.\/)?cluster\.yaml["']/.exec(data);
  if (text === undefined || named === null) return undefined;
  const start = text.indexOf(data) + named.index;
  const where = placeOf({ file: { path, text }, start, end: start + named[0].length });
  return configFailure('config/missing-file', { path: clusterFile, neededBy: path }, { where });
}
