import { expect, test } from 'vitest';
import type { Killed } from '../../rig/swarm/kill-everywhere.ts';
import { killApart } from '../../rig/swarm/own-process.ts';

/** `TK_KILL=1`: the cluster with everything in it is killed at all of its places too, which takes minutes. */
const isThorough = process.env['TK_KILL'] !== undefined;

const tell = (what: string, { boundaries, changes, places }: Killed) =>
  void process.stdout.write(
    `${what}: killed at ${places} places, of ${boundaries} operations, ${changes} of them journal lines and files\n`,
  );

test('killed at every journal line, every file and every call, and begun again, a bootstrap leaves what an unhurt one leaves', {
  timeout: 600_000,
}, async () => {
  const killed = await killApart({ controlPlanes: 1, workers: 0, tree: false });
  tell('one machine', killed);
  expect(killed.wrong).toEqual([]);
  expect(killed.places).toBeGreaterThan(killed.changes);
});

if (isThorough)
  test('the same with three control planes, a worker and a Flux tree', { timeout: 3_600_000 }, async () => {
    const killed = await killApart({ controlPlanes: 3, workers: 1, tree: true });
    tell('a whole cluster', killed);
    expect(killed.wrong).toEqual([]);
  });
