import { rsaKeyPem } from './rsa-key.ts';
import { Wasi, WasiExit } from './wasi.ts';
import { type CompiledModule, instantiate, type Memory } from './webassembly.ts';

/** One call of the engine, as it travels to the worker. */
export interface HelmJob {
  /** Only sent after an answer of `needs-module`. */
  readonly module?: CompiledModule;
  /** JSON, see `lib/wasm/helm/main.go`. */
  readonly request: string;
  readonly archive?: Uint8Array;
  /** 32 random bytes. */
  readonly seed: Uint8Array;
  readonly nowMs: number;
}

export type HelmJobOutcome =
  | { readonly state: 'answered'; readonly answer: string }
  /** This worker has never seen the module. */
  | { readonly state: 'needs-module' }
  /** The instance is gone; the next call gets a new one. */
  | { readonly state: 'trapped'; readonly reason: string };

interface Exports {
  readonly memory: Memory;
  /** Absent in a module that was initialised when it was built. */
  _initialize?(): void;
  reserve(sizeBytes: number): number;
  handle(): number;
  answer(): number;
}

interface Instance {
  readonly wasi: Wasi;
  readonly exports: Exports;
}

let compiled: CompiledModule | undefined;
let running: Instance | undefined;
let clockMs = 0;
let said = '';

/** Grown far beyond this by one chart, the memory is given back by starting afresh. */
const keptMemoryBytes = 384 * 1024 * 1024;

/** The default export is what `World.compute` runs, in a worker where there is one. */
export default function runHelmJob(job: HelmJob): HelmJobOutcome {
  if (compiled === undefined) {
    if (job.module === undefined) return { state: 'needs-module' };
    compiled = job.module;
  }
  try {
    clockMs = job.nowMs;
    said = '';
    running ??= start(compiled, job.seed);
    running.wasi.reseed(job.seed);
    const answer = call(running.exports, job);
    if (running.exports.memory.buffer.byteLength > keptMemoryBytes) running = undefined;
    return { state: 'answered', answer };
  } catch (error) {
    running = undefined;
    return { state: 'trapped', reason: reasonOf(error) };
  }
}

function start(module: CompiledModule, seed: Uint8Array): Instance {
  const wasi = new Wasi(
    {
      nowMs: () => clockMs,
      onText: (text) => {
        said = (said + text).slice(0, 4096);
      },
    },
    seed,
  );
  const exports = instantiate<Exports>(module, { wasi_snapshot_preview1: wasi.imports, host: { rsa_key: wasi.answering(rsaKeyPem) } });
  wasi.attach(exports.memory);
  exports._initialize?.();
  return { wasi, exports };
}

function call({ memory, reserve, handle, answer }: Exports, { request, archive = new Uint8Array() }: HelmJob): string {
  const json = Buffer.from(request);
  const at = reserve(4 + json.length + archive.length) >>> 0;
  new DataView(memory.buffer).setUint32(at, json.length, true);
  new Uint8Array(memory.buffer, at + 4).set(json);
  new Uint8Array(memory.buffer, at + 4 + json.length).set(archive);
  const length = handle() >>> 0;
  return Buffer.from(new Uint8Array(memory.buffer, answer() >>> 0, length)).toString();
}

/** Go writes why it dies to stderr first: `fatal error: …`, `panic: …`. */
function reasonOf(error: unknown): string {
  const line = said.split('\n').find((text) => /^(?:fatal error|panic|runtime): /.test(text));
  if (line !== undefined) return line;
  if (error instanceof WasiExit) return `the module ended itself with ${error.exitCode}`;
  return error instanceof Error ? error.message : String(error);
}
