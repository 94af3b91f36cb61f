import { gunzipSync } from 'node:zlib';

const blockBytes = 512;

/**
 * The text of the first file in a gzipped tar: how a machine hands out a kubeconfig.
 *
 * Failure: undefined when it is no such archive.
 */
export function firstFileOf(archive: Uint8Array): string | undefined {
  let tar: Uint8Array;
  try {
    tar = gunzipSync(archive, { maxOutputLength: 16 * 1024 * 1024 });
  } catch {
    return undefined;
  }
  let offset = 0;
  while (offset + blockBytes <= tar.length) {
    const header = tar.subarray(offset, offset + blockBytes);
    if (header.every((byte) => byte === 0)) return undefined;
    const size = Number.parseInt(field(header, 124, 12), 8);
    if (!Number.isSafeInteger(size) || size < 0) return undefined;
    const type = field(header, 156, 1);
    const content = tar.subarray(offset + blockBytes, offset + blockBytes + size);
    // Ordinary files are `0` or empty; extended headers come before them.
    if (type === '0' || type === '') return content.length === size ? Buffer.from(content).toString('utf8') : undefined;
    offset += blockBytes + Math.ceil(size / blockBytes) * blockBytes;
  }
  return undefined;
}

function field(header: Uint8Array, start: number, length: number): string {
  return Buffer.from(header.subarray(start, start + length))
    .toString('latin1')
    .replace(/\0.*$/s, '')
    .trim();
}
