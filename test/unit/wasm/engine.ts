import { readFile } from 'node:fs/promises';
import type { Clock, Compute, Random } from '../../../lib/base/index.ts';
import { compiledModule } from '../../../lib/wasm/compiled-module.ts';
import runHelmJob from '../../../lib/wasm/helm-job.ts';
import { createHelmEngine, type HelmEngine } from '../../../lib/wasm/index.ts';

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

const modulePath = new URL('../../../lib/wasm/helm.wasm.br', import.meta.url);
export const committedModule = (): Promise<Uint8Array> => readFile(modulePath);

export const engine = (memo?: Map<string, Promise<string>>): HelmEngine =>
  createHelmEngine({
    compute: computeHere(),
    random: fixedRandom,
    clock: stillClock,
    moduleBytes: committedModule,
    ...(memo === undefined ? {} : { memo }),
  });

export const never: AbortSignal = new AbortController().signal;

/** One call of the module itself, with Helm's own words when it fails. */
export async function ask<T>(
  request: object,
  archive: Uint8Array,
): Promise<{ readonly result: T; readonly failure?: { readonly stage: string; readonly message: string } }> {
  const job = { request: JSON.stringify(request), archive, seed: new Uint8Array(32).fill(7), nowMs: stillClock.now() };
  let outcome = runHelmJob(job);
  if (outcome.state === 'needs-module') outcome = runHelmJob({ ...job, module: await compiledModule(committedModule) });
  if (outcome.state !== 'answered') throw new Error(JSON.stringify(outcome));
  return JSON.parse(outcome.answer) as { result: T; failure?: { stage: string; message: string } };
}
