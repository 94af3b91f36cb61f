import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { failureOf, Secret } from '../../../lib/base/index.ts';
import { watchInvariants } from '../../../lib/sim/index.ts';
import { probeMachine } from '../../../lib/talos/index.ts';
import { resourceDefinitions, resourceNamespaces } from '../../../lib/upstream/tables.ts';
import { adminTrust, memoryCluster, type Minor, signal, versions, vip } from './cluster-rig.ts';

async function runningCluster(minor: Minor, options: Parameters<typeof memoryCluster>[1] = {}) {
  const rig = await memoryCluster(minor, options);
  await rig.applyAll();
  await rig.until('cp-1 to wait for bootstrap', async () =>
    (await rig.reader('cp-1').services(signal)).some((one) => one.id === 'etcd' && one.state === 'Preparing') ? true : undefined,
  );
  await rig.mutator('cp-1').bootstrap({}, signal);
  const invariants = watchInvariants(rig.kernel, rig.spec, rig.talos, () => rig.kube);
  await rig.until('everything', async () => (invariants.missing().length === 0 ? true : undefined));
  return { ...rig, invariants };
}

const code = (wanted: string) => ({ failure: { code: wanted } });

test('maintenance mode of 1.12 answers less than that of 1.13, and neither lets a stranger change more than the configuration', async () => {
  const old = await memoryCluster('1.12', { controlPlanes: 1, workers: 0 });
  await expect(old.insecure('cp-1').version(signal)).rejects.toMatchObject(code('talos/unimplemented'));
  expect((await old.insecure('cp-1').disks(signal)).map(({ devPath }) => devPath)).toEqual(['/dev/nvme0n1']);
  await expect(old.insecure('cp-1').reboot('default', signal)).rejects.toMatchObject(code('talos/unimplemented'));
  const { insecure } = await memoryCluster('1.13', { controlPlanes: 1, workers: 0 });
  expect((await insecure('cp-1').version(signal)).tag).toBe('v1.13.9');
  await expect(insecure('cp-1').reboot('default', signal)).rejects.toMatchObject(code('talos/permission-denied'));
  await expect(insecure('cp-1').bootstrap({}, signal)).rejects.toMatchObject(code('talos/permission-denied'));
});

test('what is no machine configuration is refused, and the rules that were handed in decide about the rest', async () => {
  const checkConfig = (text: string) => ({ errors: text.includes('nope') ? ['unknown key "nope"'] : [], warnings: ['old field'] });
  const { insecure, texts } = await memoryCluster('1.14', { controlPlanes: 1, workers: 0, hooks: { checkConfig } });
  const apply = (text: string) => insecure('cp-1').applyConfiguration({ text: new Secret(text) }, 'auto', signal);
  await expect(apply('just: text\n')).rejects.toMatchObject(code('talos/invalid-argument'));
  await expect(apply(`${texts.get('cp-1')}---\nnope: 1\n`)).rejects.toMatchObject(code('talos/invalid-argument'));
  expect((await apply(texts.get('cp-1') ?? '')).warnings).toEqual(['old field']);
});

test('a configuration that is sent again before the machine acted on the first changes nothing', async () => {
  const rig = await memoryCluster('1.14', { controlPlanes: 1, workers: 0 });
  await rig.applyAll();
  await rig.applyAll();
  await rig.until('etcd to wait', async () =>
    (await rig.reader('cp-1').services(signal)).some(({ id, state }) => id === 'etcd' && state === 'Preparing') ? true : undefined,
  );
  expect(rig.kernel.store.get('talos/cp-1/boot')).toMatchObject({ number: 2 });
});

test('a configured machine takes no caller without its certificate, and readers change nothing', async () => {
  const rig = await runningCluster('1.14', { controlPlanes: 1, workers: 1 });
  expect(await probeMachine(rig.world, { node: 'cp-1', host: '192.168.42.11' }, signal)).toEqual({
    state: 'foreign',
    because: 'no-credentials',
  });
  const stranger = await memoryCluster('1.14', { controlPlanes: 1, workers: 0, world: { seed: 'another' } });
  const foreign = { node: 'cp-1', host: '192.168.42.11', trust: stranger.trust as never };
  expect(await probeMachine(rig.world, foreign, signal)).toEqual({ state: 'foreign', because: 'unknown-authority' });
  const reader = rig.reader('cp-1', await adminTrust(rig.world, rig.bundle, ['os:reader']));
  expect((await reader.version(signal)).tag).toBe('v1.14.1');
  await expect(reader.machineConfig('active', signal)).rejects.toMatchObject(code('talos/permission-denied'));
  await expect(reader.kubeconfig(signal)).rejects.toMatchObject(code('talos/permission-denied'));
});

