// Joins lib/, tasks/ and the packages that they use to few files: a command loads in the time of its files, not of its bytes.
// What is imported with `import()` stays a file of its own, so that a command still loads only what it needs.
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { rolldown } from 'rolldown';
import { asciiOnly } from './ascii.js';
import { lazyDescriptors } from './descriptors.js';
import { placesOfSources } from './places.js';

/** What is started by its path: by the launcher, by other packages, as a worker, or as the work of one. */
const doors = [
  'lib/cli/main.ts',
  'lib/cli/tasks/write-manifest.ts',
  'lib/host/compute-worker.ts',
  'lib/index.ts',
  'lib/testing.ts',
  'lib/wasm/helm-job.ts',
];

/** Packages that are loaded in the middle of a synchronous function, by `require`: each is a file of its own. */
const loadedLate = ['semver', 'yaml'];

/**
 * What is loaded together is one file: for each file the modules, or the folders of modules, that it begins with, and everything that
 * these import and that is not in a file further up. All else is divided as `import()` says.
 */
const together = {
  start: ['cli/main', 'cli/commands/inputs', 'cli/run-command', 'cli/tasks/user', 'cli/version'],
  format: ['format/'],
  pki: ['pki/'],
  secrets: ['secrets/'],
  configs: ['cli/commands/machineconfig'],
  generate: ['talos/config/'],
  words: ['ui/failures/', 'ui/failure-text', 'cli/print-failures'],
  task: [
    'cli/load-model',
    'cli/open-cluster',
    'cli/open-repository',
    'cli/run-task',
    'cli/settings',
    'cli/shell',
    'cli/tasks/load',
    'cluster/open',
    'config/',
    'core/',
    'ui/create-renderer',
    'ui/plain-renderer',
  ],
};
const groups = Object.entries(together).map(([name, roots], index, { length }) => ({
  name,
  priority: length - index,
  test: new RegExp(`/lib/(?:${roots.map((root) => (root.endsWith('/') ? root : `${root}\\.ts$`)).join('|')})`.replaceAll('/', '[\\\\/]')),
}));

/**
 * Writes the JavaScript of the package below `output`. Entries keep their path; what they share lies in `chunks/`.
 *
 * Returns the names of the npm packages that were taken in, sorted, as folders below node_modules.
 */
export async function bundle(root, output) {
  const tasks = readdirSync(join(root, 'tasks'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).replaceAll('\\', '/'));
  const sources = [...doors, ...tasks].sort();
  const common = { cwd: root, platform: 'node', transform: { target: 'es2023' } };
  const ours = {
    ...common,
    input: Object.fromEntries(sources.map((path) => [path.replace(/\.ts$/, ''), join(root, path)])),
    resolve: { conditionNames: ['talos-tk-source', 'node', 'import'] },
    // No module of ours does anything when it is imported, and none of those that we use does.
    treeshake: { moduleSideEffects: false },
    // That a module is imported in both ways is meant: the files above say where it lies.
    checks: { ineffectiveDynamicImport: false },
    plugins: [placesOfSources(root, loadedLate), lazyDescriptors(root), asciiOnly],
  };
  const late = { ...common, input: Object.fromEntries(loadedLate.map((name) => [name, name])) };
  const scripts = join(output, 'scripts');
  const written = await Promise.all([
    write(ours, { ...script, dir: scripts, exports: 'named', codeSplitting: { groups } }),
    write(late, { ...script, dir: join(scripts, 'packages') }),
  ]);
  writeLoader(output, written.flat());
  const packages = written.flat().flatMap(({ moduleIds = [] }) => moduleIds.flatMap((id) => /^.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+/.exec(id)?.[0] ?? []));
  return [...new Set(packages)].sort();
}

/** What load.js runs: a function of what it gives to each script. */
const script = {
  format: 'cjs',
  entryFileNames: '[name].cjs',
  chunkFileNames: 'chunks/[name].cjs',
  postBanner: '(function (exports, require, module, __load__, __import__, __urlOf__, __folderOf__) {',
  postFooter: '})',
};

/** `load.js`, and a module for each door, in its place, that exports what the door's script does. */
function writeLoader(output, files) {
  const digest = createHash('sha256');
  for (const { fileName, code } of files) {
    // What the engine would import itself it would look for beside the script.
    if (/\bimport\(/.test(code)) throw new Error(`${fileName} imports a module by itself`);
    digest.update(fileName).update(code);
  }
  const loader = readFileSync(join(import.meta.dirname, 'load.js'), 'utf8');
  writeFileSync(join(output, 'load.js'), loader.replace("'BUILD'", `'${digest.digest('hex')}'`));
  for (const { name, fileName, isEntry, exports, facadeModuleId } of files) {
    if (!isEntry || !facadeModuleId.endsWith('.ts')) continue;
    const door = join(output, `${name}.js`);
    const loaded = `load(${JSON.stringify(fileName)})`;
    const named = exports.filter((found) => found !== 'default');
    const lines = [`import { load } from '${relative(dirname(door), join(output, 'load.js')).replaceAll('\\', '/').replace(/^(?!\.)/, './')}';`];
    if (named.length > 0) lines.push(`export const { ${named.join(', ')} } = ${loaded};`);
    if (exports.includes('default')) lines.push(`export default ${loaded}.default;`);
    if (exports.length === 0) lines.push(`${loaded};`);
    mkdirSync(dirname(door), { recursive: true });
    writeFileSync(door, `${lines.join('\n')}\n`);
  }
}

async function write(input, output) {
  const build = await rolldown(input);
  try {
    // Each module begins with a line that names it, which is all that a reader of a stack trace needs.
    return (await build.write({ ...output, comments: false })).output;
  } finally {
    await build.close();
  }
}
