// Joins lib/, tasks/ and the packages that they use to few files: a command loads in the time of its files, not of its bytes.
// What is imported with `import()` stays a file of its own, so that a command still loads only what it needs.
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { rolldown } from 'rolldown';
import { asciiOnly } from './ascii.js';
import { lazyDescriptors } from './descriptors.js';
import { lateChunks } from './late-chunks.js';
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
 * What is loaded together is one file: for each file its modules, or folders of modules, below `lib/`, and npm packages. The first row
 * that a module stands in has it; what stands in none is divided as `import()` says.
 */
const together = {
  start: `base/ cli/main cli/argv cli/signals cli/failures cli/run-command cli/version cli/commands/index cli/commands/inputs
    cli/commands/talos-commands cli/commands/chart-commands cli/commands/completion-commands cli/commands/init-commands
    cli/commands/secret-commands cli/commands/sim-commands cli/commands/template-commands cli/commands/upgrade-commands
    cli/tasks/built-in cli/tasks/known cli/tasks/manifest cli/tasks/place cli/tasks/user config/failures config/find
    host/clock host/failures host/files host/held-calls host/many host/output host/random host/terminal host/to-disk host/world`,
  toml: 'format/toml npm:smol-toml',
  edit: `format/edit format/edit-text format/go-block-scalar format/go-formatted format/stringify format/tar format/yaml-document
    format/yaml-tree format/yaml-tree-emit format/yaml-value`,
  semver: 'format/semantic-version npm:semver',
  format: 'format/ npm:ipaddr.js npm:js-yaml',
  pki: 'pki/',
  secrets: `secrets/bech32 secrets/failures secrets/age secrets/by-rule secrets/detect secrets/key-ring secrets/rfc3339 secrets/rules
    secrets/sops/ secrets/store secrets/synthesize`,
  configs: `cli/commands/machineconfig upstream/conflicts upstream/contracts upstream/machine-config-schema upstream/newest
    talos/config/clashes talos/config/decode talos/config/device-rules talos/config/document talos/config/encode talos/config/failures
    talos/config/go-yaml talos/config/json-patch talos/config/key-order talos/config/merge talos/config/merge-keys talos/config/minor
    talos/config/moved-fields talos/config/patch talos/config/patch-delete talos/config/read-documents talos/config/rules/
    talos/config/scalars talos/config/validate talos/config/value`,
  generate: 'talos/config/ upstream/talconfig-schema',
  extensions: 'upstream/extensions upstream/schema/extensions.gen',
  zod: `npm:zod/v4/core/api npm:zod/v4/core/checks npm:zod/v4/core/core npm:zod/v4/core/doc npm:zod/v4/core/errors npm:zod/v4/core/memoizer
    npm:zod/v4/core/parse npm:zod/v4/core/regexes npm:zod/v4/core/registries npm:zod/v4/core/schemas npm:zod/v4/core/util
    npm:zod/v4/core/versions npm:zod/v4/classic/checks npm:zod/v4/classic/errors npm:zod/v4/classic/parse npm:zod/v4/classic/schemas
    npm:zod/v4/locales/en`,
  'zod-all': 'npm:zod',
  words: 'ui/failures/ ui/failure-text ui/seen-words cli/print-failures',
  task: `core/ ui/create-renderer ui/index ui/plain-lines ui/plain-renderer ui/run-view ui/sandbox-hints ui/style ui/summary
    ui/width ui/prompter ui/failure-list host/lock cli/answers cli/failure-classes cli/load-model cli/open-cluster
    cli/open-repository cli/run-task cli/settings cli/shell cli/tasks/load cli/vault config/clustertool config/index
    config/inline-patch config/load-talconfig config/paths config/read-mapping config/talconfig config/talconfig-checks
    config/talconfig-env-file config/talconfig-environment config/talconfig-envsubst config/talconfig-failures
    config/talconfig-model config/talconfig-read config/versions cluster/configuration cluster/connections cluster/credentials
    cluster/environment cluster/failures cluster/generator-input cluster/git-ignore cluster/index cluster/kube-access
    cluster/last-looks cluster/machine-configs cluster/makejinja cluster/open cluster/open-cluster cluster/plain-secrets
    cluster/releases cluster/rendered-record cluster/secrets-bundle cluster/talconfig-images cluster/talconfig-origin
    cluster/transient cluster/view cluster/ways secrets/vault wasm/compiled-module wasm/failures wasm/helm wasm/helm-errors
    wasm/index`,
  inputs: `config/check-together config/checks config/cluster-model config/disagreement config/issues config/known-hosts config/kube-prism
    config/load config/node-entry config/schema config/secret-inputs config/template-data`,
  wire: 'upstream/api/ talos/client/ talos/etcd-snapshot cli/build/ npm:@bufbuild/protobuf',
  charts: 'kube/charts/',
  kube: 'kube/',
  settings: 'cluster/settings',
  cluster: 'cluster/',
};
const rows = Object.entries(together).map(([file, modules]) => [
  file,
  modules.split(/\s+/).map((module) => (module.startsWith('npm:') ? module.slice(4) : `lib/${module}`)),
]);

