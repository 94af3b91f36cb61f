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

/** Whose data a snapshot is. What is not in it is empty: nothing in it names the cluster of etcd itself. */
export interface SnapshotOwner {
  /** Of etcd's members, sorted; empty names are members that never started. */
  readonly members: readonly string[];
  /** Hosts of their peer addresses, sorted. */
  readonly peers: readonly string[];
  /** Of Kubernetes, sorted. */
  readonly nodes: readonly string[];
  /** DER, base64: the authorities that its Kubernetes trusts. After a rotation there are several. */
  readonly kubernetesCas: readonly string[];
}

export interface SnapshotReading {
  /** It was copied out of a data directory: no digest is behind it, or none that counts. */
  readonly isBare?: boolean;
}

const digestBytes = 32;

/**
 * Looks into a snapshot: whether it is whole, and what it holds. A snapshot that was cut off, or one of an etcd without any key, is
 * no snapshot.
 *
 * Shape: a bolt database, behind it the SHA-256 of it, unless it was copied out of a data directory.
 * Failure: `etcd/snapshot-invalid`.
 * Source: etcd server/etcdserver/api/v3rpc/maintenance.go (the digest), etcdutl/snapshot/v3_snapshot.go (hash, revision, keys),
 * bbolt page.go, bucket.go (the format)
 */
export function readSnapshot(bytes: Uint8Array, { isBare = false }: SnapshotReading = {}): SnapshotContents {
  const database = isBare ? databaseOf(bytes) : verified(bytes);
  const contents = whole(bytes, () => readContents(database));
  if (contents.revision === 0n || contents.keys === 0) throw invalid(bytes, 'it holds no key');
  return { sizeBytes: bytes.length, ...contents };
}

/**
 * Whose it is, of one that was looked into before. Kubernetes keeps its authorities in every namespace, for pods to trust.
 *
 * Source: etcd server/storage/schema/membership.go; kubernetes pkg/controller/certificates/rootcacertpublisher,
 * pkg/registry/core/rest (minions is what nodes are stored as)
 */
export const readSnapshotOwner = (bytes: Uint8Array): SnapshotOwner => whole(bytes, () => readOwner(databaseOf(bytes)));

const invalid = (bytes: Uint8Array, reason: string) =>
  new TkError(talosFailure('etcd/snapshot-invalid', { sizeBytes: bytes.length, reason }));

function verified(bytes: Uint8Array): Uint8Array {
  const database = bytes.subarray(0, Math.max(0, bytes.length - digestBytes));
  if (database.length === 0 || database.length % pageUnitBytes !== 0)
    throw invalid(bytes, 'it was cut off: its length is not that of a database and a digest');
  const digest = createHash('sha256').update(database).digest();
  if (!digest.equals(bytes.subarray(-digestBytes))) throw invalid(bytes, 'its SHA-256 digest does not fit');
  return database;
}

/** Pages of bolt are a multiple of it, so what is behind them is a digest. Source: etcdutl snapshot/v3_snapshot.go hasChecksum */
const pageUnitBytes = 512;

const databaseOf = (bytes: Uint8Array): Uint8Array =>
  bytes.length % pageUnitBytes === digestBytes ? bytes.subarray(0, -digestBytes) : bytes;

function whole<T>(bytes: Uint8Array, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof RangeError || error instanceof BoltError) throw invalid(bytes, `it is not a database of etcd: ${error.message}`);
    throw error;
  }
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

interface Bucket {
  readonly key: Buffer;
  readonly items: Iterable<Item>;
}

function* buckets(database: Uint8Array): Generator<Bucket> {
  const file = Buffer.from(database.buffer, database.byteOffset, database.length);
  const meta = newestMeta(file);
  const page = (id: bigint): Buffer => {
    const at = Number(id) * meta.pageSize;
    const overflow = file.readUInt32LE(at + 12);
    return file.subarray(at, at + (overflow + 1) * meta.pageSize);
  };
  for (const { key, value, isBucket } of items(page, page(meta.root))) {
    if (!isBucket) throw new BoltError('a value where a bucket should be');
    const root = value.readBigUInt64LE(0);
    // A small bucket lies inside its own value, as a page behind the header.
    yield { key, items: items(page, root === 0n ? Buffer.from(value.subarray(pageHeaderBytes)) : page(root)) };
  }
}

const nameOf = ({ key }: Bucket): string => key.toString('latin1');

function readContents(database: Uint8Array): Omit<SnapshotContents, 'sizeBytes'> {
  let crc = 0;
  const live = new Set<string>();
  let revision = 0n;
  for (const bucket of buckets(database)) {
    const isKeyBucket = nameOf(bucket) === 'key';
    crc = crc32c(bucket.key, crc);
    for (const { key, value } of bucket.items) {
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

const nodePrefix = '/registry/minions/';
const authorities = /^\/registry\/configmaps\/[^/]+\/kube-root-ca\.crt$/;

function readOwner(database: Uint8Array): SnapshotOwner {
  const members: string[] = [];
  const peers = new Set<string>();
  const nodes = new Set<string>();
  const trusted = new Map<string, readonly string[]>();
  for (const bucket of buckets(database)) {
    const name = nameOf(bucket);
    if (name === 'members')
      for (const { value } of bucket.items) {
        const member = memberIn(value);
        members.push(member.name);
        for (const host of member.hosts) peers.add(host);
      }
    if (name !== 'key') continue;
    for (const { key, value } of bucket.items) {
      const path = keyOf(value);
      const isGone = key.length === tombstoneBytes;
      if (path.startsWith(nodePrefix)) nodes[isGone ? 'delete' : 'add'](path.slice(nodePrefix.length));
      else if (authorities.test(path)) {
        if (isGone) trusted.delete(path);
        else trusted.set(path, certificatesIn(value));
      }
    }
  }
  const kubernetesCas = [...new Set([...trusted.values()].flat())];
  return { members: members.sort(), peers: [...peers].sort(), nodes: [...nodes].sort(), kubernetesCas };
}

/** Shape: JSON with `name` and `peerURLs`. */
function memberIn(value: Buffer): { readonly name: string; readonly hosts: readonly string[] } {
  let read: unknown;
  try {
    read = JSON.parse(value.toString('utf8'));
  } catch {
    throw new BoltError('a member that is no JSON');
  }
  const { name, peerURLs } = (typeof read === 'object' && read !== null ? read : {}) as { name?: unknown; peerURLs?: unknown };
  const urls = Array.isArray(peerURLs) ? peerURLs.filter((url) => typeof url === 'string') : [];
  const hosts = urls.flatMap((url) => (URL.canParse(url) ? [new URL(url).hostname.replace(/^\[|\]$/g, '')] : []));
  return { name: typeof name === 'string' ? name : '', hosts };
}

/** Whatever the object is encoded as, its certificates are text in it; JSON writes the ends of their lines as `\n`. */
const certificatesIn = (value: Buffer): readonly string[] =>
  [...value.toString('latin1').matchAll(/-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----/gs)].map(([, body = '']) =>
    body.replace(/\\[nr]|\s/g, ''),
  );

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