test('bootstrap is refused too early, on workers, and where etcd has data', async () => {
  const rig = await memoryCluster('1.14', { controlPlanes: 1, workers: 1 });
  await rig.applyAll();
  await rig.until('cp-1 to leave maintenance', async () => ((await rig.reader('cp-1').version(signal)).tag ? true : undefined));
  await expect(rig.mutator('cp-1').bootstrap({}, signal)).rejects.toMatchObject(code('talos/failed-precondition'));
  await rig.stage('worker-1', 'running');
  await expect(rig.mutator('worker-1').bootstrap({}, signal)).rejects.toMatchObject(code('talos/unimplemented'));
  await rig.mutator('cp-1').bootstrap({}, signal);
  await expect(rig.mutator('cp-1').bootstrap({}, signal)).rejects.toMatchObject(code('talos/already-exists'));
});

test('the same configuration changes nothing; 1.13 reboots for what it cannot take running, 1.14 never does', async () => {
  for (const [minor, reboots] of [
    ['1.13', true],
    ['1.14', false],
  ] as const) {
    const rig = await runningCluster(minor, { controlPlanes: 1, workers: 1 });
    const text = rig.texts.get('worker-1') ?? '';
    const before = await rig.reader('worker-1').bootId(signal);
    expect((await rig.reader('worker-1').dryRunApply({ text: new Secret(text) }, 'auto', signal)).details.reveal()).toContain(
      'No changes.',
    );
    const changed = text.replace('machine:\n', 'machine:\n    env:\n        http_proxy: http://proxy\n');
    await rig.mutator('worker-1').applyConfiguration({ text: new Secret(changed) }, 'auto', signal);
    await rig.world.clock.sleep(60_000);
    await rig.stage('worker-1', 'running');
    expect((await rig.reader('worker-1').bootId(signal)) !== before).toBe(reboots);
    expect((await rig.reader('worker-1').machineConfig('active', signal))?.reveal()).toContain('http_proxy');
  }
});

test('a configuration on trial goes away by itself', async () => {
  const rig = await runningCluster('1.14', { controlPlanes: 1, workers: 0 });
  const changed = `${rig.texts.get('cp-1')}---\napiVersion: v1alpha1\nkind: SysctlConfig\nsysctls:\n    vm.swappiness: "1"\n`;
  await rig.mutator('cp-1').applyConfiguration({ text: new Secret(changed), tryForMs: 30_000 }, 'try', signal);
  const active = async () => (await rig.reader('cp-1').machineConfig('active', signal))?.reveal().includes('swappiness');
  expect(await active()).toBe(true);
  await rig.world.clock.sleep(45_000);
  expect(await active()).toBe(false);
});

test.each(['1.13', '1.14'] as const)('%s is upgraded in steps: pull, install, reboot; then it runs the new version', async (minor) => {
  const rig = await runningCluster(minor, { controlPlanes: 1, workers: 1 });
  const worker = rig.mutator('worker-1');
  const image = 'factory.talos.dev/metal-installer/ce4c980550dd2ab1b17bbf2b08801c7eb59418eafe8f279833297925d67c7515:v1.14.9';
  await expect(worker.upgrade(image, () => {}, signal)).rejects.toMatchObject({
    failure: { code: 'talos/rpc', facts: { status: 'Internal' } },
  });
  await worker.upgrade(await worker.pullImage(image, signal), () => {}, signal);
  expect((await worker.version(signal)).tag).toBe(versions[minor].talos);
  await worker.reboot('default', signal);
  await rig.until('the new version', async () => ((await rig.reader('worker-1').version(signal)).tag === 'v1.14.9' ? true : undefined));
  await rig.stage('worker-1', 'running');
  expect((await rig.reader('worker-1').extensions(signal)).get('schematic')).toBe(
    'ce4c980550dd2ab1b17bbf2b08801c7eb59418eafe8f279833297925d67c7515',
  );
});

test('without a majority of its members etcd answers no linearizable read and is not healthy', async () => {
  const rig = await runningCluster('1.14', { workers: 0 });
  await rig.mutator('cp-2').shutdown({ isForced: false }, signal);
  await rig.world.clock.sleep(30_000);
  expect((await rig.reader('cp-1').etcdMembers({ queryLocal: false }, signal)).length).toBe(3);
  expect(rig.invariants.violations()).toEqual([]);
  await rig.mutator('cp-3').shutdown({ isForced: false }, signal);
  await rig.world.clock.sleep(30_000);
  await expect(rig.reader('cp-1').etcdMembers({ queryLocal: false }, signal)).rejects.toMatchObject(code('talos/unavailable'));
  expect((await rig.reader('cp-1').services(signal)).find(({ id }) => id === 'etcd')?.health).toBe('unhealthy');
  expect(rig.invariants.violations().map(({ invariant }) => invariant)).toEqual(['I-03', 'I-02']);
});

