import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { projectRoot } from '../process.ts';

/** All but the file with the bug are the same for every bug: they are read once. */
const compiled = join(projectRoot, 'node_modules/.cache/tk-planted');

export interface Found {
  /** Null: none of the histories went wrong. */
  readonly seed: number | null;
  readonly violations: readonly string[];
}

/** Tells histories in a process of their own, whose product has this mistake. */
export async function searchPlanted(bug: string, first: number, count: number): Promise<Found> {
  const here = join(projectRoot, 'test/rig/swarm');
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [
      '--conditions=talos-tk-source',
      '--disable-warning=ExperimentalWarning',
      '--import',
      join(here, 'plant.ts'),
      join(here, 'search.ts'),
      String(first),
      String(count),
    ],
    {
      cwd: projectRoot,
      env: { ...process.env, TK_PLANTED: bug, NODE_OPTIONS: '', NODE_COMPILE_CACHE: compiled },
      maxBuffer: 64 * 1024 * 1024,
    },
  );
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Found;
}
