import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Plan } from '../../lib/core/index.ts';
import { type ForeignFolder, foreignFolder } from '../rig/packed.ts';
import { projectRoot, type RunOptions, runProcess, runTk } from '../rig/process.ts';
import { canariesBelow, findCanaries, outputsBelow } from '../rig/canary.ts';
import { bytesOf, repositoryIn } from '../rig/repository.ts';
import { etcdClusters } from '../rig/sandbox-disk.ts';

/** A process has to start, and the machine may be busy with something else. */
const patience = 120_000;

let foreign: ForeignFolder;
beforeAll(() => {
  foreign = foreignFolder();
}, patience);
afterAll(() => foreign[Symbol.dispose]());

const tk = (cwd: string, args: readonly string[], options: Omit<RunOptions, 'cwd'> = {}) =>
  runTk(args, { cwd, launcher: foreign.launcher, ...options });

const talhelper = (name: string) =>
  repositoryIn(foreign.path, name, { from: join(import.meta.dirname, 'fixtures/talhelper'), copies: ['.'] });

test('the package holds what it needs, and no test', () => {
  const { shipped } = foreign;
  for (const needed of [
    'dist/THIRD-PARTY-LICENSES',
    'dist/load.js',
    'dist/scripts/lib/cli/main.cjs',
    'dist/lib/index.d.ts',
    'dist/lib/testing.js',
    'dist/lib/wasm/helm.wasm.br',
    'dist/lib/wasm/helm.wasm.json',
    'dist/lib/wasm/helm.wasm.licenses.txt',
    'dist/tasks/bootstrap.js',
    'dist/tasks/manifest.json',
    'lib/cli/tk.js',
    'templates/repository/cluster.yaml.j2',
  ])
    expect(shipped).toContain(needed);
  expect(
    shipped.filter(
      (path) =>
        !/^(?:dist\/(?:lib|scripts|tasks)|templates|docs)\/|^[^/]+$|^lib\/cli\/tk\.js$|^dist\/(?:THIRD-PARTY-LICENSES|load\.js)$/.test(
          path,
        ),
    ),
  ).toEqual([]);
  expect(shipped.filter((path) => /(?:\.test\.|(?<!\.d)\.ts$|\.sops\.)/.test(path) && !path.startsWith('templates/'))).toEqual([]);
});

