import { posix } from 'node:path';
import { type DirectoryEntry, type Failure, type Files, throwIfAny } from '../base/index.ts';
import { renderFailure } from './failures.ts';
import { isInside, type PlannedFile } from './tree.ts';

export interface ApplyOptions {
  readonly files: Files;
  /** Absolute; nothing outside of it is ever touched. */
  readonly root: string;
  readonly outputs: readonly PlannedFile[];
  /**
   * Absolute path of the list of files that we wrote. It belongs into the repository, committed beside what it lists: a fresh
   * clone must know what is ours.
   */
  readonly manifest: string;
  /** Further lines at the beginning of that list, each with `#` and a line break. */
  readonly note?: string;
  /** What happens to a different file that is there already and was not written by us. Default: `refuse`. */
  readonly strangers?: 'refuse' | 'overwrite';
  /** Return true where an existing file says the same although its bytes differ (encrypted files). */
  readonly isSame?: (path: string, existing: Uint8Array, planned: PlannedFile) => boolean;
}

/** So many files are written side by side. */
const atOnce = 32;

/** What writing a rendered tree will do; `before` is absent for new files. Paths are relative to the root. */
export interface TreeChanges {
  readonly written: readonly { readonly path: string; readonly before?: Uint8Array; readonly file: PlannedFile }[];
  readonly unchanged: readonly string[];
  /** Listed as ours, rendered no longer. */
  readonly removed: readonly string[];
  readonly manifest: { readonly path: string; readonly text: string; readonly isChanged: boolean };
}

/**
 * Compares a rendered tree with what is there. Writes nothing.
 *
 * Failure: `render/outside` and `render/not-ours`, all of them at once.
 */
export async function planTree(options: ApplyOptions): Promise<TreeChanges> {
  const { files, root, outputs } = options;
  const ours = await readManifest(options);
  const failures: Failure[] = [];
  const written: { path: string; before?: Uint8Array; file: PlannedFile }[] = [];
  const unchanged: string[] = [];
  const isContained = await containment(files, root);
  for (const file of outputs) {
    if (!(await isContained(file.path))) {
      failures.push(renderFailure('render/outside', { path: file.path, output: root }));
      continue;
    }
    const before = await files.read(posix.join(root, file.path));
    if (before === undefined) written.push({ path: file.path, file });
    else if (isEqual(before, bytesOf(file.content)) || options.isSame?.(file.path, before, file)) unchanged.push(file.path);
    else if (!ours.has(file.path) && options.strangers !== 'overwrite')
      failures.push(renderFailure('render/not-ours', { path: file.path }));
    else written.push({ path: file.path, before, file });
  }
  throwIfAny(failures);
  const planned = new Set(outputs.map((file) => file.path));
  const removed: string[] = [];
  for (const path of ours) {
    if (!planned.has(path) && (await isContained(path)) && (await files.stat(posix.join(root, path)))?.kind === 'file') removed.push(path);
  }
  const text = manifestText(planned, options.note);
  const isChanged = (await files.readText(options.manifest)) !== text;
  return { written, unchanged, removed, manifest: { path: options.manifest, text, isChanged } };
}

/**
 * Carries out what `planTree` decided: each file atomically, the manifest before the first new file and after the last removal,
 * so that a killed run never leaves a file that nobody owns up to.
 */
export async function applyTree(options: ApplyOptions, changes: TreeChanges): Promise<void> {
  const { files, root } = options;
  if (changes.manifest.isChanged) {
    const union = new Set([...(await readManifest(options)), ...options.outputs.map((file) => file.path)]);
    await files.write(changes.manifest.path, manifestText(union, options.note));
  }
  // Each write waits for the disk: several at once do so together.
  for (let start = 0; start < changes.written.length; start += atOnce) {
    const some = changes.written.slice(start, start + atOnce);
    await Promise.all(some.map(({ path, file }) => files.write(posix.join(root, path), file.content, { mode: file.mode })));
  }
  for (const path of changes.removed) {
    await files.remove(posix.join(root, path));
    await removeEmptyFolders(files, root, posix.dirname(path));
  }
  if (changes.manifest.isChanged) await files.write(changes.manifest.path, changes.manifest.text);
}

async function removeEmptyFolders(files: Files, root: string, folder: string): Promise<void> {
  for (let current = folder; current !== '.' && current !== '/'; current = posix.dirname(current)) {
    if ((await files.list(posix.join(root, current))).length > 0) return;
    await files.remove(posix.join(root, current));
  }
}

/**
 * Whether a path stays inside: no step up, no absolute path, no link on the way that leads out, and no link as the file itself. A
 * folder is looked at once.
 */
async function containment(files: Files, root: string): Promise<(path: string) => Promise<boolean>> {
  const realRoot = (await files.realPath(root)) ?? root;
  const entries = new Map<string, ReadonlyMap<string, DirectoryEntry['kind']>>();
  const isFile = async (path: string): Promise<boolean> => {
    const folder = posix.dirname(path);
    let found = entries.get(folder);
    if (found === undefined) {
      found = new Map((await files.list(posix.join(root, folder))).map(({ name, kind }) => [name, kind]));
      entries.set(folder, found);
    }
    return (found.get(posix.basename(path)) ?? 'file') === 'file';
  };
  const insides = new Map<string, boolean>();
  const isFolderInside = async (folder: string): Promise<boolean> => {
    let inside = insides.get(folder);
    if (inside === undefined) {
      const real = await files.realPath(folder);
      inside = real !== undefined ? isInside(real, realRoot) : folder === root || (await isFolderInside(posix.dirname(folder)));
      insides.set(folder, inside);
    }
    return inside;
  };
  return async (path) => {
    if (path === '' || posix.isAbsolute(path) || path.split('/').some((part) => part === '..' || part === '.git') || path.includes('\0'))
      return false;
    return (await isFile(path)) && isFolderInside(posix.dirname(posix.join(root, path)));
  };
}

/** One path a line, sorted; lines that begin with `#` say what the file is. */
const manifestHead = '# Files that tk rendered. Anything that is not listed here is never changed or deleted by it.\n';

function manifestText(paths: Iterable<string>, note = ''): string {
  return `${manifestHead}${note}${[...paths].sort().join('\n')}\n`;
}

async function readManifest({ files, manifest }: ApplyOptions): Promise<ReadonlySet<string>> {
  const text = (await files.readText(manifest)) ?? '';
  return new Set(text.split(/\r?\n/).filter((line) => line !== '' && !line.startsWith('#')));
}

const bytesOf = (content: string | Uint8Array): Uint8Array => (typeof content === 'string' ? new TextEncoder().encode(content) : content);

const isEqual = (left: Uint8Array, right: Uint8Array): boolean =>
  left.length === right.length && left.every((byte, index) => byte === right[index]);
