import { expect, test } from 'vitest';
import { createScratchFiles } from '../../../lib/cli/scratch-files.ts';
import { createMemoryFiles } from '../../../lib/sim/index.ts';

const now = () => 1000;
const open = () => {
  const real = createMemoryFiles(now, { '/home/cluster.yaml': 'a\n', '/home/talos/one.yaml': 'one\n', '/home/talos/two.yaml': 'two\n' });
  const before = real.snapshot();
  const scratch = createScratchFiles(now);
  return { real, files: scratch.over(real), again: scratch.over(real), untouched: () => expect(real.snapshot()).toEqual(before) };
};
const namesIn = async (files: ReturnType<typeof open>['files'], path: string) =>
  (await files.list(path)).map(({ name, kind }) => `${kind} ${name}`);

test('what is written is seen through every view of the layer, and nowhere else', async () => {
  const { files, again, untouched } = open();
  await files.write('/home/kubernetes/apps/flux/ks.yaml', 'flux\n', { mode: 0o600 });
  await files.write('/home/cluster.yaml', 'b\n');
  const log = await files.append('/home/talos/one.yaml');
  await log.write('more\n', { sync: true });
  await log.close();

  expect(await again.readText('/home/cluster.yaml')).toBe('b\n');
  expect(await again.readText('/home/talos/one.yaml')).toBe('one\nmore\n');
  expect(await again.stat('/home/kubernetes/apps')).toMatchObject({ kind: 'directory' });
  expect(await again.stat('/home/kubernetes/apps/flux/ks.yaml')).toMatchObject({ kind: 'file', sizeBytes: 5, mode: 0o600 });
  expect(await again.realPath('/home/kubernetes/apps/flux')).toBe('/home/kubernetes/apps/flux');
  expect(await namesIn(again, '/home')).toEqual(['file cluster.yaml', 'directory kubernetes', 'directory talos']);
  untouched();
});

test('what is removed is gone, with everything below it, until it is written again', async () => {
  const { files, untouched } = open();
  await files.remove('/home/talos/one.yaml');
  expect(await files.readText('/home/talos/one.yaml')).toBeUndefined();
  expect(await namesIn(files, '/home/talos')).toEqual(['file two.yaml']);

  await files.removeTree('/home/talos');
  expect(await files.stat('/home/talos')).toBeUndefined();
  expect(await files.realPath('/home/talos/two.yaml')).toBeUndefined();
  expect(await namesIn(files, '/home')).toEqual(['file cluster.yaml']);

  await files.write('/home/talos/two.yaml', 'new\n');
  expect(await namesIn(files, '/home/talos')).toEqual(['file two.yaml']);
  expect(await files.readText('/home/talos/one.yaml')).toBeUndefined();
  untouched();
});

test('a lock of the layer is held against the layer', async () => {
  const { files, again, real } = open();
  const lock = await files.lock('/home/.tk/lock', 'first');
  expect(await again.lock('/home/.tk/lock', 'second')).toEqual({ heldBy: 'first' });
  if ('heldBy' in lock) throw new Error('it was free');
  await lock.release();
  expect(await again.lock('/home/.tk/lock', 'second')).not.toHaveProperty('heldBy');
  expect(await real.stat('/home/.tk')).toBeUndefined();
});
