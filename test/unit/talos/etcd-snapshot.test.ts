import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { TkError } from '../../../lib/base/index.ts';
import { etcdSnapshot, type SnapshotSource } from '../../../lib/sim/talos/etcd-snapshot.ts';
import { readSnapshot, readSnapshotOwner } from '../../../lib/talos/index.ts';

const recorded = join(import.meta.dirname, '../../conformance/etcd-snapshot');
const snapshot = gunzipSync(readFileSync(join(recorded, 'snapshot.db.gz')));
const { status } = JSON.parse(readFileSync(join(recorded, 'status.json'), 'utf8')) as {
  readonly status: { readonly hash: number; readonly revision: number; readonly totalKey: number; readonly totalSize: number };
};

function reasonOf(bytes: Uint8Array): unknown {
  try {
    return readSnapshot(bytes);
  } catch (error) {
    return error instanceof TkError ? [error.failure.code, error.failure.facts['reason']] : error;
  }
}

const sealed = (database: Uint8Array) => Buffer.concat([database, createHash('sha256').update(database).digest()]);

test("says of a snapshot what etcd's own tool says", () => {
  expect(readSnapshot(snapshot)).toEqual({
    sizeBytes: status.totalSize + 32,
    hash: status.hash.toString(16).padStart(8, '0'),
    revision: BigInt(status.revision),
    keys: status.totalKey,
  });
});

test('says whose it is: members and their addresses, nodes and authorities of Kubernetes', () => {
  expect(readSnapshotOwner(snapshot)).toEqual({ members: ['default'], peers: ['127.0.0.1'], nodes: [], kubernetesCas: [] });
});

test('a database that was copied out of a data directory has no digest, and is read where that is agreed to', () => {
  const bare = snapshot.subarray(0, -32);
  expect(reasonOf(bare)).toEqual(['etcd/snapshot-invalid', 'it was cut off: its length is not that of a database and a digest']);
  expect(readSnapshot(bare, { isBare: true })).toEqual({ ...readSnapshot(snapshot), sizeBytes: bare.length });
  // With one that does not fit it is the same database.
  const rotten = Buffer.concat([bare, Buffer.alloc(32)]);
  expect(readSnapshot(rotten, { isBare: true })).toEqual(readSnapshot(snapshot));
  expect(readSnapshotOwner(bare)).toEqual(readSnapshotOwner(snapshot));
});

test("what the simulator sends is a snapshot to etcd's own tool, and says whose it is", () => {
  const {
    source,
    status: told,
    sha256,
  } = JSON.parse(readFileSync(join(recorded, 'simulated.json'), 'utf8')) as {
    readonly source: SnapshotSource;
    readonly status: { readonly hash: number; readonly revision: number; readonly totalKey: number; readonly totalSize: number };
    readonly sha256: string;
  };
  const bytes = etcdSnapshot(source);
  expect(createHash('sha256').update(bytes).digest('hex')).toBe(sha256);
  expect(readSnapshot(bytes)).toEqual({
    sizeBytes: told.totalSize + 32,
    hash: told.hash.toString(16).padStart(8, '0'),
    revision: BigInt(told.revision),
    keys: told.totalKey,
  });
  expect(readSnapshotOwner(bytes)).toEqual({
    members: source.members.map(({ name }) => name),
    peers: source.members.map(({ address }) => address),
    nodes: source.nodes,
    kubernetesCas: ['QSBsaW5lQW5kIGFub3RoZXI='],
  });
});

test('what was cut off, anywhere, is no snapshot', () => {
  const cuts = [0, 1, 31, 32, 512, 4096, snapshot.length - 33, snapshot.length - 32, snapshot.length - 1];
  for (const length of cuts) {
    expect([length, reasonOf(snapshot.subarray(0, length))]).toEqual([
      length,
      ['etcd/snapshot-invalid', expect.stringMatching(/^it was cut off|^its SHA-256 digest does not fit$/)],
    ]);
  }
});

test('neither is one with a flipped bit', () => {
  for (const at of [5, 4096 + 9, snapshot.length - 40, snapshot.length - 3]) {
    const damaged = Buffer.from(snapshot);
    damaged[at] = (damaged[at] ?? 0) ^ 1;
    expect(reasonOf(damaged)).toEqual(['etcd/snapshot-invalid', 'its SHA-256 digest does not fit']);
  }
});

test('a digest that fits proves nothing about what is below it', () => {
  expect(reasonOf(sealed(Buffer.alloc(8192)))).toEqual(['etcd/snapshot-invalid', 'it is not a database of etcd: no page describes it']);
  const torn = Buffer.from(snapshot.subarray(0, -32));
  // The root points beyond the end.
  expect(reasonOf(sealed(torn.subarray(0, 8192)))).toEqual([
    'etcd/snapshot-invalid',
    expect.stringMatching(/^it is not a database of etcd: /),
  ]);
});
