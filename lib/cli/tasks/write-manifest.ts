import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { dirname, join as joinNames } from 'node:path/posix';
import { pathToFileURL } from 'node:url';
import { isTask, paramShapesOf } from '../../core/index.ts';
import type { Reach } from './built-in.ts';
import { type ManifestEntry, manifestEntryOf, taskNameOf } from './manifest.ts';

/** Writes `manifest.json` and `reach.json` beside the built tasks, whose sources lie in `sources`. The last part of the build. */
export async function writeManifest(tasksDirectory: string, sources: string): Promise<readonly ManifestEntry[]> {
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
  // Every command reads it: a single character beyond Latin would double what that costs.
  const text = JSON.stringify(entries).replaceAll(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  writeFileSync(join(tasksDirectory, 'manifest.json'), `${text}\n`);
  const reach: Reach = Object.fromEntries(entries.map(({ name }) => [name, reachOf(sources, name)]));
  writeFileSync(join(tasksDirectory, 'reach.json'), `${JSON.stringify(reach, null, 1)}\n`);
  return entries;
}

/** The task itself, and all that its source imports, files without a task of their own (`_shared.ts`) on the way included. */
export function reachOf(sources: string, name: string): readonly string[] {
  const seen = new Set<string>();
  const follow = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    const text = readFileSync(join(sources, file), 'utf8');
    for (const [, imported = ''] of text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*['"](\.[^'"]+)['"]/g))
      follow(joinNames(dirname(file), imported));
  };
  follow(`${name.replaceAll(':', '/')}.ts`);
  return [...seen].flatMap((file) => taskNameOf(file) ?? []);
}
