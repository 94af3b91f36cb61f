import { cpSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { projectRoot, temporaryFolder } from '../../../rig/process.ts';
import { computeHere } from '../../wasm/engine.ts';
import { inFolder } from './in-folder.ts';

const ofProject = (name: string) => readFileSync(join(projectRoot, name), 'utf8');
const inSandbox = { isSandbox: true, compute: computeHere() } as const;

/** One sandbox for all: its keys are made once. */
const inputs = { 'cluster.yaml': ofProject('cluster.yaml'), 'nodes.yaml': ofProject('nodes.yaml') };
const folder = temporaryFolder(inputs);
cpSync(join(projectRoot, 'kubernetes'), join(folder.path, 'kubernetes'), { recursive: true });
afterAll(() => folder[Symbol.dispose]());

test('releases of the repository are rendered from the sandbox’s registry, to standard output or into files', async () => {
  const one = await inFolder(folder.path, ['charts:render', 'kube-system/coredns'], inSandbox);
  expect(one).toMatchObject({ exitCode: 0, failures: [] });
  expect(one.stdout).toMatch(/^---\n# Source: coredns\/templates\//);
  const all = await inFolder(folder.path, ['charts:render', '--all', '--out', 'out'], inSandbox);
  expect(all).toEqual({ exitCode: 0, stdout: '', notes: [], failures: [] });
  expect(readFileSync(join(folder.path, 'out/kube-system/coredns.yaml'), 'utf8')).toBe(one.stdout);
  expect(existsSync(join(folder.path, 'out/cert-manager/cert-manager.yaml'))).toBe(true);
});

test('pull names each chart with its digest, and crds prints each definition once', async () => {
  const pulled = JSON.parse((await inFolder(folder.path, ['charts:pull', 'cilium'], { ...inSandbox, json: true })).stdout);
  expect(pulled).toEqual([
    {
      release: 'cilium',
      namespace: 'kube-system',
      chart: 'cilium',
      version: expect.stringMatching(/^\d+\.\d+\.\d+$/),
      digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
      from: 'source',
    },
  ]);
  const { stdout } = await inFolder(folder.path, ['charts:crds', 'cert-manager'], inSandbox);
  const names = [...stdout.matchAll(/^ {2}name: (.*)$/gm)].map(([, name]) => name);
  expect(names).toContain('certificates.cert-manager.io');
  expect(names).toEqual([...new Set(names)].sort());
});

test('crds reads what was rendered before where the settings say that it lies, and names a folder that is broken', async () => {
  const definition = (name: string) =>
    `apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: { name: ${name} }\nspec: {}\n`;
  using own = temporaryFolder({
    ...inputs,
    'tasks.config.ts': "export default { bootstrap: { rendered: 'rendered' } };\n",
    'rendered/kube-system/coredns.yaml': `${definition('things.example.com')}---\nkind: ConfigMap\nmetadata: { name: x }\n`,
    'rendered/kube-system/spegel/notes.txt': 'no manifest',
  });
  cpSync(join(projectRoot, 'kubernetes'), join(own.path, 'kubernetes'), { recursive: true });
  const { stdout } = await inFolder(own.path, ['charts:crds', 'coredns'], inSandbox);
  expect([...stdout.matchAll(/^ {2}name: (.*)$/gm)].map(([, name]) => name)).toEqual(['things.example.com']);
  expect((await inFolder(own.path, ['charts:crds', 'spegel'], inSandbox)).failures).toEqual(['chart/folder']);
});

test('a release that nobody declares, and a call that names none, are refused', async () => {
  expect((await inFolder(folder.path, ['charts:render', 'ciliun'], inSandbox)).failures).toEqual(['usage/bad-value']);
  expect((await inFolder(folder.path, ['charts:render'])).failures).toEqual(['usage/missing-argument']);
  expect((await inFolder(folder.path, ['charts:render', 'cilium', '--all'])).failures).toEqual(['usage/flags-exclude']);
});
