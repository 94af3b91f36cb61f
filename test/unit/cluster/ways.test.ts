import { expect, test } from 'vitest';
import { failuresOf, TkError } from '../../../lib/base/index.ts';
import type { ClusterModel } from '../../../lib/config/index.ts';
import { signal, vip } from '../sim/cluster-rig.ts';
import { runningMachines } from './connections-rig.ts';

const dialFailure = failuresOf<{ 'host/dial': { host: string; port: number; reason: string } }>();

/** A cluster that runs, and a computer in front of it that has no way to some of its machines. */
async function behindWalls(walls: Readonly<Record<string, string>>) {
  const { cluster, connect, cp1, cp2, worker } = await runningMachines(1);
  if (!worker) throw new Error('a worker');
  const dialled: string[] = [];
  const connections = connect(async (target, stop) => {
    dialled.push(target.host);
    const reason = walls[target.host];
    if (reason !== undefined) throw new TkError(dialFailure('host/dial', { host: target.host, port: target.port, reason }));
    return cluster.world.dial.talos(target, stop);
  });
  return { cluster, connections, dialled, cp1, cp2, worker };
}

const nameOf = (cluster: Awaited<ReturnType<typeof behindWalls>>, node: ClusterModel['nodes'][number]) =>
  cluster.connections.read(node, (machine) => machine.hostname(signal));

test('a machine that this computer has no way to is reached through a control plane that answers', async () => {
  const rig = await behindWalls({ '192.168.42.21': 'unreachable' });
  const { connections, dialled, cp1, cp2, worker } = rig;
  // Nobody has answered yet, so there is nobody to ask for the way.
  await expect(nameOf(rig, worker)).rejects.toMatchObject({ failure: { code: 'talos/unreachable', facts: { node: 'worker-1' } } });
  expect(dialled).toEqual(['192.168.42.21']);

  expect(await nameOf(rig, cp1)).toBe('cp-1');
  expect(await nameOf(rig, cp2)).toBe('cp-2');
  dialled.length = 0;
  expect(await nameOf(rig, worker)).toBe('worker-1');
  expect(dialled).toEqual(['192.168.42.21', '192.168.42.11']);
  // The connection is used again at once, and the way when it is kept no longer.
  dialled.length = 0;
  expect((await connections.probe(worker, signal)).state).toBe('configured');
  expect(dialled).toEqual([]);
  await rig.cluster.world.clock.sleep(5001);
  expect((await connections.probe(worker, signal)).state).toBe('configured');
  expect(dialled).toEqual(['192.168.42.11']);

  // The machine itself proves on that very way who it is, and takes the change.
  await connections.change(worker, (machine) => machine.restartService('kubelet', signal));
  const impostor = { ...worker, macAddresses: ['02:00:00:00:00:99'] } as unknown as typeof worker;
  await expect(connections.change(impostor, (machine) => machine.restartService('kubelet', signal))).rejects.toMatchObject({
    failure: { code: 'talos/wrong-machine', facts: { node: 'worker-1' } },
  });

  // After a while the direct way is looked for again.
  await rig.cluster.world.clock.sleep(180_000);
  expect(await nameOf(rig, cp2)).toBe('cp-2');
  dialled.length = 0;
  expect(await nameOf(rig, worker)).toBe('worker-1');
  expect(dialled).toEqual(['192.168.42.21', '192.168.42.12']);
  expect(dialled).not.toContain(vip);
});

test('a machine that is away is told as it was dialled, and one that refuses is not asked for elsewhere', async () => {
  const rig = await behindWalls({ '192.168.42.12': 'refused' });
  expect(await nameOf(rig, rig.cp1)).toBe('cp-1');
  await rig.cluster.mutator('worker-1').shutdown({ isForced: false }, signal);
  await rig.cluster.world.clock.sleep(120_000);
  expect(await nameOf(rig, rig.cp1)).toBe('cp-1');
  rig.dialled.length = 0;
  await expect(nameOf(rig, rig.worker)).rejects.toMatchObject({
    failure: { code: 'talos/unreachable', facts: { node: 'worker-1', address: '192.168.42.21' } },
  });
  expect(rig.dialled).toEqual(['192.168.42.21', '192.168.42.11']);
  rig.dialled.length = 0;
  await expect(nameOf(rig, rig.cp2)).rejects.toMatchObject({ failure: { code: 'talos/unreachable', facts: { reason: 'refused' } } });
  expect(rig.dialled).toEqual(['192.168.42.12']);
});