test(
  'two YAML files become a healthy cluster under Flux, with the templates that come with tk; the second run has nothing to do',
  async () => {
    const root = repositoryIn(foreign.path, 'fresh', {
      from: projectRoot,
      copies: ['cluster.yaml', 'nodes.yaml'],
      files: {
        'tasks.config.ts': "import { defineConfig } from 'talos-tk';\n\nexport default defineConfig({});\n",
        'tasks/count-nodes.ts': [
          "import { defineTask } from 'talos-tk';",
          '',
          'export default defineTask({',
          "  summary: 'Count the nodes that Kubernetes knows',",
          "  effect: 'read',",
          '  plan: () => [],',
          '  async run({ cluster, detail, signal }) {',
          '    const kube = await cluster.kubernetes.reader();',
          "    const { items } = await kube.list({ apiVersion: 'v1', kind: 'Node' }, {}, signal);",
          '    detail(`${items.length} of ${cluster.nodes.length}`);',
          '  },',
          '});',
          '',
        ].join('\n'),
      },
    });
    const before = bytesOf(root);

    const first = await tk(root, ['bootstrap', '--sim']);
    expect(first).toMatchObject({ exitCode: 0, stdout: '' });
    expect(first.stderr).toMatch(/^ Healthy: 6 nodes Ready, etcd 3 of 3, Flux reconciled main@[0-9a-f]{7}$/m);
    expect(first.stderr).not.toMatch(/error\[|defect|no kubernetes\/ tree/);

    const second = await tk(root, ['bootstrap', '--sim']);
    expect(second).toMatchObject({ exitCode: 0, stdout: '' });
    expect(second.stderr).toMatch(
      /^ Healthy: 6 nodes Ready, etcd 3 of 3, Flux reconciled main@[0-9a-f]{7}\. Nothing to do: \d+ steps checked, 0 changes\.$/m,
    );

    const own = await tk(root, ['count-nodes', '--sim']);
    expect(own.exitCode).toBe(0);
    expect(own.stderr).toContain('✔ count-nodes: 6 of 6');
    expect((await tk(root, ['--list'])).stdout).toContain('Count the nodes that Kubernetes knows');

    const equal = await tk(root, ['charts:diff', '--sim']);
    expect({ exitCode: equal.exitCode, releases: equal.stdout.match(/^\S+ \S+: equal to revision 2$/gm)?.length }).toEqual({
      exitCode: 0,
      releases: 6,
    });
    const release = join(root, '.tk/sim/repo/files/kubernetes/apps/kube-system/cilium/app/helmrelease.yaml');
    writeFileSync(release, readFileSync(release, 'utf8').replace('replicas: 2', 'replicas: 3'));
    const differs = await tk(root, ['charts:diff', 'cilium', '--sim']);
    expect(differs).toMatchObject({
      exitCode: 6,
      stdout: expect.stringMatching(
        /^kube-system\/cilium \S+: revision 2, 1 object would change\n {2}~ deployment kube-system\/cilium-operator\n {6}spec\.replicas: 2 → 3\n$/,
      ),
    });

    expect(etcdClusters(root)).toEqual(['c1']);
    expect(bytesOf(root)).toEqual(before);

    // No key of the sandbox stands in anything that was printed or journaled.
    const canaries = canariesBelow(join(root, '.tk/sim/repo/files'));
    expect(canaries.length).toBeGreaterThan(20);
    const printed = [first, second, own, equal, differs].map(({ stdout, stderr }, index) => ({
      where: `run ${index + 1}`,
      bytes: Buffer.from(stdout + stderr),
    }));
    expect(findCanaries(canaries, [...printed, ...outputsBelow(join(root, '.tk/sim/runs'))])).toEqual([]);
  },
  patience,
);

test(
  'an untouched talhelper repository, whose secrets nobody here can open, is bootstrapped and not changed',
  async () => {
    const root = talhelper('talhelper');
    const before = bytesOf(root);
    expect(Object.keys(before)).toEqual([
      '.sops.yaml',
      'patches/controller/etcd.yaml',
      'patches/sysctls.yaml',
      'talconfig.yaml',
      'talenv.yaml',
      'talsecret.sops.yaml',
    ]);

    const run = await tk(root, ['bootstrap', '--sim']);
    expect(run).toMatchObject({ exitCode: 0, stdout: '' });
    expect(run.stderr).toMatch(/^tk \S+ · hut · sandbox: 2 simulated nodes, Talos v1\.13\.9, Kubernetes v1\.36\.0\n/);
    for (const leftOut of [
      '– configure: nothing to render in this repository',
      '– bootstrap:cilium: the repository has no kubernetes/ tree',
      '– bootstrap:flux: the repository has no kubernetes/ tree',
      '– bootstrap:secrets: the repository has no secrets for Flux',
    ])
      expect(run.stderr).toContain(leftOut);
    expect(run.stderr).toMatch(/^ Healthy: 2 nodes Ready, etcd 1 of 1$/m);
    expect(bytesOf(root)).toEqual(before);

    const plain = await tk(root, ['bootstrap', '--sim'], { env: { NO_COLOR: '1', FORCE_COLOR: '1' } });
    expect(plain.exitCode).toBe(0);
    // oxlint-disable-next-line no-control-regex
    for (const { stdout, stderr } of [run, plain]) expect(`${stdout}${stderr}`).not.toMatch(/[\0-\x09\x0b-\x1f\x7f-\x9f]/);
    const plan = ['bootstrap', '--sim', '--plan'];
    expect((await tk(root, plan, { env: { FORCE_COLOR: '1' } })).stdout).toContain('\x1b[');
    expect((await tk(root, plan, { env: { NO_COLOR: '1', FORCE_COLOR: '1' } })).stdout).not.toContain('\x1b');

    const json = await tk(root, ['bootstrap', '--sim', '--output', 'json']);
    expect(json.exitCode).toBe(0);
    const events = json.stderr
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { readonly schema: number; readonly sequence: number; readonly event: string });
    expect(events.map(({ schema, sequence }) => [schema, sequence])).toEqual(events.map((_event, index) => [1, index + 1]));
    expect([events[0]?.event, events.at(-1)?.event]).toEqual(['run-started', 'run-finished']);

    // The machines stay what they are, and the repository has got another cluster's secrets.
    const bundle = join(root, '.tk/sim/repo/files/talsecret.yaml');
    writeFileSync(bundle, (await tk(root, ['talos:gensecret'])).stdout);
    const foreigners = await tk(root, ['bootstrap', '--sim']);
    expect({ exitCode: foreigners.exitCode, stdout: foreigners.stdout }).toEqual({ exitCode: 3, stdout: '' });
    expect(foreigners.stderr).toContain(
      "error[preflight/foreign]: `cp-1` (10.5.0.11) is configured, and not by this repository's secrets\nalso: worker-1\nstep: talos:preflight\nhelp: ",
    );
    expect(foreigners.stderr).toMatch(/^ Refused\.$/m);
  },
  patience,
);

