import { expect, test } from 'vitest';
import { bootstrapApart } from '../../rig/swarm/own-process.ts';
import { kubernetesOf, talosVersions } from '../../rig/swarm/schedule.ts';

/** `TK_SHAPES=1`: every number of workers with every number of control planes, on each version. */
const isWhole = process.env['TK_SHAPES'] !== undefined;

const shapes = talosVersions.flatMap((talos, version) =>
  [1, 3, 5].flatMap((controlPlanes) =>
    Array.from({ length: 9 }, (_, workers) => [`${controlPlanes}+${workers}`, talos] as const).filter(
      // The corners on each version, what lies between them on one.
      (_, workers) => isWhole || workers % 8 === 0 || (controlPlanes === [1, 3, 5][workers % 3] && version === workers % 2),
    ),
  ),
);

test(`clusters of 1, 3 and 5 control planes with 0 to 8 workers on Talos 1.12, 1.13 and 1.14 come up, each machine as what it is (${shapes.length} of 81 shapes, TK_SHAPES=1: all)`, {
  timeout: 600_000,
}, async () => {
  const named = (role: string, count: number) => Array.from({ length: count }, (_, index) => `${role}-${index + 1}`);
  expect(await bootstrapApart(shapes)).toEqual(
    shapes.map(([shape, talos]) => {
      const [controlPlanes = 0, workers = 0] = shape.split('+').map(Number);
      return {
        shape: `${shape} ${talos}`,
        exits: [0],
        violations: [],
        members: named('cp', controlPlanes),
        nodes: Object.fromEntries([...named('cp', controlPlanes), ...named('worker', workers)].map((name) => [name, kubernetesOf[talos]])),
        acts: { 'talos/bootstrap-accepted cp-1': 1 },
      };
    }),
  );
});
