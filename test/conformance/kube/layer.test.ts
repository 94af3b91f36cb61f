import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { kubeRig } from '../../unit/sim/kube/rig.ts';
import { layerStory, type Told } from './layer-story.ts';

const recorded = JSON.parse(readFileSync(new URL('./layer.json', import.meta.url), 'utf8')) as {
  readonly recordedFrom: string;
  readonly told: readonly Told[];
};

test('drain, eviction, Lease and server-side apply through our layer: the simulator answers as the real API server and its controllers', async () => {
  const { up, client, world, pass } = await kubeRig({ cni: 'flannel' });
  up({ name: 'cp-1' }, { name: 'worker-1' }, { name: 'worker-2' });
  await pass(30_000);
  expect(await layerStory(client, world.clock)).toEqual(recorded.told);
});
