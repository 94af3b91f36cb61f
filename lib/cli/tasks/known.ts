import type { Files } from '../../base/index.ts';
import type { GlobalFlags } from '../argv.ts';
import { builtInManifest } from './built-in.ts';
import type { ManifestEntry } from './manifest.ts';
import type { BrokenTask } from './user.ts';
import { isOwnCheckout, repositoryRoot } from './place.ts';

export interface KnownTasks {
  /** Sorted by name. */
  readonly entries: readonly ManifestEntry[];
  /** Files of the repository that should hold a task. What they take the place of is not among the entries. */
  readonly broken: readonly BrokenTask[];
}

/**
 * Every task that can be named here: the built-in ones, and those of the repository, which take the place of a built-in one of the
 * same name. Loads no task while the cache is warm.
 */
export async function knownTasks(
  files: Files,
  flags: Pick<GlobalFlags, 'directory' | 'talconfig' | 'plan' | 'dryRun'>,
): Promise<KnownTasks> {
  const root = await repositoryRoot(files, flags.directory, flags.talconfig);
  const own =
    root === undefined || isOwnCheckout(root)
      ? { entries: [], broken: [] }
      : await (await import('./user.ts')).userManifest(files, root, { keep: !flags.plan && !flags.dryRun });
  const names = new Set([...own.entries, ...own.broken].map(({ name }) => name));
  const entries = [...builtInManifest().filter((entry) => !names.has(entry.name)), ...own.entries].sort((a, b) =>
    a.name < b.name ? -1 : 1,
  );
  return { entries, broken: own.broken };
}
