import { appendFileSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
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
async function loaded(name: string, words: readonly string[], directory = folder.path): Promise<Loaded> {
  const record = join(folder.path, `loaded-${name.replaceAll(/\W+/g, '-')}.txt`);
  const run = await runProcess(process.execPath, ['--import', join(projectRoot, 'test/rig/loaded-modules.js'), ...words], {
    cwd: directory,
    env: { TK_LOADED_MODULES: record },
  });
  expect(run.exitCode, run.stderr).toBe(0);
  const urls = [...new Set(readFileSync(record, 'utf8').trimEnd().split('\n'))];
  const modules = urls.flatMap(modulesOf);
  const all = (pattern: RegExp) => [...new Set(modules.flatMap((path) => pattern.exec(path)?.[1] ?? []))].sort();
  return {
    urls,
    packages: all(/(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*\/node_modules\/)/).filter((found) => found !== 'talos-tk'),
    layers: all(/^lib\/([a-z]+)\//),
  };
}

/** A file of the build names each module that is in it, on a line of its own. Any other file is a module itself. */
function modulesOf(url: string): readonly string[] {
  const path = url.startsWith('file:') ? fileURLToPath(url) : url;
  if (!/\/dist\/.*\.[cm]?js$/.test(path) || path.includes('/node_modules/')) return [path];
  const modules = [...readFileSync(path, 'utf8').matchAll(/^\/\/ (\S+\.(?:[cm]?[jt]s|json))$/gm)].map(([, module]) => String(module));
  // Files that only pass on what others hold have no module of their own.
  expect(modules.length > 0 || /^(?:import|exports?)\b/m.test(readFileSync(path, 'utf8')), path).toBe(true);
  return modules;
}

const quick = ['base', 'cli', 'config', 'host'];
const ages = ['@noble/ciphers', '@noble/curves', '@noble/hashes', '@noble/post-quantum', '@scure/base', 'age-encryption'];
const configs = {
  packages: ['ipaddr.js', 'js-yaml'],
  layers: ['base', 'cli', 'config', 'format', 'host', 'talos', 'upstream'],
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
  ['schematic id schematic.yaml', { packages: configs.packages, layers: [...configs.layers, 'pki'] }],
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
  'a task that speaks to nobody loads these files of the build: a module that stands in no row of them brings another',
  async () => {
    const { urls } = await loaded('files', [launcher, 'talos:image-url', 'installer']);
    const files = urls.flatMap((url) => /\/dist\/scripts\/chunks\/(.+)\.cjs$/.exec(url)?.[1] ?? []);
    expect(files.sort()).toEqual(['configs', 'format', 'generate', 'image-url', 'pki', 'rolldown-runtime', 'schema-1.14', 'task', 'zod']);
  },
  patience,
);

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
    const templated = join(folder.path, 'templated');
    const template = '{{ .RegistryURL | upper | lower }}/{{ .ID }}:{{ .Version }}';
    cpSync(join(import.meta.dirname, 'fixtures/talhelper'), templated, { recursive: true });
    appendFileSync(join(templated, 'talconfig.yaml'), `imageFactory:\n  installerURLTmpl: "${template}"\n`);
    const rendering = await loaded('engine', [launcher, 'talos:image-url', 'installer'], templated);
    expect(rendering.urls.filter((url) => url.endsWith('/dist/lib/wasm/helm.wasm.br'))).toHaveLength(1);
  },
  patience,
);

test(
  'what was compiled is kept for the next run, which does the same with it, and without what is broken or not allowed',
  async () => {
    const directory = join(folder.path, 'compiled');
    const kept = () =>
      existsSync(directory) ? readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.tk')) : [];
    const patch = async (env: Record<string, string>) => {
      const words = ['machineconfig', 'patch', 'worker.yaml', '--patch', '@patch.yaml'];
      const { exitCode, stdout, stderr } = await runProcess(process.execPath, [launcher, ...words], {
        cwd: folder.path,
        env: { NODE_COMPILE_CACHE: directory, ...env },
      });
      return { exitCode, stdout, stderr };
    };
    const plain = await patch({ NODE_DISABLE_COMPILE_CACHE: '1' });
    expect(plain).toMatchObject({ exitCode: 0, stderr: '' });
    expect(kept()).toEqual([]);

    expect(await patch({})).toEqual(plain);
    const [name, ...others] = kept();
    expect(others).toEqual([]);
    const file = join(directory, String(name));
    const size = () => readFileSync(file).length;
    const first = size();
    expect(await patch({})).toEqual(plain);

    for (const broken of [readFileSync(file).subarray(0, first >> 1), Buffer.alloc(first), Buffer.from('not ours')]) {
      writeFileSync(file, broken);
      expect(await patch({})).toEqual(plain);
      expect(Math.abs(size() - first)).toBeLessThan(first / 10);
    }

    // What nobody reads any more goes when something new is written: of another build here, of a place that is gone, of a killed run.
    const folderOfCode = dirname(file);
    const bytes = readFileSync(file);
    const length = 8 + bytes.readUInt32LE(0);
    const head = bytes.subarray(8, length).toString('latin1');
    const copy = (as: string, text: string) =>
      writeFileSync(join(folderOfCode, as), Buffer.concat([bytes.subarray(0, 8), Buffer.from(text, 'latin1'), bytes.subarray(length)]));
    copy('earlier.tk', head.replace(/"build":"..../, '"build":"0000'));
    copy('gone.tk', head.replace(/"root":"\/.../, '"root":"/no/'));
    copy('same.tk', head);
    writeFileSync(`${file}.4711`, 'half');
    utimesSync(`${file}.4711`, 1, 1);
    writeFileSync(`${file}.4712`, 'half');
    writeFileSync(file, 'not ours');
    expect(await patch({})).toEqual(plain);
    expect(readdirSync(folderOfCode).sort()).toEqual([basename(file), `${basename(file)}.4712`, 'same.tk'].sort());
  },
  patience,
);

test(
  'each script of the build can be the first that is loaded: whatever it needs for that does not need it',
  async () => {
    const script = `
      const { readdirSync } = process.getBuiltinModule('fs');
      const scripts = readdirSync('scripts/chunks').filter((name) => name.endsWith('.cjs'));
      for (const name of scripts) (await import(\`./load.js?\${name}\`)).load(\`chunks/\${name}\`);
      console.log(scripts.length > 20);
    `;
    const run = await runProcess(process.execPath, ['--input-type=module', '--eval', script], { cwd: join(projectRoot, 'dist'), env: {} });
    expect(run).toMatchObject({ exitCode: 0, stdout: 'true\n', stderr: '' });
  },
  patience,
);
