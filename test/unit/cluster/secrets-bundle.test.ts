import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { Secret, TkError, type World } from '../../../lib/base/index.ts';
import { createBundleStore } from '../../../lib/cluster/secrets-bundle.ts';
import type { Vault } from '../../../lib/cluster/vault.ts';
import type { ClusterModel } from '../../../lib/config/index.ts';
import { createMemoryFiles } from '../../../lib/sim/index.ts';

const text = readFileSync(new URL('../../conformance/machineconfig/bundles/talosctl-1.13.yaml', import.meta.url), 'utf8');
const other = readFileSync(new URL('../../conformance/machineconfig/bundles/talosctl-1.14.yaml', import.meta.url), 'utf8');
const token = /bootstraptoken: (\S+)/.exec(text)?.[1] ?? '';

/** The bundle beside a talconfig, in a repository where nothing is encrypted. */
async function tokenIn(contents: Readonly<Record<string, string>>, path?: string): Promise<string> {
  const files = createMemoryFiles(
    () => 0,
    Object.fromEntries(Object.entries(contents).map(([name, content]) => [`/repo/talos/${name}`, content])),
  );
  const vault: Partial<Vault> = { isEncrypted: () => false, decrypt: async (file) => new Secret(file.text) };
  const model = { paths: { root: '/repo', talconfig: '/repo/talos/talconfig.yaml', clusterConfig: '/repo/talos/clusterconfig' } };
  const world: Pick<World, 'env'> = { env: { get: () => undefined } as unknown as World['env'] };
  const store = createBundleStore({ model: model as ClusterModel, files, vault: vault as Vault, world: world as World });
  try {
    const kept = path === undefined ? await store.existing() : (await store.of(path)).bundle;
    return kept?.bootstrapToken.reveal() ?? 'none';
  } catch (error) {
    if (!(error instanceof TkError)) throw error;
    return error.failures.map(({ code, facts }) => `${code} ${JSON.stringify(facts)}`).join('; ');
  }
}

test('two bundles beside a talconfig are fine while they hold the same secrets, and refused when they do not', async () => {
  expect(await tokenIn({ 'talsecret.yaml': text, 'talsecret.sops.yaml': `# the same\n${text}` })).toBe(token);
  expect(await tokenIn({ 'talsecret.yaml': text, 'talsecret.sops.yaml': other })).toBe(
    'cluster/two-bundles {"paths":["talos/talsecret.yaml","talos/talsecret.sops.yaml"]}',
  );
});

test('a bundle is known by the names of talhelper, talosctl and topf, or by the name that was given', async () => {
  expect(await tokenIn({ 'secrets.yaml': text })).toBe(token);
  expect(await tokenIn({ 'secrets.yaml': 'kind: Secret\n' })).toBe('none');
  expect(await tokenIn({ 'other.yaml': text }, '/repo/talos/other.yaml')).toBe(token);
  expect(await tokenIn({}, '/repo/talos/none.yaml')).toBe('cluster/no-such-bundle {"path":"talos/none.yaml","isFolder":false}');
  expect(await tokenIn({ 'keys/talsecret.yaml': text }, '/repo/talos/keys')).toBe(
    'cluster/no-such-bundle {"path":"talos/keys","isFolder":true}',
  );
});

test('variables in a bundle are filled in from the talenv, and an unset one is told without the text around it', async () => {
  const open = text.replace(token, '${TOKEN}');
  expect(await tokenIn({ 'talsecret.yaml': open, 'talenv.yaml': `TOKEN: ${token}\n` })).toBe(token);
  expect(await tokenIn({ 'talsecret.yaml': open })).toBe('talconfig/variable-not-set {"name":"TOKEN"}');
});
