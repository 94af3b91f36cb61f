import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Failure, type Files, hasCode, type Place, placeOf } from '../../base/index.ts';
import type { Task } from '../../core/index.ts';
import { cliFailure } from '../failures.ts';
import { type ManifestEntry, manifestEntryOf, taskNameOf } from './manifest.ts';

interface TaskFile {
  /** Undefined for what tasks share: `_nas.ts`. */
  readonly name: string | undefined;
  readonly path: string;
}

async function filesOfTasks(files: Files, root: string): Promise<readonly TaskFile[]> {
  const found: TaskFile[] = [];
  const walk = async (relative: string): Promise<void> => {
    for (const entry of await files.list(join(root, 'tasks', relative))) {
      const path = relative === '' ? entry.name : `${relative}/${entry.name}`;
      if (entry.kind === 'directory') {
        if (entry.name !== 'node_modules' && !entry.name.startsWith('.')) await walk(path);
        continue;
      }
      found.push({ name: taskNameOf(path), path: join(root, 'tasks', path) });
    }
  };
  await walk('');
  return found;
}

/** A task file that does not load, or has no task as its default export. The others can be used all the same. */
export interface BrokenTask {
  readonly name: string;
  /** `usage/task-file` */
  readonly failure: Failure;
}

export interface UserTasks {
  readonly tasks: ReadonlyMap<string, Task>;
  readonly broken: readonly BrokenTask[];
}

/** Loads the repository's own tasks. TypeScript is read by Node itself. */
export async function loadUserTasks(files: Files, root: string): Promise<UserTasks> {
  const { isTask } = await import('../../core/index.ts');
  const tasks = new Map<string, Task>();
  const broken: BrokenTask[] = [];
  const breaks = (name: string, path: string, reason: string, where?: Place) =>
    void broken.push({
      name,
      failure: cliFailure('usage/task-file', { path: relativeTo(root, path), reason }, where === undefined ? {} : { where }),
    });
  for (const { name, path } of await filesOfTasks(files, root)) {
    if (name === undefined) continue;
    try {
      const loaded: { readonly default?: unknown } = await import(pathToFileURL(path).href);
      if (isTask(loaded.default)) tasks.set(name, loaded.default);
      else breaks(name, path, 'its default export is not a task; write `export default defineTask({ … })`');
    } catch (error) {
      breaks(name, path, loadReason(error), await placeIn(files, root, path, error));
    }
  }
  return { tasks, broken };
}

/** Where in the file, as far as Node says so: its first line of a syntax error, or the innermost frame. */
async function placeIn(files: Files, root: string, path: string, error: unknown): Promise<Place | undefined> {
  const { stack } = error as { readonly stack?: unknown };
  const at = typeof stack === 'string' ? stack.split(path)[1]?.match(/^:(\d+)(?::(\d+))?/) : undefined;
  const text = at ? await files.readText(path) : undefined;
  if (!at || text === undefined) return undefined;
  const lines = text.split('\n');
  const before = lines.slice(0, Number(at[1]) - 1).reduce((sum, line) => sum + line.length + 1, 0);
  const line = lines[Number(at[1]) - 1] ?? '';
  const column = at[2] === undefined ? line.length - line.trimStart().length : Number(at[2]) - 1;
  return placeOf({
    file: { path: relativeTo(root, path), text },
    start: before + column,
    end: before + Math.max(column + 1, line.trimEnd().length),
  });
}

/**
 * The manifest of the repository's own tasks, from `.tk/cache` when no task file has changed since it was made. Imported files
 * below `tasks/` count too; what lies outside does not, and `tk --list` may then show an older summary. `keep`: whether the cache may
 * be written.
 */
export async function userManifest(
  files: Files,
  root: string,
  { keep }: { readonly keep: boolean },
): Promise<{ readonly entries: readonly ManifestEntry[]; readonly broken: readonly BrokenTask[] }> {
  const found = await filesOfTasks(files, root);
  if (!found.some(({ name }) => name !== undefined)) return { entries: [], broken: [] };
  const key = await digestOf(files, found);
  const cachePath = join(root, '.tk/cache/tasks.json');
  const cached = parseCache(await files.readText(cachePath));
  if (cached?.key === key) return { entries: cached.entries, broken: [] };
  const { paramShapesOf } = await import('../../core/index.ts');
  const { tasks, broken } = await loadUserTasks(files, root);
  const entries = [...tasks].map(([name, task]) => manifestEntryOf(name, task, paramShapesOf(task)));
  // What is wrong may lie in a file that the key does not cover: it is looked at again each time.
  if (keep && broken.length === 0) await writeCache(files, root, JSON.stringify({ key, entries }));
  return { entries, broken };
}

/** What the repository's own tasks are made of, as far as it lies below `tasks/`. */
export const tasksDigest = async (files: Files, root: string): Promise<string> => digestOf(files, await filesOfTasks(files, root));

async function digestOf(files: Files, found: readonly TaskFile[]): Promise<string> {
  // Loaded here, where there are tasks: every list and every help goes through this file.
  const digest = process.getBuiltinModule('node:crypto').createHash('sha256');
  for (const { path } of found)
    digest
      .update(path)
      .update('\0')
      .update((await files.read(path)) ?? new Uint8Array())
      .update('\0');
  return digest.digest('hex');
}

/** A repository that cannot be written to still has its list. */
async function writeCache(files: Files, root: string, text: string): Promise<void> {
  try {
    await files.makeDirectory(join(root, '.tk'), { mode: 0o700 });
    if ((await files.stat(join(root, '.tk/.gitignore'))) === undefined) await files.write(join(root, '.tk/.gitignore'), '*\n');
    await files.write(join(root, '.tk/cache/tasks.json'), text);
  } catch (error) {
    if (!hasCode(error, 'host/file')) throw error;
  }
}

function parseCache(text: string | undefined): { readonly key: string; readonly entries: readonly ManifestEntry[] } | undefined {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const relativeTo = (root: string, path: string): string => (path.startsWith(`${root}/`) ? path.slice(root.length + 1) : path);

export function loadReason(error: unknown): string {
  const { code, message } = error as { readonly code?: string; readonly message?: string };
  const text = message ?? String(error);
  if (code === 'ERR_MODULE_NOT_FOUND' && text.includes("'talos-tk'"))
    return 'the package talos-tk is not installed in this repository; run: npm install --save-dev talos-tk';
  if (code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX')
    return `${text} (enums and parameter properties cannot be stripped away; use plain objects)`;
  return text.split('\n')[0] ?? text;
}
