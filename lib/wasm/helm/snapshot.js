// Runs the initialisation of Go's packages once, at build time, and writes down what memory and globals hold afterwards. Half of the
// time that a first render takes would be spent there: one of Helm's libraries compiles six JSON schemas when it starts.
import { Wasi } from '../wasi.ts';
import { numberBytes, readNumber, readSections, signedBytes, writeSections } from './sections.js';

const memoryId = 5;
const globalId = 6;
const exportId = 7;
const dataId = 11;
const dataCountId = 12;
const pageBytes = 65_536;
const i32 = 0x7f;
const i64 = 0x7e;
/** Shorter stretches of zeros are written as they are. */
const gapBytes = 32;

/**
 * The same module, already initialised: it exports no `_initialize` any more.
 *
 * Shape: the clock stands at one second after the epoch meanwhile and randomness is fixed, so that equal modules give equal results.
 * `maximumPages` of 64 KiB is what its memory may grow to; Go's linker sets no maximum, and a chart that wants everything should die at once.
 */
export function withSnapshot(wasm, maximumPages) {
  const sections = readSections(wasm);
  const globals = readGlobals(sectionOf(sections, globalId));
  const { memory, values } = initialise(sections, globals);
  const pages = memory.length / pageBytes;
  const replaced = new Map([
    [memoryId, Buffer.from([1, 1, ...numberBytes(pages), ...numberBytes(maximumPages)])],
    [globalId, writeGlobals(globals, values)],
    [exportId, withoutInitialise(sectionOf(sections, exportId))],
    [dataId, dataOf(memory)],
  ]);
  return writeSections(sections.filter(([id]) => id !== dataCountId).map(([id, bytes]) => [id, replaced.get(id) ?? bytes]));
}

const sectionOf = (sections, id) => {
  const found = sections.find(([candidate]) => candidate === id);
  if (found === undefined) throw new Error(`the module has no section ${id}`);
  return found[1];
};

function readGlobals(bytes) {
  const count = readNumber(bytes, 0);
  const globals = [];
  let at = count.next;
  for (let index = 0; index < count.value; index += 1) {
    const [type, isMutable] = [bytes[at], bytes[at + 1] === 1];
    if (type !== i32 && type !== i64) throw new Error(`global ${index} is of type ${type}, expected an integer`);
    const end = bytes.indexOf(0x0b, at + 2) + 1;
    globals.push({ type, isMutable, bytes: bytes.subarray(at, end) });
    at = end;
  }
  return globals;
}

const writeGlobals = (globals, values) =>
  Buffer.concat([
    Buffer.from(numberBytes(globals.length)),
    ...globals.map(({ type, isMutable, bytes }, index) =>
      isMutable ? Buffer.from([type, 1, type === i32 ? 0x41 : 0x42, ...signedBytes(BigInt(values[index])), 0x0b]) : bytes,
    ),
  ]);

/** Every mutable global is exported for a moment, so that its value can be read. */
function initialise(sections, globals) {
  const exported = globals.flatMap(({ isMutable }, index) => (isMutable ? [index] : []));
  const old = sectionOf(sections, exportId);
  const count = readNumber(old, 0);
  const entries = exported.map((index) => Buffer.from([...named(`global ${index}`), 3, ...numberBytes(index)]));
  const exportsBytes = Buffer.concat([Buffer.from(numberBytes(count.value + entries.length)), old.subarray(count.next), ...entries]);
  const module = new WebAssembly.Module(writeSections(sections.map(([id, bytes]) => [id, id === exportId ? exportsBytes : bytes])));
  const wasi = new Wasi({ nowMs: () => 1000, onText: (text) => process.stderr.write(text) }, new Uint8Array(32));
  const { exports } = new WebAssembly.Instance(module, { wasi_snapshot_preview1: wasi.imports, host: { rsa_key: () => 0 } });
  wasi.attach(exports.memory);
  exports._initialize();
  const values = globals.map(({ isMutable }, index) => (isMutable ? exports[`global ${index}`].value : undefined));
  return { memory: Buffer.from(exports.memory.buffer), values };
}

const named = (name) => [...numberBytes(Buffer.byteLength(name)), ...Buffer.from(name)];

function withoutInitialise(bytes) {
  const count = readNumber(bytes, 0);
  const kept = [];
  for (let index = 0, at = count.next; index < count.value; index += 1) {
    const length = readNumber(bytes, at);
    const nameEnd = length.next + length.value;
    const end = readNumber(bytes, nameEnd + 1).next;
    if (bytes.toString('utf8', length.next, nameEnd) !== '_initialize') kept.push(bytes.subarray(at, end));
    at = end;
  }
  return Buffer.concat([Buffer.from(numberBytes(kept.length)), ...kept]);
}

/** Active segments for everything that is not zero. */
function dataOf(memory) {
  const segments = [];
  for (let at = 0; at < memory.length; ) {
    if (memory[at] === 0) {
      at += 1;
      continue;
    }
    let end = at + 1;
    for (let zeros = 0, next = end; next < memory.length && zeros < gapBytes; next += 1) {
      zeros = memory[next] === 0 ? zeros + 1 : 0;
      if (zeros === 0) end = next + 1;
    }
    segments.push(Buffer.from([0, 0x41, ...signedBytes(BigInt(at)), 0x0b, ...numberBytes(end - at)]), memory.subarray(at, end));
    at = end;
  }
  return Buffer.concat([Buffer.from(numberBytes(segments.length / 2)), ...segments]);
}
