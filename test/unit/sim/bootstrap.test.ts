import { expect, test } from 'vitest';
import { probeMachine } from '../../../lib/talos/index.ts';
import { memoryCluster, type Minor, signal } from './cluster-rig.ts';

const minors: readonly Minor[] = ['1.12', '1.13', '1.14'];

test.each(minors)('six machines of %s go from maintenance mode to running, with three etcd members', async (minor) => {
  const rig = await memoryCluster(minor);
  const { world, trust } = rig;
  const probes = await Promise.all(
    rig.spec.machines.map(({ name, address }) => probeMachine(world, { node: name, host: address }, signal)),
  );
  expect(probes.map(({ state }) => state)).toEqual(Array(6).fill('maintenance'));

  await rig.applyAll();
  await Promise.all(
    ['worker-1', 'worker-2', 'worker-3'].map((node) =>
      rig.until(node, async () =>
        (await rig.reader(node).services(signal)).some((one) => one.id === 'kubelet' && one.state === 'Running') ? true : undefined,
      ),
    ),
  );
  await rig.until('cp-1 to wait for bootstrap', async () =>
    (await rig.reader('cp-1').services(signal)).some((one) => one.id === 'etcd' && one.state === 'Preparing') ? true : undefined,
  );
  expect((await rig.reader('cp-1').machineStatus(signal)).stage).toBe('booting');

  await rig.mutator('cp-1').bootstrap({}, signal);
  await expect(rig.mutator('cp-1').bootstrap({}, signal)).rejects.toMatchObject({ failure: { code: 'talos/already-exists' } });
  for (const { name } of rig.spec.machines) await rig.stage(name, 'running');
  const members = await rig.until('three members', async () => {
    const found = await rig.reader('cp-1').etcdMembers({ queryLocal: true }, signal);
    return found.length === 3 && found.every((member) => !member.isLearner) ? found : undefined;
  });
  expect(members.map((member) => member.hostname).sort()).toEqual(['cp-1', 'cp-2', 'cp-3']);
  await rig.until('six nodes', async () => (rig.kube.registered.size === 6 ? true : undefined));
  expect([...rig.kube.registered].sort()).toEqual(['cp-1', 'cp-2', 'cp-3', 'worker-1', 'worker-2', 'worker-3']);
  expect(await probeMachine(world, { node: 'cp-2', host: '192.168.42.12', trust: trust as never }, signal)).toMatchObject({
    state: 'configured',
  });
  expect(world.clock.monotonicMs()).toBeGreaterThan(60_000);
  expect(world.clock.monotonicMs()).toBeLessThan(400_000);
});
