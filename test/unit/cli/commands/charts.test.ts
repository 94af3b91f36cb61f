import { cpSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { projectRoot, temporaryFolder } from '../../../rig/process.ts';
import { inFolder } from './in-folder.ts';

const ofProject = (name: string) => readFileSync(join(projectRoot, name), 'utf8');
const inSandbox = { isSandbox: true } as const;

function repository() {
  const folder = temporaryFolder({ 'cluster.yaml': ofProject('cluster.yaml'), 'nodes.yaml': ofProject('nodes.yaml') });
  cpSync(join(projectRoot, 'kubernetes'), join(folder.path, 'kubernetes'), { recursive: true });
  return folder;
}

test('releases of the repository are rendered from the sandbox’s registry, to standard output or into files', async () => {
  using folder = repository();
  const one = await inFolder(folder.path, ['charts:render', 'kube-system/coredns'], inSandbox);
  expect(one).toMatchObject({ exitCode: 0, failures: [] });
  expect(one.stdout).toMatch(/^---\n# Source: coredns\/templates\//);
  const all = await inFolder(folder.path, ['charts:render', '--all', '--out', 'out'], inSandbox);
  expect(all).toEqual({ exitCode: 0, stdout: '', notes: [], failures: [] });
  expect(readFileSync(join(folder.path, 'out/kube-system/coredns.yaml'), 'utf8')).toBe(one.stdout);
  expect(existsSync(join(folder.path, 'out/cert-manager/cert-manager.yaml'))).toBe(true);
});

test('pull names each chart with its digest, and crds prints each definition once', async () => {
  using folder = repository();
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

test('a release that nobody declares, and a call that names none, are refused', async () => {
  using folder = repository();
  expect((await inFolder(folder.path, ['charts:render', 'ciliun'], inSandbox)).failures).toEqual(['usage/bad-value']);
  expect((await inFolder(folder.path, ['charts:render'])).failures).toEqual(['usage/missing-argument']);
  expect((await inFolder(folder.path, ['charts:render', 'cilium', '--all'])).failures).toEqual(['usage/flags-exclude']);
});
