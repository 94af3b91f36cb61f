import { expect, test } from 'vitest';
import { watchInvariants } from '../../../lib/sim/index.ts';
import { memoryCluster, type Minor, signal } from './cluster-rig.ts';

const schematic = 'ce4c980550dd2ab1b17bbf2b08801c7eb59418eafe8f279833297925d67c7515';
const imageOf = (version: string) => `factory.talos.dev/metal-installer/${schematic}:${version}`;

async function running(minor: Minor, options: Parameters<typeof memoryCluster>[1] = {}) {
  const rig = await memoryCluster(minor, { controlPlanes: 1, workers: 1, ...options });
  await rig.applyAll();
  await rig.until('cp-1 to wait for bootstrap', async () =>
    (await rig.reader('cp-1').services(signal)).some((one) => one.id === 'etcd' && one.state === 'Preparing') ? true : undefined,
  );
  await rig.mutator('cp-1').bootstrap({}, signal);
  const invariants = watchInvariants(rig.kernel, rig.spec, rig.talos, () => rig.kube);
  await rig.until('everything', async () => (invariants.missing().length === 0 ? true : undefined));
  const events: string[] = [];
  rig.kernel.onEvent(({ kind, facts }) => events.push(`${kind} ${String(facts.node ?? '')}`));
  const lookAt = async (node: string) => ({
    version: (await rig.reader(node).version(signal)).tag,
    boot: await rig.reader(node).bootId(signal),
  });
  return { ...rig, events, lookAt };
}

const newSlot = (kind: string) => ({ world: { faults: [{ point: 'talos/new-slot', kind, probability: 1, atMost: 1 }] } });

test('a version that does not start is left for the slot before it, and the machine was started twice', async () => {
  const rig = await running('1.14', newSlot('failed'));
  const before = await rig.lookAt('worker-1');
  const worker = rig.mutator('worker-1');
  await worker.upgrade(await worker.pullImage(imageOf('v1.14.9'), signal), () => {}, signal);
  expect(rig.kernel.store.get('talos/worker-1/slots')).toMatchObject({ running: 'A', default: 'B', fallback: 'A' });
  await worker.reboot('default', signal);
  await rig.world.clock.sleep(120_000);
  await rig.stage('worker-1', 'running');
  const after = await rig.lookAt('worker-1');
  expect({ version: after.version, isAnotherBoot: after.boot !== before.boot }).toEqual({ version: 'v1.14.1', isAnotherBoot: true });
  expect(rig.events.filter((event) => /boot|reverted|slot-written/.test(event))).toEqual([
    'talos/slot-written worker-1',
    'talos/boot worker-1',
    'talos/reverted worker-1',
    'talos/boot worker-1',
  ]);
});

test('a machine that runs its new version forgets the way back only when it is ready, and rollback still finds the other slot', async () => {
  const rig = await running('1.13');
  const worker = rig.mutator('worker-1');
  await worker.upgrade(await worker.pullImage(imageOf('v1.13.10'), signal), () => {}, signal);
  await worker.reboot('default', signal);
  await rig.until('the new version', async () => ((await rig.lookAt('worker-1')).version === 'v1.13.10' ? true : undefined));
  await rig.stage('worker-1', 'running');
  await rig.world.clock.sleep(30_000);
  expect(rig.kernel.store.get('talos/worker-1/slots')).not.toHaveProperty('fallback');
  await worker.rollback(signal);
  await rig.until('the old version', async () => ((await rig.lookAt('worker-1')).version === 'v1.13.9' ? true : undefined));
});

test('a machine whose new version is dead never comes back', async () => {
  const rig = await running('1.14', newSlot('dead'));
  const worker = rig.mutator('worker-1');
  await worker.upgrade(await worker.pullImage(imageOf('v1.14.9'), signal), () => {}, signal);
  await worker.reboot('default', signal);
  await rig.world.clock.sleep(3_600_000);
  expect(rig.network.reach('192.168.42.21', 50_000)).toEqual({ state: 'dark' });
});

