import { createHash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { type Compute, remembered } from '../../../lib/base/index.ts';
import { helmModule } from '../../../lib/cli/open-cluster.ts';
import type { KernelHandle } from '../../../lib/sim/index.ts';
import { compiledModule } from '../../../lib/wasm/compiled-module.ts';
import type { HelmJob, HelmJobOutcome } from '../../../lib/wasm/helm-job.ts';

/** Heavy work of all histories, done once per process. */
export function sharedCompute({ clock }: Pick<KernelHandle, 'clock'>): Compute {
  return { run: <I, O>(module: string, input: I) => clock.inTurn(() => computed<O>(module, input as object)) };
}

const known = new Map<string, unknown>();

async function computed<O>(module: string, input: object): Promise<O> {
  const { timeless, dated } = withoutTimes(input as HelmJob);
  return dated(await once<O & HelmJobOutcome>(module, timeless));
}

async function once<O>(module: string, input: object): Promise<O> {
  const key = keyOf(module, input);
  if (!known.has(key)) {
    const { default: work } = (await import(module)) as { readonly default: (input: unknown) => O };
    // The engine is brought along, so that nobody has to be asked for it.
    known.set(key, work({ ...input, module: await compiledModule(helmModule) }));
  }
  return known.get(key) as O;
}

/** What is computed depends on the request and the archive; the seed of a chart's random functions and the time of day are the first's. */
function keyOf(module: string, input: object): string {
  const { request, archive } = input as { readonly request: string; readonly archive?: Uint8Array };
  return createHash('sha1')
    .update(`${module}\0${request}\0`)
    .update(archive ?? '')
    .digest('base64');
}

/**
 * When a release was deployed is written anew for every history, and packing its chart is most of what one with a Flux tree costs:
 * the engine packs and reads each once, with times of no history, and each history gets a copy with its own.
 */
function withoutTimes(job: HelmJob): { readonly timeless: HelmJob; dated<O extends HelmJobOutcome>(outcome: O): O } {
  const packed = /^\{"op":"decode-record","data":"([^"]+)"\}$/.exec(job.request)?.[1];
  if (packed === undefined && !job.request.startsWith('{"op":"encode-record"')) return { timeless: job, dated: (outcome) => outcome };
  const own: string[] = [];
  const text = (packed === undefined ? job.request : recordIn(packed)).replaceAll(timeOfRelease, (_, name: string, time: string) => {
    own.push(time);
    return `"${name}":"${neutral(own.length - 1)}"`;
  });
  const dated = (timeless: string) => own.reduce((so, time, index) => so.replaceAll(neutral(index), time), timeless);
  return {
    timeless: { ...job, request: packed === undefined ? text : JSON.stringify({ op: 'decode-record', data: dataOf(text) }) },
    dated(outcome) {
      if (outcome.state !== 'answered') return outcome;
      if (packed !== undefined) return { ...outcome, answer: dated(outcome.answer) };
      const answer = JSON.parse(outcome.answer) as { readonly result?: { readonly data: string } };
      return answer.result
        ? { ...outcome, answer: JSON.stringify({ result: { data: dataOf(dated(recordIn(answer.result.data))) } }) }
        : outcome;
    },
  };
}

const timeOfRelease = /"(first_deployed|last_deployed|started_at|completed_at)":"(\d{4}-[^"]+Z)"/g;
const neutral = (number: number): string => `2001-01-01T00:00:${String(number).padStart(2, '0')}Z`;

/** As Helm packs it: JSON, gzip, base64. */
const recordIn = remembered((data: string) => gunzipSync(Buffer.from(data, 'base64')).toString('utf8'), {
  keyOf: (data) => data,
  limit: 50,
});
const dataOf = remembered((record: string) => gzipSync(record, { level: 1 }).toString('base64'), { keyOf: (record) => record, limit: 50 });
