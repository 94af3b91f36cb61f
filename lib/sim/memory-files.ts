import { type DirectoryEntry, failuresOf, type Files, type Random, TkError } from '../base/index.ts';

/** Codes of the host that its stand-ins here raise as well; the words for them are the host's. */
type FilePortFailures = { 'host/file': { operation: string; path: string; errno: string } };
const fileFailure = failuresOf<FilePortFailures>();

export interface MemoryFiles extends Files {
  /** What a power cut leaves: of an append that was not synced, any part of it; locks are gone. */
  crash(random: Random): void;
  /** Every file with its text, sorted by path. */
  snapshot(): Readonly<Record<string, string>>;
  /** Of one file, what is on the disk for certain. */
  durable(path: string): string | undefined;
  /** Every file with its mode: another file system can begin with them. */
  copy(): Readonly<Record<string, Exclude<InitialFile, string>>>;
}

export type InitialFile = string | { readonly content: Uint8Array; readonly mode: number };

interface MemoryFile {
  /** As it was last written or appended to; joined when somebody reads it. */
  parts: (string | Uint8Array)[];
  /** How many of the parts are on the disk. */
  durableParts: number;
  mode: number;
  modifiedMs: number;
}

/** Bytes and text of one part are the same thing; which of them is at hand depends on who wrote it. */
const bytesOf = (part: string | Uint8Array): Uint8Array => (typeof part === 'string' ? Buffer.from(part) : part);
function textOf(part: string | Uint8Array): string {
  if (typeof part === 'string') return part;
  const text = texts.get(part) ?? Buffer.from(part.buffer, part.byteOffset, part.byteLength).toString('utf8');
  texts.set(part, text);
  return text;
}
/** Of parts that are bytes: nobody changes them. */
const texts = new WeakMap<Uint8Array, string>();

/** All of a file as one part. Joining texts costs nothing, and who reads the same text twice gets the same one. */
function joined(file: MemoryFile): string | Uint8Array {
  const [only] = file.parts;
  if (file.parts.length === 1 && only !== undefined) return only;
  return file.parts.every((part) => typeof part === 'string') ? file.parts.join('') : Buffer.concat(file.parts.map(bytesOf));
}

/** Says which errno an operation ends with now, if any: a full disk, a file system that is read-only. */
export type FileTrouble = (operation: 'read' | 'write' | 'append' | 'remove' | 'mkdir', path: string) => string | undefined;

