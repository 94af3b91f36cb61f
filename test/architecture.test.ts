import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, test } from 'vitest';

/** Which layers each layer may import; arrows go down only. `docs/architecture.md` draws the same table. */
const below = { foundation: ['base'], format: ['format', 'upstream', 'pki', 'wasm', 'base'] };
const siblings = ['core', 'config', 'render', 'secrets', 'talos', 'kube'];
const layers: Record<string, readonly string[]> = {
  base: [],
  format: below.foundation,
  upstream: below.foundation,
  pki: below.foundation,
  wasm: below.foundation,
  ...Object.fromEntries(siblings.map((layer) => [layer, below.format])),
  cluster: [...siblings, ...below.format],
  sim: below.format,
  host: ['upstream', 'pki', 'base'],
  ui: [...siblings, 'cluster', 'sim', 'host', ...below.format],
  cli: ['entry', 'tasks', 'ui', 'sim', 'host', 'cluster', ...siblings, ...below.format],
  entry: ['cluster', ...siblings, ...below.format],
  testing: ['entry', 'cli', 'ui', 'sim', 'host', 'cluster', ...siblings, ...below.format],
};

/** Second doors, for what has to start fast: they load no library. */
const lightDoors = new Set(['lib/config/find.ts', 'lib/talos/machine-config.ts', 'lib/upstream/tables.ts']);

/** npm packages that one layer owns. zod is a language and has no adapter. */
const owners: Record<string, string> = {
  yaml: 'format',
  'js-yaml': 'format',
  'smol-toml': 'format',
  semver: 'format',
  'ipaddr.js': 'format',
  '@bufbuild/protobuf': 'upstream',
  '@grpc/grpc-js': 'host',
  nunjucks: 'render',
  'age-encryption': 'secrets',
  listr2: 'ui',
  enquirer: 'ui',
  diff: 'ui',
  'zx/core': 'cli',
  '@bomb.sh/tab': 'cli',
};

const root = join(import.meta.dirname, '..');

const sources = (folder: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));

function layerOf(file: string): string | undefined {
  if (file === 'lib/index.ts') return 'entry';
  if (file === 'lib/testing.ts') return 'testing';
  const [top, folder, rest] = file.split('/');
  if (top === 'tasks') return 'tasks';
  return top === 'lib' && folder && rest && folder in layers ? folder : undefined;
}

type Import = { readonly from: string; readonly specifier: string; readonly isType: boolean };

const importPattern = /^\s*(?:import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/gm;

function importsOf(file: string): Import[] {
  const text = readFileSync(join(root, file), 'utf8');
  return [...text.matchAll(importPattern)].map((match) => ({
    from: file,
    specifier: match[2] ?? match[3] ?? '',
    isType: match[1] !== undefined,
  }));
}

const files = [...sources('lib'), ...sources('tasks')];
const imports = files.flatMap(importsOf);

test('every file belongs to a layer', () => {
  expect(files.filter((file) => layerOf(file) === undefined)).toEqual([]);
});

test('imports go down only', () => {
  const wrong = imports
    .filter(({ specifier }) => specifier.startsWith('.'))
    .flatMap(({ from, specifier }) => {
      const target = relative(root, join(root, dirname(from), specifier));
      const [layer, other] = [layerOf(from), layerOf(target)];
      if (!layer || layer === other) return [];
      if (layer === 'tasks') return [`${from} imports ${specifier}: tasks use the public entry`];
      return other && layers[layer]?.includes(other) ? [] : [`${from} imports ${target}`];
    });
  expect(wrong).toEqual([]);
});

test('another layer is entered through its door', () => {
  const wrong = imports
    .filter(({ specifier }) => specifier.startsWith('.'))
    .flatMap(({ from, specifier }) => {
      const target = relative(root, join(root, dirname(from), specifier));
      const [layer, other] = [layerOf(from), layerOf(target)];
      if (!layer || !other || layer === other || other === 'entry' || other === 'tasks') return [];
      // The composition root has no door; what people test their tasks with composes the same parts over a simulated world.
      if (layer === 'testing' && other === 'cli') return [];
      return target === `lib/${other}/index.ts` || lightDoors.has(target) ? [] : [`${from} imports ${target}`];
    });
  expect(wrong).toEqual([]);
});

test('the engine knows no domain', () => {
  const words = /talos|kubernetes|\bkube|yaml/i;
  expect(sources('lib/core').filter((file) => words.test(readFileSync(join(root, file), 'utf8')))).toEqual([]);
});

test('an npm package is imported by the layer that owns it', () => {
  const wrong = imports.flatMap(({ from, specifier }) => {
    const owner = Object.entries(owners).find(([name]) => specifier === name || specifier.startsWith(`${name}/`));
    return owner && layerOf(from) !== owner[1] ? [`${from} imports ${specifier}`] : [];
  });
  expect(wrong).toEqual([]);
});

test('tasks import the public entry and each other, nothing else', () => {
  const wrong = imports.filter(
    ({ from, specifier }) =>
      layerOf(from) === 'tasks' && !specifier.startsWith('.') && specifier !== 'talos-tk' && !specifier.startsWith('talos-tk/'),
  );
  expect(wrong).toEqual([]);
});
