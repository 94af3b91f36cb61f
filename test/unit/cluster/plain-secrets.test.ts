import { expect, test } from 'vitest';
import { openSecrets } from '../../../lib/cluster/plain-secrets.ts';
import type { ClusterModel } from '../../../lib/config/index.ts';
import { createMemoryFiles } from '../../../lib/sim/index.ts';

const model = { paths: { root: '/repo' } } as ClusterModel;
const secret = (fields: string) => `apiVersion: v1\nkind: Secret\nmetadata:\n  name: one\n${fields}`;
const key = `-----BEGIN ${'EC PRIVATE KEY'}-----\nMHc\n`;

const repository = {
  '/repo/.git/HEAD': 'ref: refs/heads/main\n',
  '/repo/.gitignore': '/kubeconfig\nclusterconfig/\n',
  '/repo/.sops.yaml':
    'creation_rules:\n  - path_regex: apps/.*\\.yaml\n    age: age1xyz\n  - path_regex: old/.*\n    pgp: 0123456789ABCDEF\n',
  // Ignored, encrypted by another's rule, or named as encrypted and therefore refused elsewhere.
  '/repo/kubeconfig': key,
  '/repo/talos/clusterconfig/cp-1.yaml': key,
  '/repo/talsecret.sops.yaml': key,
  // A value that comes later is no secret.
  '/repo/apps/later.yaml': secret('stringData:\n  a: ${TOKEN}\n  b: "{{ password }}"\n  c: ""\n'),
  '/repo/apps/now.yaml': secret('stringData:\n  a: ${TOKEN}\n  token: hunter2\n'),
  '/repo/old/now.yaml': secret('data:\n  token: aHVudGVyMg==\n'),
  '/repo/unruled/now.yaml': secret('stringData:\n  token: hunter2\n'),
  '/repo/docs/keys/deploy': key,
};

test('keys in the open, and Secrets that a rule wants encrypted, are told with their place wherever git would take them', async () => {
  const failures = await openSecrets({ model, files: createMemoryFiles(() => 0, repository) });
  expect(
    failures
      .map(({ code, facts, where }) => [code, facts, where?.kind === 'file' && `${where.path}:${where.line}:${where.column}`])
      .toSorted(),
  ).toEqual([
    ['secrets/plaintext', { file: 'apps/now.yaml', at: 'stringData.token' }, 'apps/now.yaml:7:10'],
    ['secrets/plaintext', { file: 'docs/keys/deploy', at: 'a private key' }, 'docs/keys/deploy:1:1'],
    ['secrets/plaintext', { file: 'old/now.yaml', at: 'data.token' }, 'old/now.yaml:6:10'],
  ]);
  expect(JSON.stringify(failures)).not.toMatch(/hunter2|aHVudGVyMg/);
});

test('a folder that is no git repository has nothing to lose', async () => {
  const { '/repo/.git/HEAD': _, ...files } = repository;
  expect(await openSecrets({ model, files: createMemoryFiles(() => 0, files) })).toEqual([]);
});
