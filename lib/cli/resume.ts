import { join, resolve } from 'node:path';
import { TkError } from '../base/index.ts';
import { coreFailure, loadRuns, type RecordedRun, runToResume } from '../core/index.ts';
import { createHostWorld } from '../host/index.ts';
import type { GlobalFlags } from './argv.ts';

/**
 * The words of the run that is to be started again: the named one, else the newest of the repository and of its sandbox. The same
 * words do the same work; what is done already is seen by looking at it.
 *
 * Failure: `journal/no-run`.
 */
export async function wordsToResume(
  flags: Pick<GlobalFlags, 'directory' | 'sim' | 'talconfig'>,
  wanted: string | undefined,
): Promise<readonly string[]> {
  const { findRepository } = await import('../config/index.ts');
  const { files } = createHostWorld();
  const { root } = await findRepository(files, resolve(flags.directory ?? '.'), {
    exactly: flags.directory !== undefined,
    ...(flags.talconfig === undefined ? {} : { talconfig: resolve(flags.directory ?? '.', flags.talconfig) }),
  });
  const places = flags.sim ? ['.tk/sim'] : ['.tk', '.tk/sim'];
  const runs = (await Promise.all(places.map((place) => loadRuns(files, join(root, place))))).flat();
  // Ids begin with the time.
  runs.sort((a, b) => (a.id < b.id ? 1 : -1));
  return wordsOf(runToResume(runs, wanted), flags);
}

function wordsOf({ id, argv }: RecordedRun, flags: Pick<GlobalFlags, 'directory'>): readonly string[] {
  // A secret that stood among the words is not in the journal.
  if (argv.length === 0 || argv.some((word) => word.includes('[redacted]')))
    throw new TkError(coreFailure('journal/no-run', { wanted: id }));
  const named = argv.some((word) => word === '-C' || word.startsWith('--directory'));
  return flags.directory === undefined || named ? argv : ['-C', flags.directory, ...argv];
}
