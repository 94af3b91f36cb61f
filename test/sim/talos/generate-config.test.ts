import { expect, test } from 'vitest';
import { simulate } from 'talos-tk/testing';
import { stepsOf } from '../../rig/steps.ts';

test('into another folder, with another bundle: the plan names what the run writes, and a second run has nothing to do', async () => {
  await using rig = await simulate({ controlPlanes: 1, workers: 1, talos: 'v1.14.1' });
  const bundles = (await rig.files.list(`${rig.root}/talos`)).map(({ name }) => name).filter((name) => name.startsWith('talsecret'));
  expect(bundles).toHaveLength(1);
  const bundle = (await rig.files.readText(`${rig.root}/talos/${bundles[0]}`)) ?? '';
  expect(bundle).not.toBe('');
  await rig.files.write(`${rig.root}/kept/talsecret.yaml`, bundle, { mode: 0o600 });
  const line = { out: `${rig.root}/elsewhere`, secrets: `${rig.root}/kept/talsecret.yaml` };

  const plan = await rig.plan('talos:generate-config', line);
  const titles = plan.tasks
    .find(({ task }) => task.startsWith('talos:generate-config'))
    ?.steps.map(({ title, decision }) => `${decision} ${title}`);
  expect(titles).toEqual(['run elsewhere/simulated-cp-1.yaml', 'run elsewhere/simulated-worker-1.yaml', 'run elsewhere/talosconfig']);
  expect(await rig.files.list(`${rig.root}/elsewhere`)).toEqual([]);

  const run = await rig.tk('talos:generate-config', line);
  expect({ exitCode: run.exitCode, text: run.text }).toEqual({ exitCode: 0, text: '' });
  expect((await rig.files.list(`${rig.root}/elsewhere`)).map(({ name }) => name)).toEqual([
    '.gitignore',
    'simulated-cp-1.yaml',
    'simulated-worker-1.yaml',
    'talosconfig',
  ]);
  const again = await rig.tk('talos:generate-config', line);
  expect(stepsOf(again)).toEqual(['validate and render', 'generate']);
});
