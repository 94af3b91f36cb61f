import { deflateSync, gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { createMemoryWorld } from '../../lib/sim/index.ts';
import { openRecording } from '../../lib/cli/record/open-recording.ts';
import { parseRecording } from '../../lib/cli/record/recording.ts';
import { simulate } from '../rig/watched.ts';
import { type Canary, canariesIn, encodings, findCanaries } from '../rig/canary.ts';
import { driverOf, memoryCluster, signal } from './sim/cluster-rig.ts';

const canary: Canary = { name: 'the canary', value: 'kQ9/zanary+Secret~0123456789=äö'.slice(0, 28) };
const around = (text: string) => [{ where: 'a file', bytes: Buffer.from(`before ${text} after`) }];

test('a key is found however it is written down, and nothing else is', () => {
  for (const [name, encode] of Object.entries(encodings)) {
    const hits = findCanaries([canary], around(encode(canary.value)));
    expect(
      hits.map(({ canary: found }) => found),
      name,
    ).toContain('the canary');
  }
  expect(Object.keys(encodings).length).toBeGreaterThanOrEqual(12);
  for (const shift of ['', 'x', 'xy'])
    expect(findCanaries([canary], around(Buffer.from(shift + canary.value).toString('base64')))).not.toEqual([]);
  const folded = canary.value.match(/.{1,9}/g)?.join('\n    ') ?? '';
  expect(findCanaries([canary], around(folded))).not.toEqual([]);
  for (const packed of [gzipSync, deflateSync]) {
    const inside = packed(Buffer.from(`{"data": "${canary.value}"}`));
    expect(findCanaries([canary], around(inside.toString('base64')))).not.toEqual([]);
  }
  expect(findCanaries([canary], [{ where: 'a file', bytes: gzipSync(gzipSync(Buffer.from(canary.value))) }])).not.toEqual([]);
  expect(findCanaries([canary], around('quite another text, kQ9/zanary+Sec, and more of it'))).toEqual([]);
});

test('the keys of a config are its canaries', () => {
  const pem =
    '-----BEGIN ED25519 PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIAbcdefghijklmnopqrstuvwxyz0123456789ABCD\n-----END ED25519 PRIVATE KEY-----\n';
  const text = `machine:\n  token: abcdef.0123456789abcdef\n  ca:\n    crt: ${'Q'.repeat(60)}\n    key: ${Buffer.from(pem).toString('base64')}\n`;
  expect(canariesIn('cp-1', text).map(({ name }) => name)).toEqual(['cp-1 .machine.token', 'cp-1 .machine.ca.key']);
  expect(findCanaries(canariesIn('cp-1', text), around(pem))).not.toEqual([]);
});

test('a rig with a task that tells a key fails; one that keeps it does not', { timeout: 60_000 }, async () => {
  const rig = await simulate({ controlPlanes: 1, workers: 0 });
  expect(await rig.leaks()).toEqual([]);
  expect((await rig.tk('talos:get', { type: 'mc', id: 'v1alpha1', as: 'yaml' })).exitCode).toBe(0);
  expect((await rig.tk('talos:diff', { live: true })).exitCode).toBe(0);
  expect(await rig.leaks()).toEqual([]);
  expect((await rig.tk('talos:get', { type: 'mc', id: 'v1alpha1', as: 'yaml', showSecrets: true })).exitCode).toBe(0);
  expect(new Set((await rig.leaks()).map(({ where }) => where))).toEqual(new Set(['talos:get: printed', 'talos:get: value']));
  rig.forget();
  await rig[Symbol.asyncDispose]();
});

test('a recording holds no key, whatever was said', { timeout: 60_000 }, async () => {
  const cluster = await memoryCluster('1.14', { controlPlanes: 1, workers: 0 });
  const config = cluster.texts.get('cp-1') ?? '';
  const canaries = canariesIn('cp-1', config);
  expect(canaries.length).toBeGreaterThan(5);
  const memory = createMemoryWorld();
  // It knows no key by its value here: what is taken out is taken out by structure.
  const recording = await openRecording({
    world: { ...memory.world, dial: cluster.world.dial, clock: cluster.world.clock },
    directory: '/recordings',
    version: 'test',
    command: 'everything',
    secrets: async () => [],
  });
  const driver = driverOf({ ...cluster.world, dial: recording.dial }, cluster.spec, cluster.texts, cluster.trust);
  await driver.applyAll();
  await driver.until('cp-1 to take the bootstrap', async () => {
    await driver.mutator('cp-1').bootstrap({}, signal);
    return true;
  });
  await driver.stage('cp-1', 'running');
  await cluster.world.clock.sleep(60_000);
  const machine = driver.mutator('cp-1');
  expect((await machine.machineConfig('active', signal))?.reveal()).toContain('token');
  await machine.kubeconfig(signal);
  await machine.dryRunApply({ text: driver.configOf('cp-1').map((text) => `${text}# changed\n`) }, 'auto', signal);
  await machine.applyConfiguration({ text: driver.configOf('cp-1') }, 'no-reboot', signal);
  for await (const _ of machine.etcdSnapshot(signal));
  const request = { target: { protocol: 'https', host: '192.168.42.11', port: 6443, tls: { insecureSkipVerify: true } }, signal } as const;
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, data: { key: Buffer.from(canary.value).toString('base64') } };
  const sent = await recording.dial.http({
    ...request,
    method: 'POST',
    path: '/api/v1/namespaces/default/secrets?token=abcdefghijkl',
    headers: { authorization: `Bearer ${canary.value}`, 'content-type': 'application/json' },
    body: JSON.stringify(secret),
  });
  for await (const _ of sent.body);
  await recording.close();

  const text = (await memory.world.files.readText(recording.path)) ?? '';
  expect(
    findCanaries(
      [...canaries, canary, { name: 'the query', value: 'abcdefghijkl' }],
      [{ where: 'the recording', bytes: Buffer.from(text) }],
    ),
  ).toEqual([]);
  expect(await memory.world.files.stat(recording.path)).toMatchObject({ mode: 0o600 });
  const { exchanges } = parseRecording(text);
  const calls = exchanges.map((one) => (one.kind === 'talos' ? one.path.split('/').at(-1) : `${one.method} ${one.path}`));
  for (const call of ['ApplyConfiguration', 'Bootstrap', 'Get', 'Kubeconfig', 'EtcdSnapshot', 'Version']) expect(calls).toContain(call);
  expect(calls).toContain('POST /api/v1/namespaces/default/secrets?token=[redacted]');
  expect(JSON.stringify(exchanges)).toContain('[redacted');
});
