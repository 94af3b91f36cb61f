import { readFileSync } from 'node:fs';
import { join } from 'node:path';
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

test('a check for CI ends with 6 when the versions do not go together, or when there is no way to them', async () => {
  using folder = temporaryFolder();
  const checked = async (...words: string[]) => inFolder(folder.path, ['upgrade:plan', '--check', ...words], { json: true });
  const fits = await checked('--to-talos=1.14.1', '--to-kubernetes=1.37.0');
  expect([fits.exitCode, JSON.parse(fits.stdout)]).toEqual([
    0,
    { schema: 1, works: true, to: { talos: 'v1.14.1', kubernetes: 'v1.37.0' }, failures: [] },
  ]);
  const tooNew = await checked('--to-talos=1.13.9', '--to-kubernetes=1.37.0');
  expect([tooNew.exitCode, JSON.parse(tooNew.stdout)]).toEqual([
    6,
    {
      schema: 1,
      works: false,
      to: { talos: 'v1.13.9', kubernetes: 'v1.37.0' },
      failures: [expect.objectContaining({ code: 'upgrade/unsupported-pair' })],
    },
  ]);
  const back = await checked(...from, '--to-talos=1.12.6', '--to-kubernetes=1.35.0');
  expect([back.exitCode, JSON.parse(back.stdout).failures]).toEqual([6, [expect.objectContaining({ code: 'upgrade/downgrade' })]]);
  const noRepository = await checked('--to-talos=1.14.1');
  expect([noRepository.exitCode, noRepository.failures]).toEqual([undefined, ['config/no-repository']]);
});

test('a check reads the versions of the repository, also those of a node that stays behind', async () => {
  const inputs = (kubernetes: string, node = '') => ({
    'cluster.yaml': readFileSync(join(projectRoot, 'cluster.yaml'), 'utf8')
      .replace(/^(\s*talos_version:).*$/m, '$1 "1.14.1"')
      .replace(/^(\s*kubernetes_version:).*$/m, `$1 "${kubernetes}"`),
    'nodes.yaml': `${readFileSync(join(projectRoot, 'nodes.yaml'), 'utf8')}${node}`,
  });
  using fitting = temporaryFolder(inputs('1.37.0'));
  const fits = await inFolder(fitting.path, ['upgrade:plan', '--check']);
  expect(fits).toMatchObject({ exitCode: 0, stdout: 'Talos v1.14.1 runs Kubernetes v1.37.0\n' });
  using old = temporaryFolder(inputs('1.29.0'));
  const tooOld = await inFolder(old.path, ['upgrade:plan', '--check'], { json: true });
  expect([tooOld.exitCode, JSON.parse(tooOld.stdout).works]).toEqual([6, false]);
  const asked = await inFolder(fitting.path, ['upgrade:plan', '--to-talos=v1.14.2']);
  expect(asked.notes).toEqual(['No cluster was asked: this repository has no talosconfig. The plan begins at the versions that it names.']);
  expect(asked.stdout).toContain('Talos v1.14.1 → v1.14.2');
});
