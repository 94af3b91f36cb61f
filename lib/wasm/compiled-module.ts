import { promisify } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { brotliDecompress } from 'node:zlib';
import { type CompiledModule, compile } from './webassembly.ts';

/** A little more than the module has. In one piece: by default it comes in thousands of small ones that are copied together afterwards. */
const unpackedRoomBytes = 32 * 1024 * 1024;

let compiled: Promise<CompiledModule> | undefined;

/**
 * The engine's module, unpacked and compiled once in a process and beside it; threads that it is sent to share what was compiled.
 *
 * Shape: `moduleBytes` is asked once for the compressed module, and again only after a failure.
 */
export function compiledModule(moduleBytes: () => Promise<Uint8Array>): Promise<CompiledModule> {
  compiled ??= load(moduleBytes).catch((error: unknown) => {
    compiled = undefined;
    throw error;
  });
  return compiled;
}

async function load(moduleBytes: () => Promise<Uint8Array>): Promise<CompiledModule> {
  compileLazily();
  const unpacked = await promisify(brotliDecompress)(await moduleBytes(), { chunkSize: unpackedRoomBytes });
  const buffer = unpacked.buffer as ArrayBuffer;
  const module = await compile(new Uint8Array(buffer, unpacked.byteOffset, unpacked.length));
  // V8 has its own copy. Left to the collector this one would stay for long.
  buffer.transfer(0);
  return module;
}

/**
 * A chart calls a small part of the module's functions. Each is checked when it is first called, and only what runs for long is compiled
 * a second time: with V8's own budget that takes a quarter of a first render, and little is left of the render to be won.
 */
function compileLazily(): void {
  setFlagsFromString('--wasm-lazy-validation');
  setFlagsFromString('--wasm-tiering-budget=2000000000');
}