test('what is not registered may not be read: a type, a namespace', async () => {
  for (const minor of ['1.12', '1.13', '1.14'] as const) {
    const rig = await runningCluster(minor, { controlPlanes: 1, workers: 0 });
    const reader = rig.reader('cp-1');
    const codeOf = (work: Promise<unknown>) =>
      work.then(
        () => 'answered',
        (error: unknown) => [failureOf(error).code, failureOf(error).facts['message']],
      );
    const ask = (type: string, namespace: string) => codeOf(reader.list({ type, namespace }, signal));
    expect([
      await ask('Disks.block.talos.dev', 'elsewhere'),
      await ask('Disks.block.talos.dev', ''),
      await ask('Disks.block.talos.dev', 'network'),
      // Of a type that a version does not have the client says that it is not there.
      await ask('Nothings.block.talos.dev', 'runtime'),
      await codeOf(reader.get({ type: 'Nothings.block.talos.dev', namespace: 'runtime' }, 'one', signal)),
      await ask('ContainerSpecs.containers.talos.dev', 'containers'),
    ]).toEqual([
      ['talos/permission-denied', 'namespace "elsewhere" is not supported'],
      ['talos/permission-denied', 'namespace "" is not supported'],
      'answered',
      ['talos/not-found', 'resource type "Nothings.block.talos.dev" is not supported'],
      ['talos/not-found', 'resource type "Nothings.block.talos.dev" is not supported'],
      minor === '1.14' ? 'answered' : ['talos/not-found', 'resource type "ContainerSpecs.containers.talos.dev" is not supported'],
    ]);
    const registered = new Set(resourceNamespaces(minor).map(({ name }) => name));
    expect(resourceDefinitions(minor).filter(({ namespace }) => !registered.has(namespace))).toEqual([]);
  }
});

test('a snapshot of etcd carries its checksum, and a new etcd starts from it on another disk', async () => {
  const rig = await runningCluster('1.14', { controlPlanes: 1, workers: 0 });
  const parts: Uint8Array[] = [];
  for await (const part of rig.reader('cp-1').etcdSnapshot(signal)) parts.push(part);
  const snapshot = Buffer.concat(parts);
  expect(snapshot.length % 512).toBe(32);
  expect(createHash('sha256').update(snapshot.subarray(0, -32)).digest()).toEqual(snapshot.subarray(-32));

  const other = await memoryCluster('1.14', { controlPlanes: 1, workers: 0 });
  await other.applyAll();
  await other.until('etcd to wait', async () =>
    (await other.reader('cp-1').services(signal)).some(({ id, state }) => id === 'etcd' && state === 'Preparing') ? true : undefined,
  );
  const upload = async function* (bytes: Uint8Array) {
    yield bytes;
  };
  await expect(other.mutator('cp-1').bootstrap({ recoverEtcd: true }, signal)).rejects.toMatchObject(code('talos/failed-precondition'));
  // Nobody looks into what is uploaded before etcd starts from it; one without its digest is taken only when that is agreed to.
  for (const broken of [snapshot.subarray(0, 5000), snapshot.subarray(0, -32)]) {
    await other.mutator('cp-1').recoverEtcd(upload(broken), signal);
    await other.mutator('cp-1').bootstrap({ recoverEtcd: true }, signal);
    expect((await other.reader('cp-1').services(signal)).find(({ id }) => id === 'etcd')?.state).toBe('Failed');
  }
  await other.mutator('cp-1').recoverEtcd(upload(snapshot), signal);
  await other.mutator('cp-1').bootstrap({ recoverEtcd: true }, signal);
  await other.stage('cp-1', 'running');
});

test('a member that leaves etcd is gone from every view, and the others go on', async () => {
  const rig = await runningCluster('1.14', { workers: 0 });
  await rig.mutator('cp-3').leaveEtcd(signal);
  expect((await rig.reader('cp-1').etcdMembers({ queryLocal: true }, signal)).map(({ hostname }) => hostname).sort()).toEqual([
    'cp-1',
    'cp-2',
  ]);
  expect(await rig.reader('cp-3').hasEtcdData(signal)).toBe(false);
  expect((await rig.reader('cp-1').etcdStatus(signal)).leader).not.toBe(0n);
});

test('the floating address moves to another control plane when its holder goes', async () => {
  const rig = await runningCluster('1.14', { workers: 0 });
  const ask = async () => {
    const target = { protocol: 'https', host: vip, port: 6443, tls: { insecureSkipVerify: true } } as const;
    return (await rig.world.dial.http({ target, method: 'GET', path: '/readyz', headers: {}, signal })).status;
  };
  expect(await ask()).toBe(200);
  const holder = rig.kernel.store.get<string>('talos-vip/holder') ?? '';
  await rig.mutator(holder).reboot('default', signal);
  await rig.world.clock.sleep(5000);
  await rig.until('the address to answer', async () => ((await ask()) === 200 ? true : undefined));
  expect(rig.kernel.store.get('talos-vip/holder')).not.toBe(holder);
});

