import { expect, test } from 'vitest';
import { onlyItem } from '../../../lib/base/index.ts';
import { createMemoryWorld } from '../../../lib/sim/index.ts';
import { testPki } from '../../rig/pki.ts';

test('of an append that was not synced a crash leaves any part, of a synced one everything', async () => {
  const { files, kernel } = createMemoryWorld();
  const log = await files.append('/run/journal', { mode: 0o600 });
  await log.write('first\n', { sync: true });
  await log.write('second\n');
  files.crash(kernel.random('crash'));
  const left = await files.readText('/run/journal');
  expect('first\nsecond\n'.startsWith(left ?? '')).toBe(true);
  expect(left?.startsWith('first\n')).toBe(true);
  expect((await files.stat('/run/journal'))?.mode).toBe(0o600);
});

test('directories list their children once, files and directories apart', async () => {
  const { files } = createMemoryWorld({ files: { '/a/b/one': '1', '/a/b/two': '2', '/a/top': 't' } });
  expect(await files.list('/a')).toEqual([
    { name: 'b', kind: 'directory' },
    { name: 'top', kind: 'file' },
  ]);
  await expect(files.remove('/a/b')).rejects.toMatchObject({ failure: { code: 'host/file', facts: { errno: 'ENOTEMPTY' } } });
  await files.removeTree('/a/b');
  expect(files.snapshot()).toEqual({ '/a/top': 't' });
});

test('dialling a host that the simulation does not have is not allowed, a closed port is refused', async () => {
  const { world, network } = createMemoryWorld();
  network.setPower('192.168.42.11', true);
  const get = (host: string) =>
    world.dial.http({
      target: { protocol: 'http', host, port: 80 },
      method: 'GET',
      path: '/',
      headers: {},
      signal: new AbortController().signal,
    });
  await expect(get('192.168.42.99')).rejects.toMatchObject({ failure: { code: 'host/dial', facts: { reason: 'not-allowed' } } });
  await expect(get('192.168.42.11')).rejects.toMatchObject({ failure: { code: 'host/dial', facts: { reason: 'refused' } } });
  network.setPower('192.168.42.11', false);
  await expect(get('192.168.42.11')).rejects.toMatchObject({ failure: { code: 'host/dial', facts: { reason: 'unreachable' } } });
  expect(world.clock.monotonicMs()).toBe(3000);
});

test('a call that nobody answers ends when its caller stops and when its machine goes away, and its handler hears of both', async () => {
  const { world, network } = createMemoryWorld();
  const heard: string[] = [];
  const pair = await (await testPki()).serverPair('10.0.0.1');
  network.listen('10.0.0.1', 50_000, {
    kind: 'grpc',
    tls: async () => pair,
    methods: [],
    handler: ({ path, signal }) =>
      onlyItem(async () => {
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        heard.push(path);
        return new Uint8Array();
      }),
  });
  const stop = new AbortController();
  const connection = await world.dial.talos({ host: '10.0.0.1', port: 50_000, trust: { kind: 'insecure' } }, stop.signal);
  const ask = async (path: string, signal: AbortSignal) => {
    for await (const _ of connection.call({ path, metadata: {}, requests: onlyItem(() => new Uint8Array()), signal }));
  };
  const stopped = ask('/stopped', stop.signal);
  const cut = ask('/cut', new AbortController().signal);
  setImmediate(() => stop.abort());
  await expect(stopped).rejects.toMatchObject({ status: { code: 1 } });
  network.setPower('10.0.0.1', false);
  await expect(cut).rejects.toMatchObject({ status: { code: 14 } });
  expect(heard).toEqual(['/stopped', '/cut']);
  expect(connection.isOpen()).toBe(false);
});

test('a lost reply reaches the handler and fails at the caller', async () => {
  const { world } = createMemoryWorld({
    faults: [{ point: 'wire/reply', kind: 'lost', probability: 1, atMost: 1, facts: { lateMs: 500 } }],
  });
  let served = 0;
  await world.listen.http({
    host: '10.0.0.1',
    port: 80,
    handler: async () => {
      served += 1;
      return { status: 200, body: `answer ${served}` };
    },
  });
  const get = async () => {
    const response = await world.dial.http({
      target: { protocol: 'http', host: '10.0.0.1', port: 80 },
      method: 'GET',
      path: '/',
      headers: {},
      signal: new AbortController().signal,
    });
    let text = '';
    for await (const chunk of response.body) text += Buffer.from(chunk).toString();
    return text;
  };
  await expect(get()).rejects.toMatchObject({ failure: { facts: { reason: 'reset' } } });
  expect(await get()).toBe('answer 2');
  expect(world.clock.monotonicMs()).toBe(500);
});

test('a full disk fails the write that it hits, and the file keeps its old content', async () => {
  const { files } = createMemoryWorld({
    files: { '/a': 'old' },
    faults: [{ point: 'disk/write', kind: 'ENOSPC', probability: 1, atMost: 1, only: { path: '/a' } }],
  });
  await expect(files.write('/a', 'new')).rejects.toMatchObject({
    failure: { code: 'host/file', facts: { operation: 'write', path: '/a', errno: 'ENOSPC' } },
  });
  expect(await files.readText('/a')).toBe('old');
  await files.write('/a', 'new');
  expect(files.snapshot()).toEqual({ '/a': 'new' });
});
