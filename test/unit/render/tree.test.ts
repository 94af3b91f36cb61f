import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { TkError } from '../../../lib/base/index.ts';
import { type ApplyOptions, applyTree, type PlannedFile, planTree, renderTree } from '../../../lib/render/index.ts';
import { memoryTree } from './memory-tree.ts';

const golden = new URL('../../golden/jinja/tree/', import.meta.url).pathname;

function goldenFiles(folder: string): Record<string, string> {
  const root = join(golden, folder);
  const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    files.map((entry) => [
      join(entry.parentPath, entry.name).slice(root.length + 1),
      readFileSync(join(entry.parentPath, entry.name), 'utf8'),
    ]),
  );
}

const under = (folder: string, files: Record<string, string>) =>
  Object.fromEntries(Object.entries(files).map(([path, text]) => [`${folder}/${path}`, text]));

test('a tree renders as makejinja 2.8.1 rendered it: order of inputs, suffixes, partials, empty files, copies', async () => {
  const { files } = memoryTree({ ...under('/in/config', goldenFiles('config')), ...under('/in/overrides', goldenFiles('overrides')) });
  const tree = await renderTree({
    files,
    inputs: ['/in/overrides', '/in/config'],
    data: JSON.parse(readFileSync(join(golden, 'data.json'), 'utf8')) as Record<string, string>,
    engine: { dialect: 'makejinja' },
    exclude: ['*.partial.yaml.j2'],
  });
  if (tree.state === 'failed') throw new TkError(...tree.failures);
  const rendered = tree.outputs.map(({ path, content }) => [
    path,
    typeof content === 'string' ? content : new TextDecoder().decode(content),
  ]);
  expect(Object.fromEntries(rendered)).toEqual(goldenFiles('rendered'));
});

test('every broken template of a tree is reported, with its place', async () => {
  const { files } = memoryTree({
    '/in/a.j2': 'ok\n#{ nope.deeper }#\n',
    '/in/b.j2': '#% if %#',
    '/in/c.j2': '#{ 1 | uper }##{ 2 | nofilter }#',
    '/in/d.j2': 'fine',
  });
  const tree = await renderTree({ files, inputs: ['/in'], data: {}, engine: { dialect: 'makejinja', undefined: 'strict' } });
  const seen =
    tree.state === 'failed'
      ? tree.failures.map(({ code, facts, where }) => [
          code,
          facts,
          where?.kind === 'file' && `${where.path}:${where.line}:${where.column}`,
        ])
      : [];
  expect(seen).toEqual([
    ['render/undefined', { template: '/in/a.j2', detail: "'nope' is undefined" }, '/in/a.j2:2:4'],
    ['render/syntax', { template: '/in/b.j2', detail: "Expected an expression, got 'end of statement block'" }, '/in/b.j2:1:7'],
    ['render/unknown-filter', { template: '/in/c.j2', name: 'uper', suggestion: 'upper' }, '/in/c.j2:1:8'],
    ['render/unknown-filter', { template: '/in/c.j2', name: 'nofilter' }, '/in/c.j2:1:22'],
  ]);
});

test('a link that leads out of an input is refused', async () => {
  const { files } = memoryTree({ '/in/a.j2': 'x', '/etc/shadow': 'secret' }, { '/in/b': '/etc/shadow' });
  const tree = await renderTree({ files, inputs: ['/in'], data: {}, engine: { dialect: 'makejinja' } });
  expect(tree.state === 'failed' && tree.failures.map(({ code, facts }) => [code, facts])).toEqual([
    ['render/outside', { path: '/in/b', output: '/in' }],
  ]);
});

const planned = (files: Record<string, string>): PlannedFile[] =>
  Object.entries(files).map(([path, content]) => ({ path, content, mode: 0o644, source: `/in/${path}` }));

async function failuresOf(options: ApplyOptions) {
  try {
    await planTree(options);
  } catch (error) {
    if (error instanceof TkError) return error.failures.map(({ code, facts }) => [code, facts]);
    throw error;
  }
  return [];
}

const head = '# Files that tk rendered. Anything that is not listed here is never changed or deleted by it.\n';

test('writing touches what changed, removes what we no longer render, and nothing else; a second time it does nothing', async () => {
  const tree = memoryTree({
    '/r/.rendered': `${head}a\ngone/b\nkept\n`,
    '/r/a': 'old',
    '/r/gone/b': 'x',
    '/r/kept': 'same',
    '/r/theirs': 'mine',
  });
  const options = { files: tree.files, root: '/r', manifest: '/r/.rendered', outputs: planned({ a: 'new', kept: 'same', 'sub/c': 'c' }) };
  const changes = await planTree(options);
  expect({ written: changes.written.map(({ path }) => path), unchanged: changes.unchanged, removed: changes.removed }).toEqual({
    written: ['a', 'sub/c'],
    unchanged: ['kept'],
    removed: ['gone/b'],
  });
  expect(tree.writes).toEqual([]);
  await applyTree(options, changes);
  expect(tree.texts()).toEqual({
    '/r/.rendered': `${head}a\nkept\nsub/c\n`,
    '/r/a': 'new',
    '/r/kept': 'same',
    '/r/sub/c': 'c',
    '/r/theirs': 'mine',
  });
  const before = tree.writes.length;
  const again = await planTree(options);
  await applyTree(options, again);
  expect([again.written, again.removed, tree.writes.length - before]).toEqual([[], [], 0]);
});

test('a different file that nobody rendered is not overwritten', async () => {
  const tree = memoryTree({ '/r/a': 'by hand', '/r/b': 'same' });
  const options = { files: tree.files, root: '/r', manifest: '/r/.rendered', outputs: planned({ a: 'rendered', b: 'same' }) };
  expect(await failuresOf(options)).toEqual([['render/not-ours', { path: 'a' }]]);
  expect((await planTree({ ...options, strangers: 'overwrite' })).written.map(({ path }) => path)).toEqual(['a']);
});

test('outputs stay inside the folder, whatever a template tree or a link says', async () => {
  const tree = memoryTree({ '/r/x': '', '/outside/y': '' }, { '/r/link': '/outside', '/r/file': '/outside/y' });
  const outputs = planned({ '../a': '', '/etc/b': '', 'link/c': '', file: 'z', '.git/hooks/d': '', 'ok/e': '' });
  expect(await failuresOf({ files: tree.files, root: '/r', manifest: '/r/.rendered', outputs })).toEqual(
    ['../a', '/etc/b', 'link/c', 'file', '.git/hooks/d'].map((path) => ['render/outside', { path, output: '/r' }]),
  );
});

test('a list of ours that names files outside removes none of them', async () => {
  const tree = memoryTree({
    '/r/.rendered': '../outside\n/etc/passwd\n.git/config\n',
    '/outside': 'x',
    '/etc/passwd': 'x',
    '/r/.git/config': 'x',
  });
  expect((await planTree({ files: tree.files, root: '/r', manifest: '/r/.rendered', outputs: [] })).removed).toEqual([]);
});
