// Records what etcd's own tool says about a snapshot of an etcd that has written, overwritten and deleted, and about one of the simulator:
//   node --conditions=talos-tk-source test/oracle/etcd-snapshot/record.ts   with etcd, etcdctl and etcdutl on the PATH
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { etcdSnapshot } from '../../../lib/sim/talos/etcd-snapshot.ts';

const target = join(import.meta.dirname, '../../conformance/etcd-snapshot');
const directory = mkdtempSync(join(tmpdir(), 'etcd-'));
const [client, peer] = ['http://127.0.0.1:23791', 'http://127.0.0.1:23801'];
const server = spawn(
  'etcd',
  [
    '--data-dir',
    join(directory, 'data'),
    '--listen-client-urls',
    client,
    '--advertise-client-urls',
    client,
    '--listen-peer-urls',
    peer,
    '--initial-advertise-peer-urls',
    peer,
    '--initial-cluster',
    `default=${peer}`,
  ],
  { stdio: 'ignore' },
);
const text = (value: string) => Buffer.from(value).toString('base64');
const call = async (path: string, body: object) => {
  const response = await fetch(`${client}/v3/kv/${path}`, { method: 'POST', body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
};
const name = (index: number) => text(`/registry/configmaps/default/config-${String(index).padStart(4, '0')}`);
try {
  for (let tries = 0; ; tries += 1) {
    const up = await fetch(`${client}/health`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (up) break;
    if (tries > 50) throw new Error('etcd does not start');
    await sleep(200);
  }
  for (let index = 0; index < 900; index += 1)
    await call('put', { key: name(index), value: text(`value ${index} ${'x'.repeat(index % 90)}`) });
  for (let index = 0; index < 900; index += 7) await call('deleterange', { key: name(index) });
  await call('put', { key: text('/registry/namespaces/default'), value: text('last') });
  const path = join(directory, 'snapshot.db');
  execFileSync('etcdctl', ['--endpoints', client, 'snapshot', 'save', path]);
  const status = JSON.parse(execFileSync('etcdutl', ['snapshot', 'status', path, '-w', 'json'], { encoding: 'utf8' })) as object;
  const version = execFileSync('etcd', ['--version'], { encoding: 'utf8' }).split('\n')[0];
  writeFileSync(join(target, 'snapshot.db.gz'), gzipSync(readFileSync(path), { level: 9 }));
  writeFileSync(join(target, 'status.json'), `${JSON.stringify({ source: version, status }, undefined, 2)}\n`);
} finally {
  server.kill();
  rmSync(directory, { recursive: true, force: true });
}

// --- of the simulator: read by the tool, and an etcd starts from it
const source = {
  members: [
    { id: '9372538179322589801', name: 'cp-1', address: '10.0.0.1' },
    { id: '10501334649042878790', name: 'cp-2', address: '10.0.0.2' },
  ],
  nodes: ['cp-1', 'cp-2', ...Array.from({ length: 200 }, (_, index) => `worker-${String(index).padStart(3, '0')}`)],
  kubernetesCa: '-----BEGIN CERTIFICATE-----\nQSBsaW5l\nQW5kIGFub3RoZXI=\n-----END CERTIFICATE-----\n',
};
const place = mkdtempSync(join(tmpdir(), 'etcd-'));
try {
  const path = join(place, 'snapshot.db');
  const bytes = etcdSnapshot(source);
  writeFileSync(path, bytes);
  const status = JSON.parse(execFileSync('etcdutl', ['snapshot', 'status', path, '-w', 'json'], { encoding: 'utf8' })) as object;
  execFileSync('etcdutl', ['snapshot', 'restore', path, '--data-dir', join(place, 'data')], { stdio: 'ignore' });
  const tool = execFileSync('etcdutl', ['version'], { encoding: 'utf8' }).split('\n')[0];
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  writeFileSync(join(target, 'simulated.json'), `${JSON.stringify({ tool, source, sha256, status }, undefined, 2)}\n`);
} finally {
  rmSync(place, { recursive: true, force: true });
}
