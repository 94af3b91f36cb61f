import { createHash } from 'node:crypto';

/** What of a cluster is in the snapshot of its etcd. The simulation keeps its objects elsewhere: these tell whose it is. */
export interface SnapshotSource {
  readonly members: readonly { readonly id: string; readonly name: string; readonly address: string }[];
  readonly nodes: readonly string[];
  /** PEM. */
  readonly kubernetesCa?: string;
}

let last: { readonly signature: string; readonly bytes: Buffer } | undefined;

/**
 * As etcd sends it: a bolt database with its SHA-256 behind it.
 *
 * Source: bbolt page.go, meta.go, bucket.go; etcd server/storage/schema (buckets), server/storage/mvcc/revision.go;
 * kubernetes staging/src/k8s.io/apimachinery/pkg/runtime/serializer/protobuf (what an object begins with)
 */
export function etcdSnapshot(source: SnapshotSource): Buffer {
  const signature = JSON.stringify(source);
  if (last?.signature !== signature) last = { signature, bytes: snapshotOf(source) };
  return last.bytes;
}

/** Source: etcdutl snapshot/v3_snapshot.go: a database is a multiple of 512 bytes, a digest follows it. */
export function kindOfSnapshot(bytes: Buffer): 'whole' | 'bare' | 'broken' {
  if (bytes.length === 0) return 'broken';
  if (bytes.length % 512 === 0) return 'bare';
  const database = bytes.subarray(0, -32);
  const digest = createHash('sha256').update(database).digest();
  return database.length % 512 === 0 && digest.equals(bytes.subarray(-32)) ? 'whole' : 'broken';
}

const revision = 2;

function snapshotOf({ members, nodes, kubernetesCa }: SnapshotSource): Buffer {
  const objects: (readonly [path: string, value: Buffer])[] = [
    ...(kubernetesCa === undefined ? [] : [['/registry/configmaps/kube-system/kube-root-ca.crt', authorities(kubernetesCa)] as const]),
    ...nodes.map((name) => [`/registry/minions/${name}`, object('Node', named(name))] as const),
    ['/registry/namespaces/default', object('Namespace', named('default'))],
  ];
  const database = bolt([
    ['cluster', [['clusterVersion', Buffer.from('3.6.0')]]],
    ['key', objects.map(([path, value], index) => [revisionKey(index), keyValue(path, value)])],
    ['members', sorted(members.map((member) => [BigInt(member.id).toString(16), Buffer.from(memberText(member))]))],
    [
      'meta',
      [
        ['confState', Buffer.from(`{"voters":[${members.map(({ id }) => id).join(',')}],"auto_leave":false}`)],
        ['consistent_index', uint64(objects.length + 3)],
        ['term', uint64(2)],
      ],
    ],
  ]);
  return Buffer.concat([database, createHash('sha256').update(database).digest()]);
}

/** Ids have more digits than numbers here. */
const memberText = ({ id, name, address }: SnapshotSource['members'][number]): string =>
  `{"id":${id},"peerURLs":["https://${address}:2380"],"name":${JSON.stringify(name)},"clientURLs":["https://${address}:2379"]}`;

const sorted = <T extends readonly (readonly [string, Buffer])[]>(entries: T) => entries.toSorted(([a], [b]) => (a < b ? -1 : 1));

// --- what etcd keeps

const uint64 = (value: number): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
};
const revisionKey = (sub: number): Buffer => Buffer.concat([uint64(revision), Buffer.from('_'), uint64(sub)]);

const keyValue = (path: string, value: Buffer): Buffer =>
  Buffer.concat([bytesField(1, path), numberField(2, revision), numberField(3, revision), numberField(4, 1), bytesField(5, value)]);

const named = (name: string, namespace?: string): Buffer =>
  bytesField(1, Buffer.concat([bytesField(1, name), ...(namespace === undefined ? [] : [bytesField(3, namespace)])]));