/** A file system in memory. `write` is atomic and durable, as the port promises; `append` is durable only when synced. */
export function createMemoryFiles(
  now: () => number,
  initial: Readonly<Record<string, InitialFile>> = {},
  trouble: FileTrouble = () => undefined,
): MemoryFiles {
  const files = new Map<string, MemoryFile>();
  const directories = new Map<string, number>([['/', 0o755]]);
  const locks = new Map<string, string>();

  const normal = (path: string) => (path.length > 1 && path.endsWith('/') ? path.replace(/\/+$/, '') : path);
  const parentOf = (path: string) => path.slice(0, Math.max(1, path.lastIndexOf('/')));
  const makeParents = (path: string, mode = 0o755) => {
    for (let parent = parentOf(path); !directories.has(parent); parent = parentOf(parent)) {
      if (files.has(parent)) throw new TkError(fileFailure('host/file', { operation: 'mkdir', path: parent, errno: 'ENOTDIR' }));
      directories.set(parent, mode);
    }
  };
  const refuseDirectory = (operation: string, path: string) => {
    if (directories.has(path)) throw new TkError(fileFailure('host/file', { operation, path, errno: 'EISDIR' }));
  };
  const attempt = (operation: Parameters<FileTrouble>[0], path: string) => {
    const errno = trouble(operation, path);
    if (errno !== undefined) throw new TkError(fileFailure('host/file', { operation, path, errno }));
  };
  const put = (path: string, content: string | Uint8Array, mode: number | undefined) => {
    refuseDirectory('write', path);
    makeParents(path);
    files.set(path, { parts: [content], durableParts: 1, mode: mode ?? files.get(path)?.mode ?? 0o644, modifiedMs: now() });
  };
  for (const [path, file] of Object.entries(initial)) {
    if (typeof file === 'string') put(normal(path), file, undefined);
    else put(normal(path), file.content, file.mode);
  }

  return {
    async read(path) {
      attempt('read', path);
      refuseDirectory('read', normal(path));
      const file = files.get(normal(path));
      return file && bytesOf(joined(file)).slice();
    },
    async readText(path) {
      attempt('read', path);
      refuseDirectory('read', normal(path));
      const file = files.get(normal(path));
      if (!file) return undefined;
      const whole = joined(file);
      if (file.durableParts === file.parts.length) Object.assign(file, { parts: [whole], durableParts: 1 });
      return textOf(whole);
    },
    async stat(path) {
      const file = files.get(normal(path));
      if (file)
        return {
          kind: 'file',
          sizeBytes: file.parts.reduce((sum, part) => sum + Buffer.byteLength(part), 0),
          mode: file.mode,
          modifiedMs: file.modifiedMs,
        };
      const mode = directories.get(normal(path));
      return mode === undefined ? undefined : { kind: 'directory', sizeBytes: 0, mode, modifiedMs: 0 };
    },
    async list(path) {
      const prefix = normal(path) === '/' ? '/' : `${normal(path)}/`;
      const children = new Map<string, DirectoryEntry>();
      const collect = (paths: Iterable<string>, kind: 'file' | 'directory') => {
        for (const candidate of paths) {
          const name = candidate.startsWith(prefix) ? candidate.slice(prefix.length) : '';
          if (name !== '' && !name.includes('/')) children.set(name, { name, kind });
        }
      };
      collect(files.keys(), 'file');
      collect(directories.keys(), 'directory');
      return [...children.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    },
    async write(path, content, options) {
      attempt('write', path);
      put(normal(path), typeof content === 'string' ? content : content.slice(), options?.mode);
    },
    async append(path, options) {
      attempt('append', path);
      const at = normal(path);
      refuseDirectory('append', at);
      makeParents(at);
      if (!files.has(at)) files.set(at, { parts: [], durableParts: 0, mode: options?.mode ?? 0o644, modifiedMs: now() });
      return {
        async write(text, { sync = false } = {}) {
          attempt('append', at);
          const file = files.get(at);
          if (!file) return;
          file.parts.push(text);
          file.modifiedMs = now();
          if (sync) file.durableParts = file.parts.length;
        },
        async close() {},
      };
    },
    async remove(path) {
      attempt('remove', path);
      const at = normal(path);
      if (directories.has(at) && [...files.keys(), ...directories.keys()].some((other) => other.startsWith(`${at}/`))) {
        throw new TkError(fileFailure('host/file', { operation: 'remove', path, errno: 'ENOTEMPTY' }));
      }
      files.delete(at);
      directories.delete(at);
    },
    async removeTree(path) {
      const at = normal(path);
      for (const kind of [files, directories]) {
        for (const other of kind.keys()) if (other === at || other.startsWith(`${at}/`)) kind.delete(other);
      }
    },
    async makeDirectory(path, options) {
      attempt('mkdir', path);
      const at = normal(path);
      if (files.has(at)) throw new TkError(fileFailure('host/file', { operation: 'mkdir', path, errno: 'EEXIST' }));
      makeParents(at);
      if (!directories.has(at)) directories.set(at, options?.mode ?? 0o755);
    },
    async realPath(path) {
      const at = normal(path);
      return files.has(at) || directories.has(at) ? at : undefined;
    },
    async lock(path, owner) {
      const at = normal(path);
      const heldBy = locks.get(at);
      if (heldBy !== undefined) return { heldBy };
      locks.set(at, owner);
      return {
        async release() {
          locks.delete(at);
        },
      };
    },
    crash(random) {
      locks.clear();
      for (const file of files.values()) {
        const unsynced = Buffer.concat(file.parts.slice(file.durableParts).map(bytesOf));
        if (unsynced.length > 0)
          file.parts = [
            ...file.parts.slice(0, file.durableParts),
            unsynced.subarray(0, Math.floor(random.fraction() * (unsynced.length + 1))),
          ];
        file.durableParts = file.parts.length;
      }
    },
    durable(path) {
      const file = files.get(normal(path));
      return file?.parts.slice(0, file.durableParts).map(textOf).join('');
    },
    copy: () => Object.fromEntries([...files].map(([path, file]) => [path, { content: bytesOf(joined(file)).slice(), mode: file.mode }])),
    snapshot: () => Object.fromEntries([...files].sort(([a], [b]) => (a < b ? -1 : 1)).map(([path, file]) => [path, textOf(joined(file))])),
  };
}
