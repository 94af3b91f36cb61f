import { expect, test } from 'vitest';
import { createDoctor, type DoctorParts } from '../../lib/cluster/operations/doctor.ts';
import { simulate } from '../rig/watched.ts';
import { renderFailure } from '../../lib/ui/index.ts';

test('a healthy cluster has nothing to mend', { timeout: 60_000 }, async () => {
  await using rig = await simulate({ controlPlanes: 3, workers: 1 });
  const run = await rig.tk('doctor');
  expect({ exitCode: run.exitCode, printed: run.printed, text: run.text, value: run.value }).toEqual({
    exitCode: 0,
    printed: '9 parts are well\n',
    text: '',
    value: {
      areas: ['inputs', 'keys', 'reachability', 'clocks', 'certificates', 'etcd', 'kubernetes', 'drift', 'runs'],
      errors: 0,
      warnings: 0,
      findings: [],
    },
  });

  // What is to be watched is told, and is no failure.
  expect((await rig.tk('talos:cordon', { node: 'worker-1' })).exitCode).toBe(0);
  expect((await rig.tk('talos:talosconfig', { validity: '10d' })).exitCode).toBe(0);
  const path = `${rig.root}/talos/talconfig.yaml`;
  const talconfig = JSON.parse((await rig.files.readText(path)) ?? '') as { readonly nodes: readonly { readonly hostname: string }[] };
  const nodes = talconfig.nodes.map((node) => (node.hostname === 'worker-1' ? { ...node, nodeLabels: { rack: 'a' } } : node));
  await rig.files.write(path, JSON.stringify({ ...talconfig, nodes }));
  await rig.files.write(`${rig.root}/kubeconfig`, (await rig.files.readText(`${rig.root}/kubeconfig`)) ?? '', { mode: 0o644 });
  const watched = await rig.tk('doctor');
  expect({ exitCode: watched.exitCode, printed: watched.printed }).toEqual({
    exitCode: 0,
    printed:
      'LEVEL    PART          NODE      FINDING               MEND IT WITH\n' +
      'warning  inputs                  doctor/not-generated  npx tk talos:generate-config\n' +
      'warning  keys                    doctor/wide-file      chmod 600 kubeconfig\n' +
      'warning  certificates            doctor/certificate    npx tk talos:talosconfig --rotate\n' +
      'warning  drift         worker-1  doctor/cordon         npx tk talos:uncordon NODE=worker-1\n' +
      'warning  drift         worker-1  doctor/config         npx tk talos:apply-node NODE=worker-1\n',
  });
});

test('what is broken is named with the command that mends it, and ends with 6', { timeout: 60_000 }, async () => {
  await using rig = await simulate({ controlPlanes: 3, workers: 1 });
  rig.hand.losePower('cp-3', 36_000_000);
  rig.hand.raiseAlarm('cp-2', 'NOSPACE');
  await rig.pass(20_000);
  await rig.files.remove(`${rig.root}/kubeconfig`);
  const run = await rig.tk('doctor');
  expect({ exitCode: run.exitCode, printed: run.printed }).toEqual({
    exitCode: 6,
    printed:
      'LEVEL    PART          NODE  FINDING             MEND IT WITH\n' +
      'error    reachability  cp-3  doctor/unreachable  npx tk talos:dmesg NODE=cp-3\n' +
      'error    etcd          cp-3  doctor/etcd         npx tk talos:logs NODE=cp-3 SERVICE=etcd\n' +
      'error    etcd          cp-2  doctor/alarm        npx tk talos:etcd-defrag && npx tk talos:etcd-disarm\n' +
      'warning  kubernetes          doctor/kubeconfig   npx tk talos:kubeconfig\n',
  });
  const only = await rig.tk('doctor', { only: ['reachability'], node: 'cp-1' });
  expect(only.printed).toBe('all is well\n');
});

test('before there is a cluster the doctor says what is missing', async () => {
  await using rig = await simulate({ from: 'maintenance', controlPlanes: 1, workers: 0 });
  const run = await rig.tk('doctor');
  expect(run.exitCode).toBe(6);
  const { findings } = run.value as { readonly findings: readonly { readonly code: string; readonly mend: string }[] };
  expect(findings.map(({ code, mend }) => `${code}: ${mend}`)).toEqual([
    'doctor/not-generated: npx tk talos:generate-config',
    'doctor/maintenance: npx tk talos:apply-node NODE=cp-1',
    'doctor/no-talosconfig: npx tk talos:generate-config',
    'doctor/etcd: npx tk talos:logs NODE=cp-1 SERVICE=etcd',
    'doctor/kubeconfig: npx tk talos:kubeconfig',
  ]);
});

test('whose clock is wrong follows from who agrees with whom', async () => {
  const clocksOff = async (offsets: readonly number[]) => {
    const read = async (node: { readonly name: string }, use: (machine: object) => Promise<unknown>) =>
      use({ time: async () => 1_000_000 + (offsets[Number(node.name)] ?? 0), isTimeSynced: async () => true });
    const parts = { cluster: { machines: { read } }, now: () => 1_000_000 } as unknown as DoctorParts;
    const nodes = offsets.map((_, index) => ({ name: String(index) })) as unknown as Parameters<
      ReturnType<typeof createDoctor>['examine']
    >[1];
    const findings = await createDoctor(parts).examine('clocks', nodes, new AbortController().signal);
    return findings.map(({ failure }) => renderFailure(failure).split('\n')[0]);
  };
  expect(await clocksOff([0, 30_000, -30_000])).toEqual([]);
  expect(await clocksOff([0, 300_000, 0])).toEqual(['error[doctor/clock]: the clock of `1` is 5m00s ahead']);
  expect(await clocksOff([7_200_000, 7_201_000, 7_200_000])).toEqual([
    'error[doctor/own-clock]: the clock of this computer is 2h00m behind',
  ]);
  expect(await clocksOff([7_200_000, -7_200_000])).toEqual([
    'error[doctor/clock]: the clock of `0` is 2h00m ahead',
    'error[doctor/clock]: the clock of `1` is 2h00m behind',
  ]);
});
