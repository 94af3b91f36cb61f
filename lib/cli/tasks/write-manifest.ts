import { readdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isTask, paramShapesOf } from '../../core/index.ts';
import { type ManifestEntry, manifestEntryOf, taskNameOf } from './manifest.ts';

/** Writes `manifest.json` beside the compiled built-in tasks. Part of the build, after the compiler. */
export async function writeManifest(tasksDirectory: string): Promise<readonly ManifestEntry[]> {
  const files = readdirSync(tasksDirectory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(tasksDirectory, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
    .sort();
  const entries: ManifestEntry[] = [];
  for (const file of files) {
    const name = taskNameOf(file);
    if (name === undefined) continue;
    const loaded: { readonly default?: unknown } = await import(pathToFileURL(join(tasksDirectory, file)).href);
    if (!isTask(loaded.default)) throw new Error(`tasks/${file} has no task as its default export`);
    entries.push(manifestEntryOf(name, loaded.default, paramShapesOf(loaded.default)));
  }
  writeFileSync(join(tasksDirectory, 'manifest.json'), `${JSON.stringify(entries, null, 1)}\n`);
  return entries;
}
