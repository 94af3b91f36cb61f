import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { createHostWorld } from '../../../lib/host/index.ts';
import { attachSandbox, openSandbox, readSandbox, resetSandbox, talosconfigOutside } from '../../../lib/sim/index.ts';
import { probeMachine } from '../../../lib/talos/index.ts';
import { adminTrust, configsOf, driverOf, signal, silentKube, specOf } from './cluster-rig.ts';

const directories: string[] = [];
afterEach(async () => {
  for (const directory of directories.splice(0)) await rm(directory, { recursive: true, force: true });
});

async function directory(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'tk-sandbox-'));
  directories.push(made);
  return made;
}

const open = (at: string, spec: ReturnType<typeof specOf>) =>
  openSandbox({
    world: createHostWorld(),
    bind: (clock) => createHostWorld({ clock }),
    directory: at,
    spec,
    hooks: { kube: () => silentKube() },
  });

test('behind real sockets a cluster bootstraps, survives being dropped half way, and has bootstrapped once', async () => {
  const at = await directory();
  const spec = specOf('1.14', 3, 1);
  const first = await open(at, spec);
  const { bundle, texts } = await configsOf(first.world, '1.14', spec);
  const trust = await adminTrust(first.world, bundle);
  const before = driverOf(first.world, spec, texts, trust);
  await before.applyAll();
  await before.until('cp-1 to wait for bootstrap', async () =>
    (await before.reader('cp-1').services(signal)).some((one) => one.id === 'etcd' && one.state === 'Preparing') ? true : undefined,
  );
  const bootId = await before.reader('cp-1').bootId(signal);
  await before.mutator('cp-1').bootstrap({}, signal);
  const { fetched } = { fetched: first.world.clock.monotonicMs() };
  await first.close();

  const second = await open(at, spec);
  const after = driverOf(second.world, spec, texts, trust);
  expect(second.world.clock.monotonicMs()).toBeGreaterThanOrEqual(fetched - 1);
  expect(await after.reader('cp-1').bootId(signal)).toBe(bootId);
  await expect(after.mutator('cp-1').bootstrap({}, signal)).rejects.toMatchObject({ failure: { code: 'talos/already-exists' } });
  for (const { name } of spec.machines) await after.stage(name, 'running');
  const status = second.status();
  expect(status.etcd).toEqual({ clusters: 1, members: 3, hasQuorum: true });
  expect(status.machines.map(({ name, stage }) => `${name} ${stage}`)).toEqual([
    'cp-1 running',
    'cp-2 running',
    'cp-3 running',
    'worker-1 running',
  ]);
  await second.close();
});

test('a sandbox that is open cannot be opened again, and dials nothing outside', async () => {
  const at = await directory();
  const spec = specOf('1.14', 1, 0);
  const sandbox = await open(at, spec);
  await expect(open(at, spec)).rejects.toMatchObject({ failure: { code: 'sim/in-use' } });
  const outside = sandbox.world.dial.http({
    target: { protocol: 'https', host: 'example.com', port: 443 },
    method: 'GET',
    path: '/',
    headers: {},
    signal,
  });
  await expect(outside).rejects.toMatchObject({ failure: { code: 'host/dial', facts: { reason: 'not-allowed' } } });
  await sandbox.close();
});

test('while a sandbox is kept listening another process can use it, look at it, and not reset it', async () => {
  const at = await directory();
  const spec = specOf('1.14', 1, 1);
  const world = createHostWorld();
  const up = await openSandbox({ world, bind: (clock) => createHostWorld({ clock }), directory: at, spec, time: 'follow', speed: 100 });
  const attached = await attachSandbox(world, at);
  expect(attached?.endpoints.map(({ host, port }) => `${host}:${port}`)).toEqual([
    '192.168.42.11:50000',
    '192.168.42.21:50000',
    'status.sandbox:80',
  ]);
  expect((await attached?.status(signal))?.machines.map(({ stage }) => stage)).toEqual(['maintenance', 'maintenance']);
  expect(await probeMachine(attached?.world ?? world, { node: 'cp-1', host: '192.168.42.11' }, signal)).toMatchObject({
    state: 'maintenance',
    version: { tag: 'v1.14.1' },
  });
  await expect(resetSandbox(world, at)).rejects.toMatchObject({ failure: { code: 'sim/in-use' } });
  const talosconfig = 'context: test\ncontexts:\n  test:\n    endpoints:\n      - 192.168.42.11\n    nodes:\n      - 192.168.42.21\n';
  const { port } = attached?.endpoints[0]?.listensOn ?? { port: 0 };
  expect(talosconfigOutside(talosconfig, attached?.endpoints ?? [])).toBe(talosconfig.replace('- 192.168.42.11', `- 127.0.0.1:${port}`));
  await up.close();

  expect(await attachSandbox(world, at)).toBeUndefined();
  expect((await readSandbox(world, at))?.machines.map(({ name, stage }) => `${name} ${stage}`)).toEqual([
    'cp-1 maintenance',
    'worker-1 maintenance',
  ]);
  await resetSandbox(world, at);
  expect(await readSandbox(world, at)).toBeUndefined();
});
