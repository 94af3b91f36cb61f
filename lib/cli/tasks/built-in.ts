import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Task } from '../../core/index.ts';
import type { ManifestEntry } from './manifest.ts';

/** Beside this file in `dist/`: `dist/lib/cli/tasks` and `dist/tasks`. */
const directory = join(import.meta.dirname, '../../../tasks');

export function builtInManifest(): readonly ManifestEntry[] {
  return JSON.parse(readFileSync(join(directory, 'manifest.json'), 'latin1'));
}

/** What each task's file imports, and so which tasks its graph may reach: names by name. */
export type Reach = Readonly<Record<string, readonly string[]>>;

/** Built-in tasks by name: those that the graph of `wanted` may reach, or every one. */
export async function loadBuiltInTasks(wanted?: string): Promise<ReadonlyMap<string, Task>> {
  const names = wanted === undefined ? undefined : reachedFrom(wanted);
  const loaded = await Promise.all(
    (names ?? builtInManifest().map(({ name }) => name)).map(async (name) => {
      const file = join(directory, `${name.replaceAll(':', '/')}.js`);
      const module: { readonly default: Task } = await import(pathToFileURL(file).href);
      return [name, module.default] as const;
    }),
  );
  return new Map(loaded);
}

function reachedFrom(wanted: string): readonly string[] | undefined {
  const reach: Reach = JSON.parse(readFileSync(join(directory, 'reach.json'), 'utf8'));
  return reach[wanted];
}
