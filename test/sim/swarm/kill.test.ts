import { expect, test } from 'vitest';
import { bootstrapStory } from '../../rig/swarm/bootstrap-story.ts';
import { killEverywhere } from '../../rig/swarm/kill-everywhere.ts';
import type { Schedule } from '../../rig/swarm/schedule.ts';
import { builtInTasks } from '../../rig/tasks.ts';

const calm: Schedule = {
  seed: 'kill',
  controlPlanes: 1,
  workers: 0,
  talos: 'v1.14.1',
  tree: false,
  faults: [],
  deaths: [],
  stops: [],
  deeds: [],
};

/** `TK_KILL=1` kills at every operation of a larger cluster too, with its Flux tree. */
const isThorough = process.env['TK_KILL'] !== undefined;

test('killed before and after every journal line and every file, and begun again, a bootstrap leaves what an uninterrupted one leaves', {
  timeout: 3_600_000,
}, async () => {
  Error.stackTraceLimit = 0;
  const tasks = await builtInTasks();
  const killed = await killEverywhere(bootstrapStory, calm, tasks);
  process.stdout.write(`killed at ${killed.places} places\n`);
  expect(killed.wrong).toEqual([]);
  expect(killed.places).toBeGreaterThan(200);
  if (!isThorough) return;
  const thorough = await killEverywhere(bootstrapStory, { ...calm, controlPlanes: 3, workers: 1, tree: true }, tasks, { others: 1 });
  process.stdout.write(`killed at ${thorough.places} places of the whole\n`);
  expect(thorough.wrong).toEqual([]);
});
