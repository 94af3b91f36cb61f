/** A regular file; `path` with forward slashes. */
export interface TarEntry {
  readonly path: string;
  readonly content: Uint8Array | string;
}

const blockBytes = 512;

/**
 * A POSIX ustar archive that depends on nothing but its entries: mode 0644, no owner, time 0, in the order given.
 * Failure: throws a RangeError for a path of more than 255 bytes.
 */
export function packTar(entries: readonly TarEntry[]): Uint8Array {
  const blocks: Uint8Array[] = [];
  for (const { path, content } of entries) {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content;
    blocks.push(header(path, bytes.length), bytes, new Uint8Array(-bytes.length & (blockBytes - 1)));
  }
  blocks.push(new Uint8Array(2 * blockBytes));
  return Buffer.concat(blocks);
}

function header(path: string, sizeBytes: number): Uint8Array {
  const block = Buffer.alloc(blockBytes);
  const [prefix, name] = splitPath(path);
  const octal = (value: number, width: number) => `${value.toString(8).padStart(width - 1, '0')}\0`;
  block.write(name, 0);
  block.write(octal(0o644, 8), 100);
  block.write(octal(0, 8), 108);
  block.write(octal(0, 8), 116);
  block.write(octal(sizeBytes, 12), 124);
  block.write(octal(0, 12), 136);
  block.write('        0', 148);
  block.write('ustar\u000000', 257);
  block.write(prefix, 345);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

/** The name field holds 100 bytes; what is longer goes in front of a slash into the prefix field of 155. */
function splitPath(path: string): readonly [prefix: string, name: string] {
  if (Buffer.byteLength(path) <= 100) return ['', path];
  for (let slash = path.indexOf('/'); slash !== -1; slash = path.indexOf('/', slash + 1)) {
    const [prefix, name] = [path.slice(0, slash), path.slice(slash + 1)];
    if (Buffer.byteLength(name) <= 100 && Buffer.byteLength(prefix) <= 155) return [prefix, name];
  }
  throw new RangeError(`a tar archive has no room for a path of ${Buffer.byteLength(path)} bytes`);
}