test(
  'a plan writes nothing at all',
  async () => {
    const root = talhelper('planned');
    const before = bytesOf(root);
    const run = await tk(root, ['bootstrap', '--plan', '--offline']);
    expect(run.exitCode, run.stderr).toBe(0);
    expect(run.stdout).toContain('bootstrap etcd');
    const simulated = await tk(root, ['bootstrap', '--sim', '--plan']);
    expect(simulated.exitCode, simulated.stderr).toBe(0);
    expect(bytesOf(root)).toEqual(before);
    expect(existsSync(join(root, '.tk'))).toBe(false);
  },
  patience,
);

test(
  'the first plan of a repository that was never rendered knows what configure will bring',
  async () => {
    const root = repositoryIn(foreign.path, 'never-rendered', {
      from: projectRoot,
      copies: ['cluster.yaml', 'nodes.yaml', 'templates/config'],
      files: {
        'tasks/own.ts':
          "import { defineTask } from 'talos-tk';\n\nexport default defineTask({ summary: 'Own', effect: 'read', run() {} });\n",
      },
    });
    const before = bytesOf(root);
    const run = await tk(root, ['bootstrap', '--sim', '--plan', '--json']);
    expect(run.exitCode, run.stderr).toBe(0);
    const { tasks, counts } = JSON.parse(run.stdout) as Plan;
    const stepsOf = (name: string) => tasks.find(({ task }) => task === name)?.steps.map(({ decision, title }) => `${decision} ${title}`);
    expect(counts.unknown).toBe(0);
    expect(stepsOf('configure')).toContain('run create talos/talconfig.yaml');
    expect(stepsOf('bootstrap:namespaces')).toEqual(
      ['cert-manager', 'flux-system', 'kube-system', 'system-upgrade'].map((name) => `run ${name}`),
    );
    expect(stepsOf('bootstrap:secrets')).toEqual(['run flux-system/cluster-secrets', 'run flux-system/sops-age']);
    expect(stepsOf('bootstrap:apps')?.map((step) => step.split(' ')[1])).toEqual(['spegel', 'cert-manager']);
    expect(stepsOf('bootstrap:flux')?.map((step) => step.split(' ')[1])).toEqual(['flux-operator', 'flux-instance']);
    expect(bytesOf(root)).toEqual(before);
    expect(existsSync(join(root, '.tk'))).toBe(false);
  },
  patience,
);

test(
  'what cannot be understood ends with 2 and says what was meant',
  async () => {
    const root = talhelper('misspelt');
    expect(await tk(root, ['bootstap', '--sim'])).toEqual({
      exitCode: 2,
      signal: null,
      stdout: '',
      stderr: 'error[usage/unknown-command]: there is no task or command `bootstap`\nhelp: did you mean `tk bootstrap`?\n',
    });
    expect(await tk(root, ['talos:apply-node', 'NOD=cp-1', '--sim'])).toEqual({
      exitCode: 2,
      signal: null,
      stdout: '',
      stderr: 'error[usage/unknown-flag]: `talos:apply-node` does not know `NOD`\nhelp: did you mean `NODE`?\n',
    });
    const nowhere = await tk(foreign.path, ['bootstrap', '--sim']);
    expect(nowhere).toMatchObject({ exitCode: 2, stdout: '' });
    expect(nowhere.stderr).toMatch(/^error\[config\/no-repository\]: /);
    expect(existsSync(join(root, '.tk'))).toBe(false);
  },
  patience,
);

test(
  'a reader that has gone ends the process without a trace',
  async () => {
    const run = await runProcess('sh', ['-c', '{ "$0" "$1" --list; echo "exit $?" >&2; } | true', process.execPath, foreign.launcher], {
      cwd: foreign.path,
    });
    expect(run.stderr).toBe('exit 141\n');
  },
  patience,
);

test(
  'the reference repository is as configure would write it',
  async () => {
    const root = repositoryIn(foreign.path, 'reference', {
      from: projectRoot,
      copies: [
        'cluster.yaml',
        'nodes.yaml',
        '.sops.yaml',
        '.gitignore',
        'templates',
        'talos/talconfig.yaml',
        'talos/patches',
        'kubernetes',
      ],
    });
    const before = bytesOf(root);
    const run = await tk(root, ['configure']);
    expect(run.exitCode, run.stderr).toBe(0);
    expect(bytesOf(root)).toEqual(before);
  },
  patience,
);
