/** Of each byte: what eight steps of the polynomial make of it. */
const steps = /* @__PURE__ */ Uint32Array.from({ length: 256 }, (_, byte) => {
  let sum = byte;
  for (let bit = 0; bit < 8; bit += 1) sum = sum & 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1;
  return sum;
});
const encoder = new TextEncoder();

/**
 * CRC-32 of a text in UTF-8, as zlib has it: 0 to 2³² − 1. `previous` is the sum of what comes before the text.
 *
 * For a few short lines: `node:zlib` takes longer to load than they take here.
 * Source: RFC 1952, section 8
 */
export function crc32(text: string, previous = 0): number {
  let sum = ~previous;
  let index = 0;
  // Nearly every line is ASCII, whose characters are its bytes.
  for (; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code > 0x7f) break;
    sum = (sum >>> 8) ^ (steps[(sum ^ code) & 0xff] as number);
  }
  if (index < text.length) for (const byte of encoder.encode(text.slice(index))) sum = (sum >>> 8) ^ (steps[(sum ^ byte) & 0xff] as number);
  return ~sum >>> 0;
}