/** The file that a module lies in, by its path below the project or from the name of its package on, without ending. */
function fileOf(path) {
  // One minor of Talos of all is asked for.
  const [, minor] = /^lib\/upstream\/schema\/(1\.\d+)\.gen$/.exec(path) ?? [];
  if (minor !== undefined) return `schema-${minor}`;
  return rows.find(([, modules]) =>
    modules.some((module) => path === module || path.startsWith(module.endsWith('/') ? module : `${module}/`)),
  )?.[0];
}

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
    preserveEntrySignatures: 'allow-extension',
    input: Object.fromEntries(sources.map((path) => [path.replace(/\.ts$/, ''), join(root, path)])),
    resolve: { conditionNames: ['talos-tk-source', 'node', 'import'] },
    // No module of ours does anything when it is imported, and none of those that we use does.
    treeshake: { moduleSideEffects: false },
    // That a module is imported in both ways is meant: the files above say where it lies.
    checks: { ineffectiveDynamicImport: false },
    plugins: [placesOfSources(root, loadedLate), lazyDescriptors(root), lateChunks, asciiOnly],
  };
  const late = { ...common, input: Object.fromEntries(loadedLate.map((name) => [name, name])) };
  const scripts = join(output, 'scripts');
  const names = new Map();
  ours.plugins.push({
    name: 'names-of-doors',
    moduleParsed: ({ id, isEntry, exports }) => void (isEntry && names.set(id, exports.toSorted())),
  });
  const written = await Promise.all([
    write(ours, {
      ...script,
      dir: scripts,
      exports: 'named',
      codeSplitting: {
        includeDependenciesRecursively: false,
        groups: [{ debugName: 'together', name: (id) => fileOf(within(root, id)) ?? null }],
      },
    }),
    write(late, { ...script, dir: join(scripts, 'packages') }),
  ]);
  writeLoader(output, written.flat(), names);
  const packages = written
    .flat()
    .flatMap(({ moduleIds = [] }) => moduleIds.flatMap((id) => /^.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+/.exec(id)?.[0] ?? []));
  return [...new Set(packages)].sort();
}

/** The path of a module as `fileOf` wants it. */
function within(root, id) {
  const path = id.replaceAll('\\', '/');
  const inPackage = path.lastIndexOf('/node_modules/');
  return (inPackage >= 0 ? path.slice(inPackage + '/node_modules/'.length) : relative(root, id).replaceAll('\\', '/')).replace(
    /\.[cm]?[jt]s$/,
    '',
  );
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
function writeLoader(output, files, names) {
  const digest = createHash('sha256');
  for (const { fileName, code } of files) {
    // What the engine would import itself it would look for beside the script.
    if (/\bimport\(/.test(code)) throw new Error(`${fileName} imports a module by itself`);
    digest.update(fileName).update(code);
  }
  const loader = readFileSync(join(import.meta.dirname, 'load.js'), 'utf8');
  writeFileSync(join(output, 'load.js'), loader.replace("'BUILD'", `'${digest.digest('hex')}'`));
  for (const { name, fileName, isEntry, facadeModuleId } of files) {
    if (!isEntry || !facadeModuleId.endsWith('.ts')) continue;
    const exports = names.get(facadeModuleId);
    const door = join(output, `${name}.js`);
    const loaded = `load(${JSON.stringify(fileName)})`;
    const named = exports.filter((found) => found !== 'default');
    const lines = [
      `import { load } from '${relative(dirname(door), join(output, 'load.js'))
        .replaceAll('\\', '/')
        .replace(/^(?!\.)/, './')}';`,
    ];
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
