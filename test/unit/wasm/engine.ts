import { readFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import type { Clock, Compute, Random } from '../../../lib/base/index.ts';
import { type ChartArchive, createHelmEngine, type HelmEngine } from '../../../lib/wasm/index.ts';

/** Runs jobs where they are, and counts them. */
export const computeHere = (): Compute & { calls: number } => ({
  calls: 0,
  async run<I, O>(module: string, input: I): Promise<O> {
    this.calls += 1;
    const { default: job } = (await import(module)) as { default: (value: I) => O };
    return job(input);
  },
});

export const stillClock: Clock = {
  now: () => Date.UTC(2026, 0, 1),
  monotonicMs: () => 0,
  sleep: () => Promise.reject(new Error('nothing here waits')),
  whileBusy: (work) => work(),
};

/** The same bytes each time. */
export const fixedRandom: Random = {
  bytes: (count) => new Uint8Array(count).fill(7),
  fraction: () => 0.5,
  privateKey: () => Promise.reject(new Error('nothing here needs a key')),
};

export const committedModule = (): Promise<Uint8Array> =>
  readFile(pathToFileURL(new URL('../../../lib/wasm/helm.wasm.br', import.meta.url).pathname));

export const engine = (): HelmEngine =>
  createHelmEngine({ compute: computeHere(), random: fixedRandom, clock: stillClock, moduleBytes: committedModule });

export const never = new AbortController().signal;

export type { ChartArchive };
