import type { Files } from '../../base/index.ts';
import type { GlobalFlags } from '../argv.ts';
import { builtInManifest } from './built-in.ts';
import type { ManifestEntry } from './manifest.ts';
import { isOwnCheckout, repositoryRoot } from './place.ts';

/**
 * Every task that can be named here: the built-in ones, and those of the repository, which take the place of a built-in one of the
 * same name. Loads no task while the cache is warm.
 */
export async function knownTasks(
  files: Files,
  flags: Pick<GlobalFlags, 'directory' | 'talconfig' | 'plan' | 'dryRun'>,
): Promise<readonly ManifestEntry[]> {
  const root = await repositoryRoot(files, flags.directory, flags.talconfig);
  const own =
    root === undefined || isOwnCheckout(root)
      ? []
      : await (await import('./user.ts')).userManifest(files, root, { keep: !flags.plan && !flags.dryRun });
  const names = new Set(own.map((entry) => entry.name));
  return [...builtInManifest().filter((entry) => !names.has(entry.name)), ...own].sort((a, b) => (a.name < b.name ? -1 : 1));
}
