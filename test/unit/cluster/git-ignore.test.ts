import { expect, test } from 'vitest';
import { ensureAllIgnored } from '../../../lib/cluster/git-ignore.ts';
import { createMemoryFiles } from '../../../lib/sim/index.ts';

test('many files are ignored with one line each, those that git ignores already with none', async () => {
  const files = createMemoryFiles(() => 0, {
    '/repo/.gitignore': '*.key\n',
    '/repo/out/.gitignore': '/a.yaml\n!b.yaml',
  });
  const paths = ['/repo/out/a.yaml', '/repo/out/b.yaml', '/repo/out/c.key', '/repo/other/d.yaml', '/elsewhere/e.yaml'];
  await ensureAllIgnored(files, '/repo', paths);
  expect(await files.readText('/repo/out/.gitignore')).toBe('/a.yaml\n!b.yaml\n/b.yaml\n');
  expect(await files.readText('/repo/other/.gitignore')).toBe('/d.yaml\n');
  expect(await files.readText('/elsewhere/.gitignore')).toBeUndefined();
  await ensureAllIgnored(files, '/repo', paths);
  expect(await files.readText('/repo/out/.gitignore')).toBe('/a.yaml\n!b.yaml\n/b.yaml\n');
});
