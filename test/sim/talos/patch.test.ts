import { expect, test } from 'vitest';
import type { SimulatedRun } from 'talos-tk/testing';
import { simulate } from '../../rig/watched.ts';

const codes = ({ exitCode, failures }: SimulatedRun) => ({ exitCode, codes: failures.map(({ code }) => code) });
const fine = { exitCode: 0, codes: [] };
const now = new AbortController().signal;

test('talos:patch changes what machines run, one after the other, and only where something changes', { timeout: 60_000 }, async () => {
  await using rig = await simulate({ controlPlanes: 3, workers: 1 });
  const patch = ['apiVersion: v1alpha1\nkind: KubeNodeConfig\nlabels:\n  rack: a\n'];
  const plan = await rig.plan('talos:patch', { patch, nodes: ['cp-1', 'worker-1'] });
  expect(plan.tasks[0]?.steps).toEqual(
    ['cp-1', 'worker-1'].map((node) => ({
      decision: 'run',
      title: 'patch',
      node,
      reason: expect.stringMatching(/^[+~] KubeNodeConfig labels.*rack.*; applied as no-reboot$/) as unknown,
      calls: [{ target: node, call: 'machine.MachineService/ApplyConfiguration' }],
    })),
  );
  expect(codes(await rig.tk('talos:patch', { patch }))).toEqual({ exitCode: 2, codes: ['cluster/node-not-named'] });
  const patched = await rig.tk('talos:patch', { patch, all: true });
  expect({ ...codes(patched), value: patched.value }).toEqual({
    ...fine,
    value: { patched: ['cp-1', 'cp-2', 'cp-3', 'worker-1'].map((node) => ({ node, mode: 'no-reboot' })) },
  });
  const again = await rig.tk('talos:patch', { patch, all: true });
  expect({ ...codes(again), changes: again.counts.steps.changes, value: again.value }).toEqual({
    ...fine,
    changes: 0,
    value: { patched: [] },
  });
  // The repository does not know of it, and says so.
  expect((await rig.tk('talos:diff', { live: true, node: 'worker-1' })).exitCode).toBe(6);
});

test('a JSON patch is refused where Talos takes none, and its strategic form is proposed', { timeout: 60_000 }, async () => {
  await using rig = await simulate({ controlPlanes: 1, workers: 0 });
  const json = await rig.tk('talos:patch', { node: 'cp-1', patch: ['[{"op": "add", "path": "/machine/env", "value": {"A": "b"}}]'] });
  expect(codes(json)).toEqual({ exitCode: 2, codes: ['talos-config/json-patch-refused'] });
  expect(json.text).toContain('write it as a strategic merge patch:\n  machine:\n    env:\n      A: b');
  expect(codes(await rig.tk('talos:patch', { node: 'cp-1', patch: ['@no/such/file.yaml'] }))).toEqual({
    exitCode: 2,
    codes: ['patch/no-file'],
  });
  await rig.files.write(`${rig.root}/talos/odd.yaml`, 'machine:\n  nonsense: true\n');
  expect(codes(await rig.tk('talos:patch', { node: 'cp-1', patch: ['talos/odd.yaml'] })).exitCode).toBe(2);
});

test('a change on trial goes back by itself after its window', { timeout: 60_000 }, async () => {
  await using rig = await simulate({ controlPlanes: 1, workers: 1 });
  const labels = async () =>
    (await rig.tk('talos:get', { type: 'mc', id: 'v1alpha1', node: 'worker-1', as: 'yaml' })).printed.includes('rack: a');
  const patch = ['apiVersion: v1alpha1\nkind: KubeNodeConfig\nlabels:\n  rack: a\n'];
  expect(codes(await rig.tk('talos:patch', { node: 'worker-1', patch, mode: 'try', tryFor: '3m' }))).toEqual(fine);
  expect(await labels()).toBe(true);
  await rig.pass(120_000);
  expect(await labels()).toBe(true);
  await rig.pass(120_000);
  expect(await labels()).toBe(false);
});

test('a change that needs a reboot goes through the gates like one', { timeout: 60_000 }, async () => {
  await using rig = await simulate({ controlPlanes: 3, workers: 0, talos: '1.13' });
  const patch = ['machine:\n  sysctls:\n    vm.nr_hugepages: "1024"\n  env:\n    A: b\n'];
  const node = rig.cluster.find({ node: 'cp-1' });
  const before = await rig.cluster.lifecycle.boot(node, now);
  expect((await rig.plan('talos:patch', { patch, node: 'cp-1' })).tasks[0]?.steps[0]).toMatchObject({
    reason: expect.stringContaining('applied as reboot') as unknown,
  });
  expect(codes(await rig.tk('talos:patch', { patch, node: 'cp-1' }))).toEqual(fine);
  expect((await rig.cluster.lifecycle.boot(node, now)).bootId).not.toBe(before.bootId);
  rig.hand.losePower('cp-3', 3_600_000);
  await rig.pass(90_000);
  const refused = await rig.tk('talos:patch', { patch, node: 'cp-2' });
  expect(refused.exitCode).toBe(3);
  expect(codes(refused).codes).toContain('gate/etcd-quorum');
});
