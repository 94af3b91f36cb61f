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

/** `TK_KILL=1` kills before and after every journal line and every file, and at every operation of a larger cluster with its Flux tree. */
const isThorough = process.env['TK_KILL'] !== undefined;
const few = { beforeLines: 8, files: 4, others: 60 };
const every = { beforeLines: 1, files: 1, others: 10 };

test('killed right after every journal line and at some other places (TK_KILL=1: at all), and begun again, a bootstrap leaves what an uninterrupted one leaves', {
  timeout: 3_600_000,
}, async () => {
  Error.stackTraceLimit = 0;
  const tasks = await builtInTasks();
  const killed = await killEverywhere(bootstrapStory, calm, tasks, isThorough ? every : few);
  process.stdout.write(
    `killed at ${killed.places} places: ${isThorough ? 'before and after every journal line and file' : 'after every journal line, at some of the others (TK_KILL=1: at all)'}\n`,
  );
  expect(killed.wrong).toEqual([]);
  expect(killed.places).toBeGreaterThan(isThorough ? 200 : 90);
  if (!isThorough) return;
  const thorough = await killEverywhere(bootstrapStory, { ...calm, controlPlanes: 3, workers: 1, tree: true }, tasks, {
    ...every,
    others: 1,
  });
  process.stdout.write(`killed at ${thorough.places} places of the whole\n`);
  expect(thorough.wrong).toEqual([]);
});
