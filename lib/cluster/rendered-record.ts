import { posix } from 'node:path';
import type { Files } from '../base/index.ts';
import { sha256Hex } from '../pki/index.ts';
import type { PlannedFile, TreeChanges } from '../render/index.ts';

/** What `configure` wrote last: how a file that somebody has changed by hand since then is known. */
export interface RenderedRecord {
  /** Of the files that would be replaced or deleted. A file that this computer has not rendered yet counts as untouched. */
  edited(changes: TreeChanges): Promise<readonly string[]>;
  /** Copies them aside, for their owner alone, and returns where to. */
  keepAside(paths: readonly string[]): Promise<void>;
  remember(outputs: readonly PlannedFile[]): Promise<void>;
}

/** Below the directory of state, under its own path. */
export const overwrittenFolder = 'overwritten';

export function createRenderedRecord(files: Files, root: string, stateDirectory: string): RenderedRecord {
  const recordPath = posix.join(stateDirectory, 'cache/rendered.json');
  const load = async (): Promise<ReadonlyMap<string, string>> => {
    try {
      const known = JSON.parse((await files.readText(recordPath)) ?? '{}') as Readonly<Record<string, string>>;
      return new Map(Object.entries(known));
    } catch {
      // A cache: what cannot be read was never there.
      return new Map();
    }
  };
  return {
    async edited({ written, removed }) {
      const known = await load();
      const replaced = written.flatMap(({ path, before }) => (before === undefined ? [] : [{ path, before }]));
      const gone = await Promise.all(removed.map(async (path) => ({ path, before: await files.read(posix.join(root, path)) })));
      return [...replaced, ...gone]
        .filter(({ path, before }) => before !== undefined && known.has(path) && known.get(path) !== sha256Hex(before))
        .map(({ path }) => path);
    },
    async keepAside(paths) {
      for (const path of paths) {
        const bytes = await files.read(posix.join(root, path));
        if (bytes !== undefined) await files.write(posix.join(stateDirectory, overwrittenFolder, path), bytes, { mode: 0o600 });
      }
    },
    async remember(outputs) {
      const hashes = outputs.map(({ path, content }) => [path, sha256Hex(content)] as const).sort(([a], [b]) => (a < b ? -1 : 1));
      const text = `${JSON.stringify(Object.fromEntries(hashes), undefined, 1)}\n`;
      if ((await files.readText(recordPath)) !== text) await files.write(recordPath, text);
    },
  };
}
