import { posix } from 'node:path';
import type { AppendFile, DirectoryEntry, Files, FileStat } from '../base/index.ts';

/**
 * A layer over real files that takes every write and keeps it in memory. With it a plan can do what writes a file on the way
 * (pulled charts, a sandbox, what `configure` would render) and still leaves no trace.
 */
export interface ScratchFiles {
  /** The same layer over these files; worlds that share it see each other's writes. */
  over(files: Files): Files;
}

type Entry =
  | { readonly kind: 'file'; content: Uint8Array; readonly mode: number; readonly modifiedMs: number }
  | { readonly kind: 'directory'; readonly mode: number };

export function createScratchFiles(now: () => number): ScratchFiles {
  const entries = new Map<string, Entry>();
  /** What really lies at and below these is hidden, for good: a folder that is made again begins empty. */
  const removed = new Set<string>();
  const locks = new Map<string, string>();

  /** Whether the real thing at the path shows through. */
  const showsThrough = (path: string): boolean => {
    if (entries.get(path)?.kind === 'file') return false;
    for (let at = path; ; at = posix.dirname(at)) {
      if (removed.has(at)) return false;
      if (at === posix.dirname(at)) return true;
    }
  };
  const makeParents = (path: string) => {
    for (let at = posix.dirname(path); at !== posix.dirname(at) && !showsThrough(at); at = posix.dirname(at)) {
      if (!entries.has(at)) entries.set(at, { kind: 'directory', mode: 0o755 });
    }
  };
  const put = (path: string, content: Uint8Array, mode: number) => {
    makeParents(path);
    entries.set(path, { kind: 'file', content, mode, modifiedMs: now() });
  };

  const over = (files: Files): Files => {
    const stat = async (path: string): Promise<FileStat | undefined> => {
      const entry = entries.get(path);
      if (entry?.kind === 'file') return { kind: 'file', sizeBytes: entry.content.length, mode: entry.mode, modifiedMs: entry.modifiedMs };
      if (entry?.kind === 'directory') return { kind: 'directory', sizeBytes: 0, mode: entry.mode, modifiedMs: 0 };
      const real = showsThrough(path) ? await files.stat(path) : undefined;
      if (real !== undefined) return real;
      const holdsNew = [...entries.keys()].some((other) => other.startsWith(`${path}/`));
      return holdsNew ? { kind: 'directory', sizeBytes: 0, mode: 0o755, modifiedMs: 0 } : undefined;
    };
    const read = async (path: string): Promise<Uint8Array | undefined> => {
      const entry = entries.get(path);
      if (entry?.kind === 'file') return entry.content.slice();
      return showsThrough(path) ? files.read(path) : undefined;
    };
    return {
      read,
      async readText(path) {
        const entry = entries.get(path);
        if (entry?.kind === 'file') return Buffer.from(entry.content).toString('utf8');
        return showsThrough(path) ? files.readText(path) : undefined;
      },
      stat,
      async list(path) {
        const found = new Map<string, DirectoryEntry>();
        for (const entry of showsThrough(path) ? await files.list(path) : []) {
          if (showsThrough(posix.join(path, entry.name))) found.set(entry.name, entry);
        }
        const prefix = path === '/' ? '/' : `${path}/`;
        for (const [other, { kind }] of entries) {
          if (!other.startsWith(prefix)) continue;
          const [name = '', ...below] = other.slice(prefix.length).split('/');
          if (below.length > 0) found.set(name, { name, kind: 'directory' });
          else found.set(name, { name, kind });
        }
        return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
      },
      async write(path, content, options) {
        const mode = options?.mode ?? (await stat(path))?.mode ?? 0o644;
        put(path, typeof content === 'string' ? Buffer.from(content) : content.slice(), mode);
      },
      async append(path, options): Promise<AppendFile> {
        const before = (await read(path)) ?? new Uint8Array();
        put(path, before, options?.mode ?? 0o644);
        return {
          async write(text) {
            const entry = entries.get(path);
            if (entry?.kind === 'file') entry.content = Buffer.concat([entry.content, Buffer.from(text)]);
          },
          async close() {},
        };
      },
      remove: async (path) => hide(path),
      removeTree: async (path) => hide(path),
      async makeDirectory(path, options) {
        if ((await stat(path)) !== undefined) return;
        makeParents(path);
        entries.set(path, { kind: 'directory', mode: options?.mode ?? 0o755 });
      },
      async realPath(path) {
        if (showsThrough(path)) {
          const real = await files.realPath(path);
          if (real !== undefined) return real;
        }
        return (await stat(path)) === undefined ? undefined : path;
      },
      async lock(path, owner) {
        const heldBy = locks.get(path);
        if (heldBy !== undefined) return { heldBy };
        locks.set(path, owner);
        return { release: async () => void locks.delete(path) };
      },
    };
  };
  const hide = (path: string) => {
    for (const other of entries.keys()) if (other === path || other.startsWith(`${path}/`)) entries.delete(other);
    removed.add(path);
  };
  return { over };
}
