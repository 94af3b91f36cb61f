import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { projectRoot } from '../process.ts';
import type { Killed } from './kill-everywhere.ts';
import type { Found, Search } from './search.ts';
import type { Bootstrapped } from './shapes.ts';
import type { Told } from './tell-many.ts';

/** What all processes of the swarm load is compiled once. */
const compiled = join(projectRoot, 'node_modules/.cache/tk-swarm');
const here = join(projectRoot, 'test/rig/swarm');

/**
 * Runs a program of this folder in a process of its own: histories are told faster there than below a test runner, and what they set
 * for themselves stays with them. Its last line is its answer.
 */
async function inOwnProcess(program: string, args: readonly (string | number)[]): Promise<unknown> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [
      '--conditions=talos-tk-source',
      '--disable-warning=ExperimentalWarning',
      // Histories make much that is soon forgotten, and go through more code than is hot.
      '--max-semi-space-size=128',
      '--always-sparkplug',
      join(here, program),
      ...args.map(String),
    ],
    {
      cwd: projectRoot,
      env: { ...process.env, NODE_OPTIONS: '', NODE_COMPILE_CACHE: compiled },
      maxBuffer: 64 * 1024 * 1024,
    },
  );
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
}

/** Tells these histories. `file`: the test that tells one of them again. */
export const tellApart = (first: number, count: number, file: string): Promise<Told> =>
  inOwnProcess('tell.ts', [first, count, file]) as Promise<Told>;

/** Kills a bootstrap of so many control planes and workers at each of its places. */
export const killApart = (shape: { readonly controlPlanes: number; readonly workers: number; readonly tree: boolean }) =>
  inOwnProcess('kill.ts', [shape.controlPlanes, shape.workers, shape.tree ? 1 : 0]) as Promise<Killed>;

/** Bootstraps clusters of these shapes (`3+8`) and versions, undisturbed. */
export const bootstrapApart = (shapes: readonly (readonly [shape: string, talos: string])[]) =>
  inOwnProcess('shapes.ts', shapes.flat()) as Promise<readonly Bootstrapped[]>;

/** Tells histories with a product that has the bug of each, until as many went wrong as are wanted: those, in the order of the searches. */
export const searchPlanted = (searches: readonly Search[]) =>
  inOwnProcess('search.ts', [JSON.stringify(searches)]) as Promise<readonly (readonly Found[])[]>;
