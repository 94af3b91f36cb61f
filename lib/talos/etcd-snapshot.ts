import { createHash } from 'node:crypto';
import { TkError } from '../base/index.ts';
import { talosFailure } from './client/failures.ts';

/** What a snapshot of etcd holds. `hash` as `etcdutl snapshot status` prints it: eight hex digits. */
export interface SnapshotContents {
  readonly sizeBytes: number;
  readonly hash: string;
  /** Of the newest key. */
  readonly revision: bigint;
  /** Keys that exist; deleted ones are still in the database and do not count. */
  readonly keys: number;
}

const digestBytes = 32;

/**
 * Looks into a snapshot: whether it is whole, and what it holds. A snapshot that was cut off, or one of an etcd without any key, is
 * no snapshot.
 *
 * Shape: a bolt database, behind it the SHA-256 of it.
 * Failure: `etcd/snapshot-invalid`.
 * Source: etcd server/etcdserver/api/v3rpc/maintenance.go (the digest), etcdutl/snapshot/v3_snapshot.go (hash, revision, keys),
 * bbolt page.go, bucket.go (the format)
 */
export function readSnapshot(bytes: Uint8Array): SnapshotContents {
  const refuse = (reason: string) => new TkError(talosFailure('etcd/snapshot-invalid', { sizeBytes: bytes.length, reason }));
  const database = bytes.subarray(0, Math.max(0, bytes.length - digestBytes));
  if (database.length === 0 || database.length % 512 !== 0)
    throw refuse('it was cut off: its length is not that of a database and a digest');
  const digest = createHash('sha256').update(database).digest();
  if (!digest.equals(bytes.subarray(-digestBytes))) throw refuse('its SHA-256 digest does not fit');
  let contents: Omit<SnapshotContents, 'sizeBytes'>;
  try {
    contents = readBolt(database);
  } catch (error) {
    if (error instanceof RangeError || error instanceof BoltError) throw refuse(`it is not a database of etcd: ${error.message}`);
    throw error;
  }
  if (contents.revision === 0n || contents.keys === 0) throw refuse('it holds no key');
  return { sizeBytes: bytes.length, ...contents };
}

class BoltError extends Error {}

const pageHeaderBytes = 16;
const elementBytes = 16;
const metaMagic = 0xed0cdaed;
const flag = { branch: 1, leaf: 2, meta: 4, bucketElement: 1 } as const;

interface Item {
  readonly key: Buffer;
  readonly value: Buffer;
  readonly isBucket: boolean;
}

function readBolt(database: Uint8Array): Omit<SnapshotContents, 'sizeBytes'> {
  const file = Buffer.from(database.buffer, database.byteOffset, database.length);
  const meta = newestMeta(file);
  const page = (id: bigint): Buffer => {
    const at = Number(id) * meta.pageSize;
    const overflow = file.readUInt32LE(at + 12);
    return file.subarray(at, at + (overflow + 1) * meta.pageSize);
  };
  let crc = 0;
  const live = new Set<string>();
  let revision = 0n;
  for (const bucket of items(page, page(meta.root))) {
    if (!bucket.isBucket) throw new BoltError('a value where a bucket should be');
    const isKeyBucket = bucket.key.toString('latin1') === 'key';
    crc = crc32c(bucket.key, crc);
    const root = bucket.value.readBigUInt64LE(0);
    // A small bucket lies inside its own value, as a page behind the header.
    const content = root === 0n ? Buffer.from(bucket.value.subarray(pageHeaderBytes)) : page(root);
    for (const { key, value } of items(page, content)) {
      crc = crc32c(value, crc32c(key, crc));
      if (!isKeyBucket || key.length < 8) continue;
      revision = key.readBigUInt64BE(0);
      const name = keyOf(value);
      if (key.length === tombstoneBytes) live.delete(name);
      else live.add(name);
    }
  }
  return { hash: crc.toString(16).padStart(8, '0'), revision, keys: live.size };
}

/** A revision is 17 bytes; a `t` behind it marks the deletion of its key. */
const tombstoneBytes = 18;

/** The first field of mvccpb.KeyValue. */
function keyOf(value: Buffer): string {
  if (value[0] !== 0x0a) return '';
  let length = 0;
  let at = 1;
  for (let shift = 0; ; shift += 7) {
    const byte = value.readUInt8(at);
    at += 1;
    length |= (byte & 0x7f) << shift;
    if ((byte & 0x80) === 0) break;
  }
  return value.toString('latin1', at, at + length);
}

function newestMeta(file: Buffer): { readonly pageSize: number; readonly root: bigint } {
  const metas: { readonly pageSize: number; readonly root: bigint; readonly transaction: bigint }[] = [];
  const read = (at: number) => {
    const start = at + pageHeaderBytes;
    if (start + 64 > file.length || file.readUInt32LE(start) !== metaMagic || file.readUInt32LE(start + 4) !== 2) return;
    if (fnv64a(file.subarray(start, start + 56)) !== file.readBigUInt64LE(start + 56)) return;
    metas.push({
      pageSize: file.readUInt32LE(start + 8),
      root: file.readBigUInt64LE(start + 16),
      transaction: file.readBigUInt64LE(start + 48),
    });
  };
  read(0);
  // The second one lies on the second page, whose size only the first tells; without the first, the usual sizes are tried.
  for (const size of metas[0] ? [metas[0].pageSize] : [4096, 16_384, 65_536]) read(size);
  const [newest] = metas.sort((a, b) => (a.transaction > b.transaction ? -1 : 1));
  if (newest === undefined) throw new BoltError('no page describes it');
  return newest;
}

/** The items of a tree in key order. */
function* items(page: (id: bigint) => Buffer, node: Buffer): Generator<Item> {
  const flags = node.readUInt16LE(8);
  const count = node.readUInt16LE(10);
  for (let index = 0; index < count; index += 1) {
    const element = pageHeaderBytes + index * elementBytes;
    if ((flags & flag.leaf) !== 0) {
      const start = element + node.readUInt32LE(element + 4);
      const keyBytes = node.readUInt32LE(element + 8);
      const valueBytes = node.readUInt32LE(element + 12);
      if (start + keyBytes + valueBytes > node.length) throw new BoltError('an item reaches beyond its page');
      const key = node.subarray(start, start + keyBytes);
      const value = node.subarray(start + keyBytes, start + keyBytes + valueBytes);
      yield { key, value, isBucket: (node.readUInt32LE(element) & flag.bucketElement) !== 0 };
    } else if ((flags & flag.branch) !== 0) {
      yield* items(page, page(node.readBigUInt64LE(element + 8)));
    } else throw new BoltError('a page is neither branch nor leaf');
  }
}

function fnv64a(bytes: Uint8Array): bigint {
  let hash = 0xcbf29ce484222325n;
  for (const byte of bytes) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return hash;
}

/** Castagnoli's polynomial, reflected. */
const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  return value >>> 0;
});

function crc32c(bytes: Uint8Array, seed: number): number {
  let crc = ~seed >>> 0;
  for (let index = 0; index < bytes.length; index += 1) crc = (table[(crc ^ (bytes[index] as number)) & 0xff] as number) ^ (crc >>> 8);
  return ~crc >>> 0;
}
