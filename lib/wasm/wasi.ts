import { createCipheriv, type Cipheriv } from 'node:crypto';
import type { Memory } from './webassembly.ts';

const success = 0;
const badDescriptor = 8;
const notSupported = 52;
const eventSizeBytes = 32;
const ownName = Buffer.from('helm\0');

/** What a module without files, network and environment may still ask of its host. */
export interface WasiHost {
  /** Wall time, milliseconds since the epoch. */
  nowMs(): number;
  /** Lines that the module writes to its stderr before it dies. */
  onText(text: string): void;
}

/** The module ended itself; it cannot be called again. */
export class WasiExit extends Error {
  readonly exitCode: number;

  constructor(exitCode: number) {
    super(`exit ${exitCode}`);
    this.exitCode = exitCode;
  }
}

/**
 * The part of `wasi_snapshot_preview1` that Go's runtime calls when it has no file system. `node:wasi` would do too, but prints
 * a warning and opens files.
 *
 * Shape: `seed` of 32 bytes feeds every random byte of the module, so that one seed gives one render.
 * Source: https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md
 */
export class Wasi {
  readonly imports: Record<string, (...values: never[]) => number>;
  #memory: Memory | undefined;
  #random: Cipheriv;

  constructor(host: WasiHost, seed: Uint8Array) {
    this.#random = streamOf(seed);
    const refuse = () => notSupported;
    const implemented: Record<string, (...values: never[]) => number> = {
      // Go packages take their own name for granted, so there is one argument.
      args_get: (pointers: number, text: number) => {
        this.#view().setUint32(pointers, text, true);
        this.#bytes(text, ownName.length).set(ownName);
        return success;
      },
      args_sizes_get: (count: number, size: number) => this.#numbers([count, 1], [size, ownName.length]),
      environ_get: () => success,
      environ_sizes_get: (count: number, size: number) => this.#numbers([count, 0], [size, 0]),
      clock_time_get: (_clock: number, _precision: bigint, at: number) => {
        this.#view().setBigUint64(at, BigInt(Math.round(host.nowMs() * 1e6)), true);
        return success;
      },
      random_get: (at: number, length: number) => {
        this.#bytes(at, length).set(this.#random.update(new Uint8Array(length)));
        return success;
      },
      sched_yield: () => success,
      // One thread and nothing that could become ready: every timer has expired.
      poll_oneoff: (_subscriptions: number, events: number, count: number, ready: number) => {
        this.#bytes(events, count * eventSizeBytes).fill(0);
        this.#view().setUint32(ready, count, true);
        return success;
      },
      fd_write: (descriptor: number, vectors: number, count: number, written: number) => {
        if (descriptor !== 1 && descriptor !== 2) return badDescriptor;
        let total = 0;
        for (let index = 0; index < count; index += 1) {
          const length = this.#view().getUint32(vectors + index * 8 + 4, true);
          host.onText(Buffer.from(this.#bytes(this.#view().getUint32(vectors + index * 8, true), length)).toString());
          total += length;
        }
        this.#view().setUint32(written, total, true);
        return success;
      },
      fd_prestat_get: () => badDescriptor,
      fd_fdstat_get: (_descriptor: number, at: number) => {
        this.#bytes(at, 24).fill(0);
        return success;
      },
      fd_fdstat_set_flags: () => success,
      proc_exit: (exitCode: number) => {
        throw new WasiExit(exitCode);
      },
    };
    this.imports = new Proxy(implemented, { get: (known, name: string) => known[name] ?? refuse });
  }

  attach(memory: Memory): void {
    this.#memory = memory;
  }

  reseed(seed: Uint8Array): void {
    this.#random = streamOf(seed);
  }

  /** A function for the module that writes a text, made from the module's random bytes, where it is told; 0: there is no room for it. */
  answering(write: (argument: number, random: (count: number) => Uint8Array) => string): (...values: never[]) => number {
    return (argument: number, at: number, room: number) => {
      const text = Buffer.from(write(argument, (count) => this.#random.update(new Uint8Array(count))));
      if (text.length > room) return 0;
      this.#bytes(at >>> 0, text.length).set(text);
      return text.length;
    };
  }

  // The buffer is another one after each growth, so a view is never kept.
  #view(): DataView {
    return new DataView(this.#buffer());
  }

  #bytes(at: number, length: number): Uint8Array {
    return new Uint8Array(this.#buffer(), at, length);
  }

  #buffer(): ArrayBuffer {
    if (this.#memory === undefined) throw new Error('the module called its host before it was attached');
    return this.#memory.buffer;
  }

  #numbers(...stores: readonly (readonly [at: number, value: number])[]): number {
    for (const [at, value] of stores) this.#view().setUint32(at, value, true);
    return success;
  }
}

const streamOf = (seed: Uint8Array): Cipheriv => createCipheriv('aes-256-ctr', seed, new Uint8Array(16));
