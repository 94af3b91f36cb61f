import { expect, test } from 'vitest';
import type { SimulatedRun } from 'talos-tk/testing';
import { simulate, type WatchedRepository } from '../../rig/watched.ts';

// A machine whose EPHEMERAL alone is wiped comes back with its config, as it does from any restart.
const ephemeral = { node: 'worker-1', labels: ['EPHEMERAL'], graceful: false, reboot: true };
const dayMs = 86_400_000;
const codes = ({ exitCode, failures }: SimulatedRun) => ({ exitCode, codes: failures.map(({ code }) => code) });
const fine = { exitCode: 0, codes: [] };
const partitions = (rig: WatchedRepository, node = 'worker-1') =>
  rig.cluster.operations.partitions(rig.cluster.find({ node }), ['EPHEMERAL', 'STATE'], new AbortController().signal);
const cordon = async (rig: WatchedRepository) =>
  (await rig.cluster.lifecycle.facts(rig.cluster.find({ node: 'worker-1' }), new AbortController().signal)).kube?.cordon.state;

test('a machine whose config stays is waited for and gets its pods back', { timeout: 60_000 }, async () => {
  await using rig = await simulate({ controlPlanes: 1, workers: 1 });
  const before = await partitions(rig);
  const run = await rig.tk('talos:reset', ephemeral);
  expect(codes(run)).toEqual(fine);
  const after = await partitions(rig);
  expect([after['STATE'] === before['STATE'], after['EPHEMERAL'] === before['EPHEMERAL'], await cordon(rig)]).toEqual([
    true,
    false,
    'none',
  ]);
});

test("somebody else's restart is not taken for the wipe", { timeout: 60_000 }, async () => {
  const only = { path: '/machine.MachineService/Reset' };
  await using rig = await simulate({
    controlPlanes: 1,
    workers: 1,
    faults: [{ point: 'wire/request', kind: 'reset', probability: 1, only, fromMs: dayMs, atMost: 1 }],
  });
  await rig.pass(dayMs);
  const before = await partitions(rig);
  const first = await rig.tk('talos:reset', ephemeral);
  expect(codes(first)).toEqual({ exitCode: 1, codes: ['talos/outcome-unknown'] });
  rig.hand.reboot('worker-1');
  await rig.pass(600_000);
  expect(await partitions(rig)).toEqual(before);
  const second = await rig.tk('talos:reset', ephemeral);
  expect(codes(second)).toEqual(fine);
  expect((await partitions(rig))['EPHEMERAL']).not.toBe(before['EPHEMERAL']);
  expect(await cordon(rig)).toBe('none');
});

test('what comes back as it was is no success, and the same line wipes it', { timeout: 60_000 }, async () => {
  await using rig = await simulate({ controlPlanes: 1, workers: 1 });
  const before = await partitions(rig);
  const running = rig.tk('talos:reset', ephemeral);
  // The power goes away while the machine stops what runs on it, before it wipes anything.
  const stage = async () => (await rig.cluster.lifecycle.boot(rig.cluster.find({ node: 'worker-1' }), new AbortController().signal)).stage;
  while ((await stage()) !== 'resetting') await rig.pass(200);
  rig.hand.reboot('worker-1');
  const first = await running;
  expect({ ...codes(first), text: first.text }).toMatchInlineSnapshot(`
    {
      "codes": [
        "node/not-wiped",
      ],
      "exitCode": 1,
      "text": "error[node/not-wiped]: \`worker-1\` was not wiped: it is back with EPHEMERAL as before
    because: somebody has restarted it before the wipe began
    step: talos:reset node=worker-1 labels=["EPHEMERAL"] graceful=false reboot=true › wiped
    help: the same line wipes it",
    }
  `);
  expect([await partitions(rig), await cordon(rig)]).toEqual([before, 'none']);
  expect(codes(await rig.tk('talos:reset', ephemeral))).toEqual(fine);
  expect((await partitions(rig))['EPHEMERAL']).not.toBe(before['EPHEMERAL']);
});
