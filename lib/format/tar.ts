/** A regular file; `path` with forward slashes. With `linkTo` a symbolic link, of at most 99 bytes, and no content. */
export interface TarEntry {
  readonly path: string;
  readonly content: Uint8Array | string;
  readonly linkTo?: string;
}

const blockBytes = 512;

/**
 * A POSIX ustar archive that depends on nothing but its entries: mode 0644, no owner, time 0, in the order given.
 * Failure: throws a RangeError for a path of more than 255 bytes.
 */
export function packTar(entries: readonly TarEntry[]): Uint8Array {
  const blocks: Uint8Array[] = [];
  for (const { path, content, linkTo } of entries) {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content;
    blocks.push(header(path, bytes.length, linkTo), bytes, new Uint8Array(-bytes.length & (blockBytes - 1)));
  }
  blocks.push(new Uint8Array(2 * blockBytes));
  return Buffer.concat(blocks);
}

function header(path: string, sizeBytes: number, linkTo?: string): Uint8Array {
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
  if (linkTo !== undefined) block.write(`2${linkTo}`, 156);
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

/** The regular files of an archive, as `entriesOfTar` has them. */
export function* filesOfTar(archive: Uint8Array): Generator<{ readonly path: string; readonly content: Uint8Array }> {
  for (const { path, content, type } of entriesOfTar(archive)) if (type === 'file') yield { path, content };
}

export interface FoundTarEntry {
  readonly path: string;
  readonly content: Uint8Array;
  readonly type: 'file' | 'folder' | 'link' | 'device' | 'other';
}

const typesByFlag: Readonly<Record<string, FoundTarEntry['type']>> = {
  '': 'file',
  '0': 'file',
  '1': 'link',
  '2': 'link',
  '3': 'device',
  '4': 'device',
  '5': 'folder',
  '6': 'device',
};

/**
 * What an archive holds, in its order. Long names of GNU tar and extended headers are read; whatever follows a block that is no header is
 * left out.
 */
export function* entriesOfTar(archive: Uint8Array): Generator<FoundTarEntry> {
  let longName: string | undefined;
  for (let offset = 0; offset + blockBytes <= archive.length; ) {
    const block = archive.subarray(offset, offset + blockBytes);
    const sizeBytes = Number.parseInt(field(block, 124, 12) || '0', 8);
    if (block[0] === 0 || !Number.isSafeInteger(sizeBytes) || sizeBytes < 0) return;
    const content = archive.subarray(offset + blockBytes, offset + blockBytes + sizeBytes);
    if (content.length < sizeBytes) return;
    offset += blockBytes + Math.ceil(sizeBytes / blockBytes) * blockBytes;
    const type = field(block, 156, 1);
    if (type === 'L') longName = textOf(content).replace(/\0.*$/s, '');
    else if (type === 'x') longName = extendedPath(textOf(content)) ?? longName;
    else {
      const prefix = field(block, 345, 155);
      const name = field(block, 0, 100);
      yield { path: longName ?? (prefix === '' ? name : `${prefix}/${name}`), content, type: typesByFlag[type] ?? 'other' };
      longName = undefined;
    }
  }
}

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');

function field(block: Uint8Array, start: number, length: number): string {
  return textOf(block.subarray(start, start + length))
    .replace(/\0.*$/s, '')
    .trim();
}

/** `27 path=a/very/long/name\n` */
const extendedPath = (records: string): string | undefined => /^\d+ path=(.*)$/m.exec(records)?.[1];
