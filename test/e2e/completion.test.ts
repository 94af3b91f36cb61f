import { join } from 'node:path';
import { symlinkSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launcher, runProcess, runTk, type TemporaryFolder, temporaryFolder } from '../rig/process.ts';
import { repositoryIn } from '../rig/repository.ts';

const patience = 60_000;

let folder: TemporaryFolder;
let root: string;
beforeAll(() => {
  folder = temporaryFolder();
  root = repositoryIn(folder.path, 'hut', { from: join(import.meta.dirname, 'fixtures/talhelper'), copies: ['.'] });
  symlinkSync(launcher, join(folder.path, 'tk'));
});
afterAll(() => folder[Symbol.dispose]());

const complete = async (...words: string[]) => {
  const { stdout } = await runTk(['complete', '--', ...words], { cwd: root });
  const lines = stdout.trimEnd().split('\n');
  return { values: lines.slice(0, -1).map((line) => line.split('\t')[0]), directive: lines.at(-1) };
};

test('tasks, their params and the nodes of the inventory are offered', { timeout: patience }, async () => {
  expect(await complete('talos:apply')).toEqual({ values: ['talos:apply', 'talos:apply-node'], directive: ':4' });
  expect((await complete('talos', 'apply')).values).toEqual(['apply', 'apply-node']);
  expect(await complete('talos:apply-node', 'NO')).toEqual({ values: ['NODE='], directive: ':6' });
  expect(await complete('talos:apply-node', 'NODE=')).toEqual({ values: ['NODE=cp-1', 'NODE=worker-1'], directive: ':4' });
  expect((await complete('talos', 'apply-node', 'mode=s')).values).toEqual(['mode=staged']);
  expect((await complete('bootstrap', '--s')).values).toEqual(['--sim']);
  expect((await complete('sops', 'encrypt', '--o')).values).toEqual(['--out', '--output']);
});

test('the script for bash fills in a line that has colons and equals signs', { timeout: patience }, async () => {
  const press = (line: string) => `COMP_LINE=${JSON.stringify(line)}; COMP_POINT=\${#COMP_LINE}; __tk_complete; echo "\${COMPREPLY[*]}"`;
  const script = [
    `export PATH="${folder.path}:$PATH"`,
    'source <(tk completion bash)',
    press('tk talos:apply'),
    press('tk talos:apply-node NODE=w'),
    press('tk talos apply-node mode=st'),
    press('tk boot'),
  ].join('\n');
  const run = await runProcess('bash', ['--noprofile', '--norc', '-c', script], {
    cwd: root,
    env: { PATH: `${join(process.execPath, '..')}:${process.env['PATH'] ?? ''}` },
  });
  expect(run.stderr).toBe('');
  const [colon, node, mode, boot] = run.stdout.split('\n');
  expect({ colon, node, mode }).toEqual({ colon: 'apply apply-node', node: 'worker-1', mode: 'staged' });
  expect(boot?.split(' ').slice(0, 2)).toEqual(['bootstrap', 'bootstrap:apps']);
});

test.for(['zsh', 'fish', 'powershell'])('there is a script for %s', { timeout: patience }, async (shell) => {
  const run = await runTk(['completion', shell], { cwd: root });
  expect(run).toMatchObject({ exitCode: 0, stderr: '' });
  expect(run.stdout).toMatch(/\btk complete\b|'complete', '--'|complete --/);
});
