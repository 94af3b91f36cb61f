import { expect, test } from 'vitest';
import { simulate } from 'talos-tk/testing';

const { signal } = new AbortController();

test('a dry run asks the machine what it would do with the config, and leaves it as it is', { timeout: 30_000 }, async () => {
  await using rig = await simulate({ controlPlanes: 1, workers: 1 });
  const path = `${rig.root}/talos/talconfig.yaml`;
  const talconfig = JSON.parse((await rig.files.readText(path)) ?? '') as { readonly nodes: readonly { readonly hostname: string }[] };
  const nodes = talconfig.nodes.map((node) => (node.hostname === 'worker-1' ? { ...node, nodeLabels: { rack: 'a' } } : node));
  await rig.files.write(path, JSON.stringify({ ...talconfig, nodes }));

  const worker = rig.cluster.find({ node: 'worker-1' });
  const before = await rig.cluster.machines.compareConfig(worker, signal);
  expect(before).toMatchObject({ state: 'differs' });
  expect(await rig.cluster.machines.dryRun(worker, 'auto', signal)).toEqual({ mode: 'no-reboot', warnings: [] });
  expect(await rig.cluster.machines.compareConfig(worker, signal)).toEqual(before);
});

test('a machine in maintenance mode is shown no config in a dry run', async () => {
  await using rig = await simulate({ from: 'maintenance', controlPlanes: 1, workers: 0 });
  expect(await rig.cluster.machines.dryRun(rig.cluster.find({ node: 'cp-1' }), 'auto', signal)).toBeUndefined();
});
