import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launcher, projectRoot, runProcess, type TemporaryFolder, temporaryFolder } from '../rig/process.ts';

/** A process has to start, and the machine may be busy with something else. */
const patience = 60_000;

let folder: TemporaryFolder;
beforeAll(() => {
  folder = temporaryFolder({
    'template.j2': '#{ name }#\n',
    'data.json': '{"name":"cp-1"}\n',
    'worker.yaml': 'version: v1alpha1\nmachine:\n  type: worker\n',
    'patch.yaml': 'machine:\n  network:\n    hostname: worker-1\n',
    'schematic.yaml': 'customization:\n  systemExtensions:\n    officialExtensions:\n      - siderolabs/i915\n',
  });
  cpSync(join(import.meta.dirname, 'fixtures/talhelper'), folder.path, { recursive: true });
  mkdirSync(join(folder.path, 'plain'));
  writeFileSync(join(folder.path, 'plain/talsecret.sops.yaml'), 'password: hunter2\n');
});
afterAll(() => folder[Symbol.dispose]());

interface Loaded {
  readonly packages: readonly string[];
  readonly layers: readonly string[];
  readonly urls: readonly string[];
}

/** What a run of Node has loaded: npm packages, and layers of ours. */
async function loaded(name: string, words: readonly string[]): Promise<Loaded> {
  const record = join(folder.path, `loaded-${name.replaceAll(/\W+/g, '-')}.txt`);
  const run = await runProcess(process.execPath, ['--import', join(projectRoot, 'test/rig/loaded-modules.js'), ...words], {
    cwd: folder.path,
    env: { TK_LOADED_MODULES: record },
  });
  expect(run.exitCode, run.stderr).toBe(0);
  const urls = readFileSync(record, 'utf8').trimEnd().split('\n');
  const all = (pattern: RegExp) => [...new Set(urls.flatMap((url) => pattern.exec(url)?.[1] ?? []))].sort();
  return {
    urls,
    packages: all(/\/node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*\/node_modules\/)/).filter((name) => name !== 'talos-tk'),
    layers: all(/\/dist\/lib\/([a-z]+)\//),
  };
}

const quick = ['base', 'cli', 'config', 'host'];
const ages = ['@noble/ciphers', '@noble/curves', '@noble/hashes', '@noble/post-quantum', '@scure/base', 'age-encryption'];
const configs = {
  packages: ['ipaddr.js', 'js-yaml', 'semver', 'smol-toml'],
  layers: ['base', 'cli', 'config', 'format', 'host', 'pki', 'talos', 'upstream'],
};

/** All that each may load. Nothing here speaks to a machine, and none may load the wire types, gRPC, Helm's engine or listr2. */
const commands: readonly (readonly [string, { readonly packages: readonly string[]; readonly layers: readonly string[] }])[] = [
  ['--version', { packages: [], layers: quick }],
  ['--list', { packages: [], layers: quick }],
  ['--list --json', { packages: [], layers: quick }],
  ['--help', { packages: [], layers: quick }],
  ['bootstrap --help', { packages: [], layers: quick }],
  ['template:eval --template template.j2 --data data.json --dialect makejinja', { packages: [], layers: [...quick, 'render'] }],
  ['template:eval --template template.j2 --data data.json --dialect minijinja', { packages: [], layers: [...quick, 'render'] }],
  ['machineconfig patch worker.yaml --patch @patch.yaml', configs],
  ['schematic id schematic.yaml', { packages: configs.packages, layers: configs.layers }],
  [
    'sops encrypt plain/talsecret.sops.yaml',
    { packages: [...ages, ...configs.packages, 'yaml'], layers: ['base', 'cli', 'config', 'format', 'host', 'pki', 'secrets'] },
  ],
];

test.for(commands)('tk %s loads what it needs and nothing else', { timeout: patience }, async ([line, expected]) => {
  const { packages, layers } = await loaded(line, [launcher, ...line.split(' ')]);
  expect(packages).toEqual([...expected.packages].sort());
  expect(layers).toEqual([...expected.layers].sort());
});

test(
  'what renders no chart leaves the Helm engine alone',
  async () => {
    const { packages, layers, urls } = await loaded('plan', [launcher, 'bootstrap', '--plan', '--offline']);
    expect(packages).toContain('zod');
    expect(layers).toContain('cluster');
    for (const heavy of ['@grpc/grpc-js', 'nunjucks', 'listr2', 'enquirer', 'zx', '@bomb.sh/tab']) expect(packages).not.toContain(heavy);
    expect(urls.filter((url) => url.includes('.wasm'))).toEqual([]);
    expect(existsSync(join(folder.path, '.tk'))).toBe(false);

    // The record would show it.
    const door = join(projectRoot, 'dist/lib/cli/open-cluster.js');
    const rendering = await loaded('engine', ['--eval', `import(${JSON.stringify(door)}).then(({ helmModule }) => helmModule())`]);
    expect(rendering.urls.filter((url) => url.endsWith('/dist/lib/wasm/helm.wasm.br'))).toHaveLength(1);
  },
  patience,
);
