import { expect, test } from 'vitest';
import { overlayFiles } from '../../../../lib/cli/sandbox/overlay-files.ts';
import { createMemoryFiles } from '../../../../lib/sim/index.ts';

test('a sandbox writes nothing outside of its own folder, wherever a path leads', async () => {
  const before = { '/repo/cluster.yaml': 'a: 1\n', '/repo/age.key': 'real', '/mnt/nas/old.db': 'old' };
  const files = createMemoryFiles(() => 0, before);
  const over = overlayFiles({ files, root: '/repo', layer: '/repo/.tk/sim/repo', hides: (path) => path === 'age.key' });
  await over.write('/repo/cluster.yaml', 'a: 2\n');
  await over.write('/mnt/nas/new.db', 'new', { mode: 0o600 });
  await over.write('/mnt/nas/old.db', 'newer');
  await over.makeDirectory('/mnt/other');
  await (await over.append('/var/log/tk')).write('a line\n');
  expect([await over.readText('/mnt/nas/new.db'), await over.readText('/mnt/nas/old.db'), await over.readText('/repo/age.key')]).toEqual([
    'new',
    'newer',
    undefined,
  ]);
  expect((await over.list('/mnt/nas')).map(({ name }) => name)).toEqual(['new.db', 'old.db']);
  await over.remove('/mnt/nas/old.db');
  expect((await over.list('/mnt/nas')).map(({ name }) => name)).toEqual(['new.db']);
  // What is real is as it was, and nothing has come to it.
  expect(Object.fromEntries(await Promise.all(Object.keys(before).map(async (path) => [path, await files.readText(path)])))).toEqual(
    before,
  );
  const outside = await Promise.all(
    ['/mnt', '/mnt/nas', '/var', '/repo'].map(async (path) => (await files.list(path)).map(({ name }) => name)),
  );
  expect(outside).toEqual([['nas'], ['old.db'], [], ['.tk', 'age.key', 'cluster.yaml']]);
});