const object = (kind: string, raw: Buffer): Buffer =>
  Buffer.concat([Buffer.from('k8s\0'), bytesField(1, Buffer.concat([bytesField(1, 'v1'), bytesField(2, kind)])), bytesField(2, raw)]);

const authorities = (pem: string): Buffer =>
  object(
    'ConfigMap',
    Buffer.concat([named('kube-root-ca.crt', 'kube-system'), bytesField(2, Buffer.concat([bytesField(1, 'ca.crt'), bytesField(2, pem)]))]),
  );

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let left = value;
  while (left > 127) {
    bytes.push((left & 127) | 128);
    left >>>= 7;
  }
  return Buffer.from([...bytes, left]);
}

const numberField = (field: number, value: number): Buffer => Buffer.concat([varint(field << 3), varint(value)]);
const bytesField = (field: number, value: string | Buffer): Buffer => {
  const bytes = Buffer.from(value);
  return Buffer.concat([varint((field << 3) | 2), varint(bytes.length), bytes]);
};

// --- what bolt makes of it

type Entries = readonly (readonly [key: string | Buffer, value: Buffer])[];

const pageBytes = 4096;
const pageFlag = { leaf: 2, meta: 4, freelist: 16 } as const;

/** Two descriptions, an empty list of free pages, one page that names the buckets, and one, however long, for each of them. */
function bolt(buckets: readonly (readonly [name: string, entries: Entries])[]): Buffer {
  const pages: Buffer[] = [];
  let next = 4;
  const roots = buckets.map(([name, entries]): readonly [string, Buffer] => {
    const page = leaf(next, entries, 0);
    const header = Buffer.alloc(16);
    header.writeBigUInt64LE(BigInt(next));
    pages.push(page);
    next += page.length / pageBytes;
    return [name, header];
  });
  const meta = (id: number) => {
    const page = emptyPage(id, pageFlag.meta);
    page.writeUInt32LE(0xed0cdaed, 16);
    page.writeUInt32LE(2, 20);
    page.writeUInt32LE(pageBytes, 24);
    for (const [at, value] of [
      [32, 3],
      [48, 2],
      [56, next],
      [64, id],
    ] as const)
      page.writeBigUInt64LE(BigInt(value), at);
    page.writeBigUInt64LE(fnv64a(page.subarray(16, 72)), 72);
    return page;
  };
  return Buffer.concat([meta(0), meta(1), emptyPage(2, pageFlag.freelist), leaf(3, roots, 1), ...pages]);
}

function emptyPage(id: number, flags: number, length = pageBytes): Buffer {
  const page = Buffer.alloc(length);
  page.writeBigUInt64LE(BigInt(id));
  page.writeUInt16LE(flags, 8);
  page.writeUInt32LE(length / pageBytes - 1, 12);
  return page;
}

/** Shape: keys are sorted. `flag` 1: the values are buckets. */
function leaf(id: number, entries: Entries, flag: 0 | 1): Buffer {
  const elementsEnd = 16 + entries.length * 16;
  const contents = entries.map(([key, value]) => Buffer.concat([Buffer.from(key), value]));
  const length = contents.reduce((sum, content) => sum + content.length, elementsEnd);
  const page = emptyPage(id, pageFlag.leaf, Math.ceil(length / pageBytes) * pageBytes);
  page.writeUInt16LE(entries.length, 10);
  let at = elementsEnd;
  for (const [index, [key, value]] of entries.entries()) {
    const element = 16 + index * 16;
    const keyBytes = Buffer.byteLength(key);
    page.writeUInt32LE(flag, element);
    page.writeUInt32LE(at - element, element + 4);
    page.writeUInt32LE(keyBytes, element + 8);
    page.writeUInt32LE(value.length, element + 12);
    at += (contents[index] as Buffer).copy(page, at);
  }
  return page;
}

function fnv64a(bytes: Uint8Array): bigint {
  let hash = 0xcbf29ce484222325n;
  for (const byte of bytes) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return hash;
}
