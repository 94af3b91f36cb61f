import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Task } from '../../core/index.ts';
import type { ManifestEntry } from './manifest.ts';

/** Beside this file in `dist/`: `dist/lib/cli/tasks` and `dist/tasks`. */
const directory = join(import.meta.dirname, '../../../tasks');

export function builtInManifest(): readonly ManifestEntry[] {
  return JSON.parse(readFileSync(join(directory, 'manifest.json'), 'utf8'));
}

/** Every built-in task by name: the graph of one may reach any other. */
export async function loadBuiltInTasks(): Promise<ReadonlyMap<string, Task>> {
  const entries = builtInManifest();
  const loaded = await Promise.all(
    entries.map(async ({ name }) => {
      const file = join(directory, `${name.replaceAll(':', '/')}.js`);
      const module: { readonly default: Task } = await import(pathToFileURL(file).href);
      return [name, module.default] as const;
    }),
  );
  return new Map(loaded);
}
