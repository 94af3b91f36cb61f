import { expect, test } from 'vitest';
import type { SimulatedRepository, SimulatedRun } from 'talos-tk/testing';
import { simulate } from '../../rig/watched.ts';

/** What a run shows whose machine is booted anew in the middle, until Ctrl-C. */
async function overReboot(rig: SimulatedRepository, name: string, params: object): Promise<SimulatedRun> {
  const running = rig.tk(name, params, { ctrlCAfterMs: 300_000 });
  await rig.pass(60_000);
  rig.hand.reboot('worker-1');
  return running;
}

const warnings = ({ events }: SimulatedRun) =>
  events.flatMap((event) => (event.event === 'warning' ? [`${event.failure.code} ${String(event.failure.facts.node)}`] : []));

test('logs of many nodes go on over a reboot, each line with its node and told once', { timeout: 60_000 }, async () => {
  await using rig = await simulate({ controlPlanes: 1, workers: 2 });
  const run = await overReboot(rig, 'talos:logs', { service: 'kubelet', follow: true, tail: 1 });
  expect({ exitCode: run.exitCode, warnings: warnings(run) }).toEqual({ exitCode: 130, warnings: ['talos/unavailable worker-1'] });
  const lines = run.printed.split('\n').slice(0, -1);
  expect(new Set(lines).size).toBe(lines.length);
  const healthy = /^(\S+): +kubelet: \[[\d.]+\] Running: Health check successful$/;
  expect(lines.slice(0, 3).map((line) => healthy.exec(line)?.[1])).toEqual(['cp-1', 'worker-1', 'worker-2']);
  expect(lines.slice(3).map((line) => line.replace(/\[[\d.]+\] /, ''))).toEqual([
    'worker-1: kubelet: Stopping: Sending SIGTERM to task',
    'worker-1: kubelet: Finished: Service finished successfully',
    'worker-1: kubelet: Starting: Starting service',
    'worker-1: kubelet: Waiting: Waiting for service "cri" to be "up", time sync',
    'worker-1: kubelet: Waiting: Waiting for time sync',
    'worker-1: kubelet: Preparing: Running pre state',
    'worker-1: kubelet: Preparing: Creating service runner',
    'worker-1: kubelet: Running: Started task kubelet (PID 2210) for container kubelet',
    'worker-1: kubelet: Running: Health check successful',
  ]);
});

test('a watch of resources shows what was there and every change, also over a reboot', { timeout: 60_000 }, async () => {
  await using rig = await simulate({ controlPlanes: 1, workers: 1 });
  const run = await overReboot(rig, 'talos:get', { type: 'machinestatus', watch: true });
  expect(run.exitCode).toBe(130);
  const rows = run.printed
    .split('\n')
    .slice(0, -1)
    .map((line) => line.replace(/ {2,}/g, '  ').split(/ {2,}/));
  expect(rows.slice(0, 3).map((row) => row.slice(0, 5).join(' '))).toEqual([
    '* NODE NAMESPACE TYPE ID',
    '+ cp-1 runtime MachineStatus machine',
    '+ worker-1 runtime MachineStatus machine',
  ]);
  const changes = rows.slice(3).map((row) => row.filter((cell) => cell !== ''));
  expect(new Set(changes.map(([node]) => node))).toEqual(new Set(['worker-1']));
  expect(changes.map((row) => row.slice(-2).join(' ')).filter((state, index, all) => state !== all[index - 1])).toEqual([
    'rebooting true',
    'booting false',
    'running true',
    'running false',
    'running true',
  ]);
});

test('a service that only some machines have is shown of those; named machines must have it', { timeout: 60_000 }, async () => {
  await using rig = await simulate({ controlPlanes: 2, workers: 1 });
  const run = await rig.tk('talos:logs', { service: 'etcd', tail: 1 });
  expect({ exitCode: run.exitCode, nodes: [...run.printed.matchAll(/^[^:]+/gm)].map(([node]) => node) }).toEqual({
    exitCode: 0,
    nodes: ['cp-1', 'cp-2'],
  });
  // A word that means nothing on every machine is told once, with what it may mean.
  for (const task of ['talos:logs', 'talos:services', 'talos:service'])
    for (const [service, node, suggestion] of [
      ['etcd', 'worker-1', undefined],
      ['ectd', 'cp-1', 'etcd'],
    ] as const) {
      const none = await rig.tk(task, { service, node, ...(task === 'talos:service' ? { action: 'restart' } : {}) });
      expect({ exitCode: none.exitCode, told: none.failures.map(({ code, facts }) => [code, facts['suggestion']]) }).toEqual({
        exitCode: 2,
        told: [['service/unknown', suggestion]],
      });
    }
});

test('a log in which nothing is said is followed for days, and nothing is told of it', { timeout: 60_000 }, async () => {
  await using rig = await simulate({ controlPlanes: 1, workers: 0 });
  for (const [task, params] of [
    ['talos:logs', { service: 'kubelet', follow: true, tail: 1 }],
    ['talos:get', { type: 'hostname', watch: true }],
  ] as const) {
    const run = await rig.tk(task, params, { ctrlCAfterMs: 3 * 24 * 3_600_000 });
    const lines = run.printed.split('\n').length - 1;
    expect({ task, exitCode: run.exitCode, warnings: warnings(run), lines }).toEqual({
      task,
      exitCode: 130,
      warnings: [],
      lines: task === 'talos:logs' ? 1 : 2,
    });
  }
});