test('what kexec starts and firmware does not is seen only after a loss of power', async () => {
  const rig = await running('1.14', { world: { faults: [{ point: 'talos/installer', kind: 'unbootable', probability: 1 }] } });
  const worker = rig.mutator('worker-1');
  await worker.upgrade(await worker.pullImage(imageOf('v1.14.9'), signal), () => {}, signal);
  await worker.reboot('default', signal);
  await rig.until('the new version', async () => ((await rig.lookAt('worker-1')).version === 'v1.14.9' ? true : undefined));
  await rig.stage('worker-1', 'running');
  await worker.reboot('powercycle', signal);
  await rig.world.clock.sleep(3_600_000);
  expect(rig.network.reach('192.168.42.21', 50_000)).toEqual({ state: 'dark' });
});

test('an installer that fails says so by its exit code, and nothing is pending', async () => {
  const failing = { point: 'talos/installer', kind: 'failed', probability: 1, facts: { exitCode: 3 } };
  const rig = await running('1.14', { world: { faults: [failing] } });
  const worker = rig.mutator('worker-1');
  await expect(worker.upgrade(await worker.pullImage(imageOf('v1.14.9'), signal), () => {}, signal)).rejects.toMatchObject({
    failure: { code: 'talos/installer-failed', facts: { exitCode: 3 } },
  });
  expect(rig.kernel.store.get('talos/worker-1/slots')).toMatchObject({ running: 'A', default: 'A' });
});

test('the installer refuses a version that is too far away, as upstream does; the machine was restarted for nothing', async () => {
  const rig = await running('1.12');
  await rig.mutator('worker-1').upgradeLegacy({ image: imageOf('v1.14.1') }, signal);
  await rig.world.clock.sleep(120_000);
  await rig.stage('worker-1', 'running');
  const before = await rig.lookAt('worker-1');
  await rig.mutator('worker-1').upgradeLegacy({ image: imageOf('v1.12.6') }, signal);
  await rig.world.clock.sleep(180_000);
  await rig.stage('worker-1', 'running');
  const after = await rig.lookAt('worker-1');
  expect([before.version, after.version, after.boot === before.boot]).toEqual(['v1.14.1', 'v1.14.1', false]);
});

test('only one installer runs at a time, and it goes on when its caller leaves', async () => {
  const rig = await running('1.14');
  const worker = rig.mutator('worker-1');
  const image = await worker.pullImage(imageOf('v1.14.9'), signal);
  const leaving = new AbortController();
  const first = worker.upgrade(image, () => leaving.abort(), leaving.signal);
  await expect(first).rejects.toBeDefined();
  await expect(rig.mutator('worker-1').upgrade(image, () => {}, signal)).rejects.toMatchObject({
    failure: { code: 'talos/failed-precondition', facts: { message: 'another installation/upgrade is already in progress' } },
  });
  await rig.world.clock.sleep(60_000);
  expect(rig.kernel.store.get('talos/worker-1/slots')).toMatchObject({ default: 'B' });
});

test('an image that is not there is refused at once; a slow one is told about while it comes', async () => {
  const rig = await running('1.14', {
    world: {
      faults: [
        { point: 'talos/pull', kind: 'missing', probability: 1, only: { image: imageOf('v1.14.8') } },
        { point: 'talos/pull-progress', kind: 'slow', probability: 1, facts: { lateMs: 60_000 } },
      ],
    },
  });
  const worker = rig.mutator('worker-1');
  await expect(worker.pullImage(imageOf('v1.14.8'), signal)).rejects.toMatchObject({ failure: { code: 'talos/not-found' } });
  const startedAtMs = rig.world.clock.monotonicMs();
  const name = await worker.pullImage(imageOf('v1.14.9'), signal);
  expect(name).toMatch(/^factory\.talos\.dev\/metal-installer\/[0-9a-f]{64}@sha256:[0-9a-f]{64}$/);
  expect(rig.world.clock.monotonicMs() - startedAtMs).toBeGreaterThan(180_000);
});

test('a reboot that is asked for while an upgrade runs is accepted and does not happen', async () => {
  const rig = await running('1.12');
  const worker = rig.mutator('worker-1');
  await worker.upgradeLegacy({ image: imageOf('v1.12.7') }, signal);
  await rig.mutator('worker-1').reboot('default', signal);
  await rig.until('the new version', async () => ((await rig.lookAt('worker-1')).version === 'v1.12.7' ? true : undefined));
  expect(rig.events.filter((event) => event.startsWith('talos/boot ')).length).toBe(1);
});
