import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Plan } from '../../lib/core/index.ts';
import { type ForeignFolder, foreignFolder } from '../rig/packed.ts';
import { projectRoot, runTk } from '../rig/process.ts';
import { bytesOf } from '../rig/repository.ts';

/** A process has to start, and the machine may be busy with something else. */
const patience = 180_000;

let foreign: ForeignFolder;
beforeAll(() => {
  foreign = foreignFolder();
}, patience);
afterAll(() => foreign[Symbol.dispose]());

const tk = (cwd: string, ...args: string[]) => runTk(args, { cwd, launcher: foreign.launcher });

test('a repository begins with tk init, is configured, and its bootstrap is planned, all offline', {
  timeout: patience,
}, async () => {
  const begun = await tk(foreign.path, 'init', 'home', '--sample');
  expect(begun.exitCode, begun.stderr).toBe(0);
  expect(begun.stderr).toContain('Next: cd home && npm install && npx tk configure && npx tk bootstrap --sim');
  const root = join(foreign.path, 'home');
  expect(readdirSync(root).sort()).toEqual([
    '.gitignore',
    'README.md',
    'age.key',
    'cluster.yaml',
    'nodes.yaml',
    'package.json',
    'tasks.config.ts',
    'templates',
  ]);
  expect(lstatSync(join(root, 'age.key')).mode & 0o777).toBe(0o600);
  const key = readFileSync(join(root, 'age.key'), 'utf8');
  expect(readFileSync(join(root, 'cluster.yaml'), 'utf8')).toContain(`  - ${/^# public key: (\S+)$/m.exec(key)?.[1]}`);
  expect(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))).toMatchObject({
    name: 'home',
    dependencies: { 'talos-tk': '0.1.0' },
    // The runtime of the repository is put in place by its own install script, which newer npm runs only for those that are named.
    devDependencies: { node: expect.stringMatching(/^24\./) },
    allowScripts: { node: true },
  });

  execFileSync('git', ['init', '-q', root]);
  const configured = await tk(root, 'configure');
  expect(configured.exitCode, configured.stderr).toBe(0);
  // What git would take holds no key and no plain secret.
  const seen = execFileSync('git', ['ls-files', '--others', '--exclude-standard'], { cwd: root, encoding: 'utf8' }).trim().split('\n');
  expect(seen).toContain('talos/talconfig.yaml');
  expect(seen.filter((path) => path === 'age.key' || path.startsWith('.tk/'))).toEqual([]);
  for (const path of seen) expect(readFileSync(join(root, path), 'utf8')).not.toContain('AGE-SECRET-KEY');
  const before = bytesOf(root);
  const again = await tk(root, 'configure');
  expect({ exitCode: again.exitCode, bytes: bytesOf(root) }).toEqual({ exitCode: 0, bytes: before });

  // The way from here to a healthy cluster is test/e2e/bootstrap.test.ts; this repository's own plan for it has no open question.
  const plan = await tk(root, 'bootstrap', '--sim', '--plan', '--json');
  expect(plan.exitCode, plan.stderr).toBe(0);
  const { counts, tasks } = JSON.parse(plan.stdout) as Plan;
  expect({ unknown: counts.unknown, failures: tasks.filter(({ failure }) => failure !== undefined) }).toEqual({ unknown: 0, failures: [] });
  expect(tasks.find(({ task }) => task === 'talos:preflight')?.steps).toMatchObject([{ title: 'look at 6 machines' }]);
  expect(bytesOf(root)).toEqual(before);
});

test('init asks what it needs to know, takes answers from a file, and overwrites nothing', { timeout: patience }, async () => {
  const silent = await tk(foreign.path, 'init', 'silent');
  expect(silent).toMatchObject({ exitCode: 2, stdout: '' });
  expect(silent.stderr).toMatch(/^error\[prompt\/no-terminal\]: nobody can answer "What is the cluster called\?"/);
  expect(existsSync(join(foreign.path, 'silent'))).toBe(false);

  const answers = (address: string) =>
    [
      'cluster-name: hut',
      'node-cidr: 10.1.0.0/24',
      'api-address: 10.1.0.250',
      'repository-name: me/hut',
      'nodes:',
      `  - { name: hut-1, address: ${address}, controller: true, disk: S6PB01, mac_addr: "00:11:22:33:44:55" }`,
      '',
    ].join('\n');
  writeFileSync(join(foreign.path, 'answers.yaml'), answers('10.2.0.10'));
  const wrong = await tk(foreign.path, 'init', 'hut', '--answers', 'answers.yaml');
  expect(wrong.exitCode).toBe(2);
  expect(wrong.stderr).toMatch(/^error\[config\/address-outside-network\]: `hut-1` has address `10\.2\.0\.10`/);
  expect(existsSync(join(foreign.path, 'hut'))).toBe(false);

  writeFileSync(join(foreign.path, 'answers.yaml'), answers('10.1.0.10'));
  const right = await tk(foreign.path, 'init', 'hut', '--answers', 'answers.yaml');
  expect(right.exitCode, right.stderr).toBe(0);
  const root = join(foreign.path, 'hut');
  expect(readFileSync(join(root, 'nodes.yaml'), 'utf8')).toMatch(
    /- name: hut-1\n {4}address: 10\.1\.0\.10\n {4}controller: true\n {4}disk: "?S6PB01"?\n/,
  );
  const before = bytesOf(root);
  const twice = await tk(foreign.path, 'init', 'hut', '--answers', 'answers.yaml');
  expect(twice.exitCode).toBe(2);
  expect(twice.stderr).toMatch(/^error\[usage\/file-exists\]: /);
  expect(bytesOf(root)).toEqual(before);

  // As it is written it can be used: no word is left to be replaced, and every command that is named exists.
  const tasks = new Set(
    readdirSync(join(projectRoot, 'tasks'), { recursive: true }).map((path) => String(path).replace('.ts', '').replaceAll('/', ':')),
  );
  for (const path of ['README.md', 'package.json', 'cluster.yaml', 'nodes.yaml', 'tasks.config.ts']) {
    const text = readFileSync(join(root, path), 'utf8');
    expect(text).not.toMatch(/<[a-z][\w-]*>|CHANGE_?ME|REPLACE_?ME|YOUR[_-]\w+|#\{|\$\{/i);
    for (const [line, program, task] of text.matchAll(/npx ([\w-]+)(?: ([a-z][\w:-]*))?/g))
      expect({ line, program, exists: task === undefined || tasks.has(task) }).toEqual({ line, program: 'tk', exists: true });
  }
  // The samples are the package's: what was deleted can be made again, and what is left stays.
  for (const path of ['cluster.yaml', 'nodes.yaml', 'tasks.config.ts']) rmSync(join(root, path));
  const again = await tk(foreign.path, 'init', 'hut', '--answers', 'answers.yaml');
  expect(again.exitCode, again.stderr).toBe(0);
  expect(bytesOf(root)).toEqual(before);
});
