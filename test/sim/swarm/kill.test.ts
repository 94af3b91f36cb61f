import { expect, test } from 'vitest';
import { bootstrapStory } from '../../rig/swarm/bootstrap-story.ts';
import { type Killed, killEverywhere } from '../../rig/swarm/kill-everywhere.ts';
import { scheduleOf, undisturbed } from '../../rig/swarm/schedule.ts';
import { builtInTasks } from '../../rig/tasks.ts';

/** `TK_KILL=1`: the cluster with everything in it is killed at all of its places too, which takes minutes. */
const isThorough = process.env['TK_KILL'] !== undefined;

const small = undisturbed({ ...scheduleOf('kill'), controlPlanes: 1, workers: 0, talos: 'v1.14.1', tree: false });
const large = { ...small, controlPlanes: 3, workers: 1, tree: true };

const tell = (what: string, { boundaries, changes, places }: Killed) =>
  void process.stdout.write(
    `${what}: killed at ${places} places, of ${boundaries} operations, ${changes} of them journal lines and files\n`,
  );

test('killed at every journal line, every file and every call, and begun again, a bootstrap leaves what an unhurt one leaves', {
  timeout: 600_000,
}, async () => {
  const killed = await killEverywhere(bootstrapStory, small, await builtInTasks());
  tell('one machine', killed);
  expect(killed.wrong).toEqual([]);
  expect(killed.places).toBeGreaterThan(killed.changes);
});

test(`the same with three control planes, a worker and a Flux tree${isThorough ? '' : ', at some of its places (TK_KILL=1: at all)'}`, {
  timeout: 3_600_000,
}, async () => {
  const killed = await killEverywhere(bootstrapStory, large, await builtInTasks(), isThorough ? 1 : 200);
  tell('a whole cluster', killed);
  expect(killed.wrong).toEqual([]);
});
