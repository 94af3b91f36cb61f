import { describe, expect, test } from 'vitest';
import type { TalosConnection } from '../../../lib/base/index.ts';
import type { MutualTrust } from '../../../lib/cluster/connections.ts';
import { signal } from '../sim/cluster-rig.ts';
import { runningMachines } from './connections-rig.ts';

/** Two machines that run, and how often each was dialled. `elsewhere` lets another machine answer at an address. */
async function connected() {
  const { cluster, connect, cp1, cp2 } = await runningMachines(0);
  const dialled: string[] = [];
  const open: TalosConnection[] = [];
  const elsewhere = new Map<string, string>();
  let trust = cluster.trust as MutualTrust;
  let isNewKey = false;
  const connections = connect(
    async (target, stop) => {
      dialled.push(target.host);
      const connection = await cluster.world.dial.talos({ ...target, host: elsewhere.get(target.host) ?? target.host }, stop);
      const peer = isNewKey ? { ...connection.peer, spkiSha256: `key ${dialled.length}` } : connection.peer;
      open.push(connection);
      return { ...connection, peer };
    },
    () => trust,
  );
  return {
    connections,
    dialled,
    elsewhere,
    cp1,
    cp2,
    open: () => open.filter((connection) => connection.isOpen()).length,
    breakAll: () => open.splice(0).forEach((connection) => connection.close()),
    renew: () => (trust = { ...trust }),
    showsAnotherKeyEachTime: () => (isNewKey = true),
    pass: (ms: number) => cluster.world.clock.sleep(ms),
    hostname: () => connections.read(cp1, (machine) => machine.hostname(signal)),
    proven: () => connections.readProven(cp1, signal, (machine) => machine.hostname(signal)),
  };
}

describe('a connection that has just worked', () => {
  test('carries the next look, and the proof of who answers on it; five seconds later it is a new one', async () => {
    const rig = await connected();
    expect([await rig.hostname(), await rig.proven(), await rig.proven()]).toEqual(['cp-1', 'cp-1', 'cp-1']);
    expect((await rig.connections.probe(rig.cp1, signal)).state).toBe('configured');
    expect(rig.dialled).toEqual(['192.168.42.11']);
    await rig.pass(5001);
    expect(await rig.hostname()).toBe('cp-1');
    expect(rig.dialled).toHaveLength(2);
    expect(rig.open()).toBe(1);
  });

  test('is not shared, not kept for other credentials, and not after anything failed', async () => {
    const rig = await connected();
    await Promise.all([rig.hostname(), rig.hostname()]);
    expect(rig.dialled).toHaveLength(2);
    expect(rig.open()).toBe(1);
    rig.renew();
    await rig.hostname();
    expect(rig.dialled).toHaveLength(3);
    await expect(
      rig.connections.read(rig.cp1, async (machine) => {
        await machine.hostname(signal);
        throw new Error('nobody knows what is on its way');
      }),
    ).rejects.toThrow('on its way');
    expect(rig.open()).toBe(0);
    await rig.hostname();
    expect(rig.dialled).toHaveLength(4);
  });

  test('that broke is replaced, and the machine proves itself anew', async () => {
    const rig = await connected();
    expect(await rig.proven()).toBe('cp-1');
    rig.breakAll();
    rig.elsewhere.set(rig.cp1.address, rig.cp2.address);
    expect(await rig.hostname()).toBe('cp-2');
    await expect(rig.proven()).rejects.toMatchObject({ failure: { code: 'talos/wrong-machine' } });
  });

  test('that breaks in the middle of a look is no cover for another machine', async () => {
    const rig = await connected();
    let looks = 0;
    const look = rig.connections.readProven(rig.cp1, signal, async (machine) => {
      looks += 1;
      rig.breakAll();
      rig.elsewhere.set(rig.cp1.address, rig.cp2.address);
      return machine.hostname(signal);
    });
    await expect(look).rejects.toMatchObject({ failure: { code: 'talos/wrong-machine' } });
    expect(looks).toBe(1);
  });

  test('that breaks in every look tells nothing', async () => {
    const rig = await connected();
    rig.showsAnotherKeyEachTime();
    let looks = 0;
    const look = rig.connections.readProven(rig.cp1, signal, async (machine) => {
      looks += 1;
      rig.breakAll();
      return machine.hostname(signal);
    });
    await expect(look).rejects.toMatchObject({ failure: { code: 'talos/unavailable', facts: { message: 'connections keep breaking' } } });
    expect(looks).toBe(3);
  });
});
