import { expect, test } from 'vitest';
import { defineTask, z } from 'talos-tk';
import { simulate } from 'talos-tk/testing';

const offsite = defineTask({
  summary: 'Copy the list of nodes to the NAS',
  params: z.object({ keep: z.number().int().min(1).default(7) }),
  effect: 'write',
  async run({ params, cluster, step, print, $ }) {
    const names = cluster.nodes.map((node) => node.name);
    await step('copy', () => $`rsync --archive ${names} ${'nas:/two words/'}`);
    const kept = await step('prune', () => $`ssh nas prune --keep=${params.keep}`.text());
    print(kept);
    return { kept: Number(kept) };
  },
});

test('a task of a repository runs against machines in memory, with the answers that the test gives', async () => {
  await using rig = await simulate({ from: 'maintenance', workers: 1, tasks: { offsite } });
  rig.command('rsync').succeeds();
  rig.command('ssh').succeeds('3\n');
  const run = await rig.tk('offsite', { keep: 3 });
  expect({ outcome: run.outcome, value: run.value, printed: run.printed, text: run.text }).toEqual({
    outcome: 'succeeded',
    value: { kept: 3 },
    printed: '3',
    text: '',
  });
  expect(rig.commands).toEqual([
    ['rsync', '--archive', 'cp-1', 'cp-2', 'cp-3', 'worker-1', 'nas:/two words/'],
    ['ssh', 'nas', 'prune', '--keep=3'],
  ]);

  rig.command('ssh').fails(255, 'no route to host');
  const failed = await rig.tk('offsite');
  expect(failed.exitCode).toBe(1);
  expect(failed.text).toBe('error[task/failed]: ssh ended with exit code 255\nbecause: no route to host\nstep: offsite › prune');
});

test('bootstrap takes simulated machines to a healthy cluster; a second run changes nothing', { timeout: 30_000 }, async () => {
  await using rig = await simulate({ controlPlanes: 3, workers: 2 });
  const again = await rig.tk('bootstrap');
  expect({ text: again.text, outcome: again.outcome, changes: again.counts.steps.changes }).toEqual({
    text: '',
    outcome: 'succeeded',
    changes: 0,
  });
});
