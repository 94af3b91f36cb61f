import { defineTask } from 'talos-tk';
import { simulate } from 'talos-tk/testing';
import { expect, test } from 'vitest';
import generateConfig from '../../tasks/talos/generate-config.ts';

/** A task that does what nobody should: it says a key of the cluster aloud. */
const careless = defineTask({
  summary: 'Say the machine token',
  effect: 'write',
  needs: { configs: generateConfig() },
  async run({ cluster, step, log, signal }) {
    const config = (await cluster.machineConfigs.of(cluster.controlPlanes[0]!, signal)).reveal();
    const token = /token: (\S+)/.exec(config)?.[1] ?? '';
    log(`the token is ${token}`);
    await step(`join with ${token}`, (handle) => handle.detail(token));
    throw new Error(`${token} was not accepted`);
  },
});

test('a key that a task says aloud is in no event, failure or journal line', async () => {
  await using rig = await simulate({ controlPlanes: 1, workers: 0, from: 'maintenance', tasks: { careless } });
  const run = await rig.tk('careless');
  const config = (await rig.cluster.machineConfigs.of(rig.cluster.controlPlanes[0]!, AbortSignal.timeout(60_000))).reveal();
  const token = /token: (\S+)/.exec(config)?.[1] ?? '';
  expect(token).toMatch(/^[a-z0-9]{6}\.[a-z0-9]{16}$/);

  expect(run.exitCode).toBe(1);
  const said = JSON.stringify(run.events);
  expect(said).toContain('the token is [redacted]');
  expect(said).toContain('join with [redacted]');
  const runs = await rig.files.list(`${rig.root}/.tk/sim/runs`);
  const journals = await Promise.all(runs.map(({ name }) => rig.files.readText(`${rig.root}/.tk/sim/runs/${name}/journal.jsonl`)));
  expect(journals.join('')).toContain('join with [redacted]');
  for (const text of [said, run.text, JSON.stringify(run.failures), ...journals]) expect(text).not.toContain(token);
});
