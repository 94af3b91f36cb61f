import { posix } from 'node:path';
import type { DirectoryEntry, Files, FileStat } from '../../base/index.ts';

export interface OverlayOptions {
  readonly files: Files;
  /** The repository, only ever read. */
  readonly root: string;
  /** Where everything that is written below `root` really goes. */
  readonly layer: string;
  /** Repository files (relative, posix) that do not exist for the sandbox: real secrets, kubeconfig, generated configs. */
  readonly hides: (path: string) => boolean;
}

const whiteout = '.tk-removed';

/**
 * A copy-on-write view of a repository and of all that lies around it: paths stay what they are, writes land in the layer, removals leave
 * a mark. Only the folder of state below the repository, in which the layer lies, is written for real.
 */
export function overlayFiles({ files, root, layer, hides }: OverlayOptions): Files {
  const stateDirectory = posix.join(root, '.tk');
  const inside = (path: string) => path === root || path.startsWith(`${root}/`);
  const isState = (path: string) => path === stateDirectory || path.startsWith(`${stateDirectory}/`);
  const relative = (path: string) => posix.relative(root, path);
  /** `C:\backups` has a sign that no folder may have. */
  const within = (part: string, path: string) =>
    inside(path) ? posix.join(layer, part, relative(path)) : posix.join(layer, 'elsewhere', part, path.replaceAll(/[:\\]/g, '/'));
  const above = (path: string) => within('files', path);
  const removed = (path: string) => `${within('removed', path)}${whiteout}`;
  const covered = (path: string) => !isState(path);
  const visibleBelow = async (path: string) => !(inside(path) && hides(relative(path))) && (await files.stat(removed(path))) === undefined;

  const readThrough = async <T>(path: string, read: (path: string) => Promise<T | undefined>): Promise<T | undefined> => {
    if (!covered(path)) return read(path);
    return (await read(above(path))) ?? ((await visibleBelow(path)) ? read(path) : undefined);
  };
  const target = async (path: string): Promise<string> => {
    if (!covered(path)) return path;
    await files.remove(removed(path));
    return above(path);
  };

  return {
    read: (path) => readThrough(path, (real) => files.read(real)),
    readText: (path) => readThrough(path, (real) => files.readText(real)),
    stat: (path) => readThrough<FileStat>(path, (real) => files.stat(real)),
    async realPath(path) {
      // Links of the person's own folders lead where they lead; the layer has none.
      if (!covered(path) || (!inside(path) && (await files.stat(above(path))) === undefined)) return files.realPath(path);
      return (await readThrough(path, (real) => files.stat(real))) ? path : undefined;
    },
    async list(path) {
      if (!covered(path)) return files.list(path);
      const entries = new Map<string, DirectoryEntry>();
      for (const entry of await files.list(path)) if (await visibleBelow(posix.join(path, entry.name))) entries.set(entry.name, entry);
      for (const entry of await files.list(above(path))) entries.set(entry.name, entry);
      return [...entries.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    },
    write: async (path, content, options) => files.write(await target(path), content, options),
    append: async (path, options) => files.append(await target(path), options),
    makeDirectory: async (path, options) => files.makeDirectory(await target(path), options),
    async remove(path) {
      if (!covered(path)) return files.remove(path);
      await files.remove(above(path));
      if ((await files.stat(path)) !== undefined) await files.write(removed(path), '');
    },
    async removeTree(path) {
      if (!covered(path)) return files.removeTree(path);
      await files.removeTree(above(path));
      if ((await files.stat(path)) !== undefined) await files.write(removed(path), '');
    },
    lock: (path, owner) => files.lock(covered(path) ? above(path) : path, owner),
  };
}
