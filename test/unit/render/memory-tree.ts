import { posix } from 'node:path';
import type { DirectoryEntry, Files, FileStat } from '../../../lib/base/index.ts';

/** Files in a map, links included; enough of the port to render and to write trees. */
export function memoryTree(initial: Readonly<Record<string, string>>, links: Readonly<Record<string, string>> = {}) {
  const content = new Map<string, Uint8Array>(Object.entries(initial).map(([path, text]) => [path, new TextEncoder().encode(text)]));
  const modes = new Map<string, number>();
  const writes: string[] = [];
  const resolve = (path: string): string => {
    for (const [link, target] of Object.entries(links))
      if (path === link || path.startsWith(`${link}/`)) return resolve(target + path.slice(link.length));
    return path;
  };
  const isFolder = (path: string) =>
    [...content.keys(), ...Object.keys(links)].some((name) => name.startsWith(path === '/' ? '/' : `${path}/`));
  const stat = async (path: string): Promise<FileStat | undefined> => {
    const real = resolve(path);
    const bytes = content.get(real);
    if (bytes) return { kind: 'file', sizeBytes: bytes.length, mode: modes.get(real) ?? 0o644, modifiedMs: 0 };
    return isFolder(real) ? { kind: 'directory', sizeBytes: 0, mode: 0o755, modifiedMs: 0 } : undefined;
  };
  const files: Files = {
    read: async (path) => content.get(resolve(path)),
    readText: async (path) => {
      const bytes = content.get(resolve(path));
      return bytes && new TextDecoder().decode(bytes);
    },
    stat,
    async list(path) {
      const real = resolve(path);
      const entries = new Map<string, DirectoryEntry['kind']>();
      for (const name of content.keys()) {
        if (!name.startsWith(real === '/' ? '/' : `${real}/`)) continue;
        const [first = '', ...rest] = name
          .slice(real.length)
          .split('/')
          .filter((part) => part !== '');
        entries.set(first, rest.length > 0 ? 'directory' : 'file');
      }
      for (const link of Object.keys(links)) if (posix.dirname(link) === real) entries.set(posix.basename(link), 'link');
      return [...entries].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, kind]) => ({ name, kind }));
    },
    async write(path, data, options) {
      writes.push(path);
      content.set(resolve(path), typeof data === 'string' ? new TextEncoder().encode(data) : data);
      if (options?.mode !== undefined) modes.set(resolve(path), options.mode);
    },
    remove: async (path) => {
      content.delete(resolve(path));
    },
    realPath: async (path) => ((await stat(path)) ? resolve(path) : undefined),
    append: () => Promise.reject(new Error('not here')),
    removeTree: () => Promise.reject(new Error('not here')),
    makeDirectory: async () => {},
    lock: () => Promise.reject(new Error('not here')),
  };
  const texts = () => Object.fromEntries([...content].map(([path, bytes]) => [path, new TextDecoder().decode(bytes)]));
  return { files, writes, texts };
}
