import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { createHostWorld } from '../../../lib/host/index.ts';
import { openSandbox } from '../../../lib/sim/index.ts';
import { adminTrust, configsOf, driverOf, signal, silentKube, specOf } from './cluster-rig.ts';

const directories: string[] = [];
afterEach(async () => {
  for (const directory of directories.splice(0)) await rm(directory, { recursive: true });
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
