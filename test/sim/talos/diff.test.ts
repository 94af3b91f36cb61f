import { expect, test } from 'vitest';
import { simulate, type SimulatedRun } from 'talos-tk/testing';

const shown = ({ exitCode, printed, text }: SimulatedRun) => ({ exitCode, printed, text });

test('talos:diff tells what the next generation would change, and ends with 6 while it would', async () => {
  await using rig = await simulate({ from: 'maintenance', controlPlanes: 1, workers: 1 });
  expect(shown(await rig.tk('talos:diff'))).toEqual({
    exitCode: 6,
    printed:
      'cp-1\n  talos/clusterconfig/simulated-cp-1.yaml has not been generated yet\n' +
      'worker-1\n  talos/clusterconfig/simulated-worker-1.yaml has not been generated yet\n2 nodes, 2 differences\n',
    text: '',
  });
  expect((await rig.tk('talos:generate-config')).text).toBe('');
  expect(shown(await rig.tk('talos:diff'))).toEqual({ exitCode: 0, printed: '2 nodes, 0 differences\n', text: '' });

  const path = `${rig.root}/talos/clusterconfig/simulated-worker-1.yaml`;
  const last = (await rig.files.readText(path)) ?? '';
  const token = /token: (\S+)/.exec(last)?.[1] ?? '';
  expect(token).toMatch(/^[a-z0-9]{6}\.[a-z0-9]{16}$/);
  await rig.files.write(path, last.replace(token, 'aaaaaa.bbbbbbbbbbbbbbbb').replace('hostname: worker-1', 'hostname: worker-9'));
  const changed = await rig.tk('talos:diff');
  expect(shown(changed)).toEqual({
    exitCode: 6,
    printed:
      'worker-1\n  ~ v1alpha1 machine.token: "[redacted]" → "[redacted]"\n' +
      '  ~ HostnameConfig hostname: "worker-9" → "worker-1"\n2 nodes, 2 differences\n',
    text: '',
  });
  expect(shown(await rig.tk('talos:diff', { node: 'cp-1' }))).toEqual({ exitCode: 0, printed: '1 node, 0 differences\n', text: '' });
  // A task that only compares has written nothing.
  expect(await rig.files.readText(path)).toContain('worker-9');
});

test('talos:diff --live compares with what the machines run', { timeout: 30_000 }, async () => {
  await using rig = await simulate({ controlPlanes: 1, workers: 1 });
  expect(shown(await rig.tk('talos:diff', { live: true }))).toEqual({ exitCode: 0, printed: '2 nodes, 0 differences\n', text: '' });
  const path = `${rig.root}/talos/talconfig.yaml`;
  const talconfig = JSON.parse((await rig.files.readText(path)) ?? '') as { readonly nodes: readonly { readonly hostname: string }[] };
  const nodes = talconfig.nodes.map((node) => (node.hostname === 'worker-1' ? { ...node, nodeLabels: { rack: 'a' } } : node));
  await rig.files.write(path, JSON.stringify({ ...talconfig, nodes }));
  expect(shown(await rig.tk('talos:diff', { live: true }))).toEqual({
    exitCode: 6,
    printed: 'worker-1\n  + KubeNodeConfig labels: {"rack":"a"}\n2 nodes, 1 difference\n',
    text: '',
  });
});

test('talos:diff --live tells that a machine has no config yet', async () => {
  await using rig = await simulate({ from: 'maintenance', controlPlanes: 1, workers: 0 });
  expect((await rig.tk('talos:generate-config')).text).toBe('');
  expect(shown(await rig.tk('talos:diff', { live: true }))).toEqual({
    exitCode: 6,
    printed: 'cp-1\n  it is in maintenance mode and has no config\n1 node, 1 difference\n',
    text: '',
  });
});