test('machines answer to their names, and an endpoint that is neither of them leads to an API server', async () => {
  const rig = await memoryCluster('1.14', { controlPlanes: 1, workers: 0, endpoint: 'https://cluster.example:6443' });
  expect((await probeMachine(rig.world, { node: 'cp-1', host: 'cp-1' }, signal)).state).toBe('maintenance');
  await rig.applyAll();
  await rig.until('etcd to wait', async () =>
    (await rig.reader('cp-1').services(signal)).some(({ id, state }) => id === 'etcd' && state === 'Preparing') ? true : undefined,
  );
  const ask = async () => {
    const target = { protocol: 'https', host: 'cluster.example', port: 6443, tls: { ca: rig.bundle.certs.k8s.certificate } } as const;
    return (await rig.world.dial.http({ target, method: 'GET', path: '/readyz', headers: {}, signal })).status;
  };
  await expect(ask()).rejects.toMatchObject({ failure: { facts: { reason: 'refused' } } });
  await rig.mutator('cp-1').bootstrap({}, signal);
  expect(await rig.until('the endpoint to answer', async () => ask())).toBe(200);
});

test.each([
  [1, 0],
  [5, 2],
])('clusters of %i control planes and %i workers come up', async (controlPlanes, workers) => {
  const rig = await runningCluster('1.14', { controlPlanes, workers });
  expect((await rig.reader('cp-1').etcdMembers({ queryLocal: true }, signal)).length).toBe(controlPlanes);
  expect(rig.kube.registered.size).toBe(controlPlanes + workers);
});

test('a machine that is reset is in maintenance mode again and has forgotten its cluster', async () => {
  const rig = await runningCluster('1.14', { workers: 1 });
  await rig.mutator('worker-1').reset({ isGraceful: true, reboots: true, wipe: 'all' }, signal);
  const again = await rig.until('maintenance mode', async () => {
    const probe = await probeMachine(rig.world, { node: 'worker-1', host: '192.168.42.21' }, signal);
    return probe.state === 'maintenance' ? probe : undefined;
  });
  expect(again.state).toBe('maintenance');
});

test('events after an id are replayed, and a reboot starts a new ring', async () => {
  const rig = await runningCluster('1.14', { controlPlanes: 1, workers: 1 });
  const ids: string[] = [];
  const stop = new AbortController();
  for await (const event of rig.reader('worker-1').events({ tail: -1 }, stop.signal)) {
    ids.push(event.id);
    if (ids.length === 10) break;
  }
  stop.abort();
  expect([...ids].sort()).toEqual(ids);
  expect(new Set(ids).size).toBe(10);
});

test('an install that fails brings the machine back to maintenance mode, a slow one only takes longer', async () => {
  const faults = [
    { point: 'talos/install', kind: 'failed', probability: 1, atMost: 1, only: { node: 'cp-1' } },
    { point: 'talos/install', kind: 'slow', probability: 1, atMost: 1, only: { node: 'worker-1' }, facts: { lateMs: 240_000 } },
  ];
  const rig = await memoryCluster('1.13', { controlPlanes: 1, workers: 1, world: { faults } });
  await rig.applyAll();
  await rig.world.clock.sleep(40_000);
  const probe = (node: string) => probeMachine(rig.world, { node, host: rig.addressOf(node) }, signal);
  await rig.until('maintenance again', async () => ((await probe('cp-1')).state === 'maintenance' ? true : undefined));
  await rig.insecure('cp-1').applyConfiguration({ text: new Secret(rig.texts.get('cp-1') ?? '') }, 'auto', signal);
  await rig.stage('worker-1', 'running');
  expect(rig.world.clock.monotonicMs()).toBeGreaterThan(240_000);
  expect(rig.kernel.faultHits()).toEqual({ 'talos/install failed': 1, 'talos/install slow': 1 });
});

test('one seed gives one run, event for event', async () => {
  const trace = async () => {
    const events: string[] = [];
    const rig = await memoryCluster('1.14', { controlPlanes: 3, workers: 1, world: { seed: 'same', shuffleTies: true } });
    rig.kernel.onEvent((event) => events.push(JSON.stringify(event)));
    await rig.applyAll();
    await rig.world.clock.sleep(120_000);
    await rig.mutator('cp-2').bootstrap({}, signal);
    await rig.world.clock.sleep(120_000);
    return events;
  };
  const first = await trace();
  expect(first.length).toBeGreaterThan(40);
  expect(await trace()).toEqual(first);
});
