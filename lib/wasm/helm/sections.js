// Takes a WebAssembly module apart and puts it together again: sections as [id, bytes] in order. Custom sections are dropped.

export function readSections(wasm) {
  const sections = [];
  for (let at = 8; at < wasm.length; ) {
    const size = readNumber(wasm, at + 1);
    if (wasm[at] !== 0) sections.push([wasm[at], wasm.subarray(size.next, size.next + size.value)]);
    at = size.next + size.value;
  }
  return sections;
}

export function writeSections(sections) {
  const header = Buffer.from('\0asm\x01\0\0\0', 'latin1');
  return Buffer.concat([header, ...sections.flatMap(([id, bytes]) => [Buffer.from([id, ...numberBytes(bytes.length)]), bytes])]);
}

/** Unsigned LEB128. */
export function readNumber(bytes, from) {
  let value = 0;
  for (let next = from, shift = 0; ; next += 1, shift += 7) {
    value += (bytes[next] & 0x7f) * 2 ** shift;
    if (bytes[next] < 0x80) return { value, next: next + 1 };
  }
}

export function numberBytes(value) {
  const bytes = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest % 128) | 0x80);
  }
}

/** Signed LEB128 of a BigInt. */
export function signedBytes(value) {
  const bytes = [];
  for (let rest = value; ; rest >>= 7n) {
    const low = Number(rest & 0x7fn);
    const next = rest >> 7n;
    if ((next === 0n && (low & 0x40) === 0) || (next === -1n && (low & 0x40) !== 0)) return [...bytes, low];
    bytes.push(low | 0x80);
  }
}
