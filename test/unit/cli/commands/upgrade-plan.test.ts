import { expect, test } from 'vitest';
import { projectRoot, temporaryFolder } from '../../../rig/process.ts';
import { inFolder } from './in-folder.ts';

const from = ['--from-talos=v1.13.1', '--from-kubernetes=1.35.0'];

test('a plan needs no repository when both ends are named, and gives the reason of each hop', async () => {
  using folder = temporaryFolder();
  const plan = await inFolder(folder.path, ['upgrade:plan', ...from, '--to-talos=1.14.1', '--to-kubernetes=v1.37.0']);
  expect(plan).toEqual({
    exitCode: 0,
    stdout: [
      'From Talos v1.13.1, Kubernetes v1.35.0 in 4 hops',
      '  1  Talos v1.13.1 → v1.13.9        the newest 1.13 first: upgrades are tested from there',
      '  2  Talos v1.13.9 → v1.14.1        the version asked for',
      '  3  Kubernetes v1.35.0 → v1.36.3   one minor at a time',
      '  4  Kubernetes v1.36.3 → v1.37.0   the version asked for',
      '',
    ].join('\n'),
    notes: [],
    failures: [],
  });
  const { stdout } = await inFolder(folder.path, ['upgrade:plan', ...from, '--to-talos=1.13.9'], { json: true });
  expect(JSON.parse(stdout)).toEqual({
    schema: 1,
    from: { talos: 'v1.13.1', kubernetes: 'v1.35.0' },
    to: { talos: 'v1.13.9', kubernetes: 'v1.35.0' },
    hops: [
      {
        what: 'talos',
        from: 'v1.13.1',
        to: 'v1.13.9',
        reason: { kind: 'target' },
        after: { talos: 'v1.13.9', kubernetes: 'v1.35.0' },
        because: 'the version asked for',
      },
    ],
  });
});

test('what cannot be is refused before the first hop', async () => {
  using folder = temporaryFolder();
  const refused = async (...words: string[]) => (await inFolder(folder.path, ['upgrade:plan', ...words])).failures;
  expect(await refused(...from, '--to-talos=v1.12.0')).toEqual(['upgrade/downgrade']);
  expect(await refused(...from, '--to-kubernetes=v1.37.0')).toEqual(['upgrade/unsupported-pair']);
  expect(await refused(...from)).toEqual(['usage/missing-argument']);
  expect(await refused('--to-talos=v1.14.1')).toEqual(['config/no-repository']);
});

test('inside a repository the plan begins at its versions', async () => {
  const here = await inFolder(projectRoot, ['upgrade:plan', '--to-talos=v1.14.1'], { json: true });
  const { from: start } = JSON.parse(here.stdout);
  expect(Object.values(start)).toEqual([expect.stringMatching(/^v1\.\d+\.\d+$/), expect.stringMatching(/^v1\.\d+\.\d+$/)]);
});
