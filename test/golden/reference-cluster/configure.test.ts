import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type Failure, hasCode, Secret, TkError, type World } from '../../../lib/base/index.ts';
import { createConfiguration } from '../../../lib/cluster/configuration.ts';
import type { Vault } from '../../../lib/cluster/vault.ts';
import { loadClusterInputs } from '../../../lib/config/index.ts';
import { createMemoryFiles, type MemoryFiles } from '../../../lib/sim/index.ts';
import { newIdentity } from '../../../lib/secrets/index.ts';
import { root, textsBelow } from '../../rig/reference-cluster.ts';

const gpu = 'test/golden/reference-cluster/gpu';
const signal = new AbortController().signal;
const seal = (plain: string) => `sops: sealed\ntext: ${Buffer.from(plain).toString('base64')}\n`;
const opened = (text: string) => Buffer.from(/text: (\S+)/.exec(text)?.[1] ?? '', 'base64').toString();
const secrets = seal('backup_s3_access_key: access1\nbackup_s3_secret_key: secret1\ngithub_deploy_key: deploy1\n');

/** A vault that opens everything, or nothing. */
const vaultOf = (hasKey: boolean): Vault =>
  ({
    isEncrypted: ({ text }) => text.startsWith('sops:'),
    canOpen: async ({ text }) => hasKey || !text.startsWith('sops:'),
    decrypt: async ({ text }) => new Secret(opened(text)),
    encrypt: async (_path, plain) => seal(plain.reveal()),
  }) as Vault;

async function configurationOf(more: Record<string, string>, hasKey: boolean, vault: Partial<Vault> = {}) {
  const texts = {
    ...textsBelow('templates/config'),
    'cluster.yaml': readFileSync(`${gpu}/cluster.yaml`, 'utf8'),
    'nodes.yaml': readFileSync(`${gpu}/nodes.yaml`, 'utf8'),
    ...more,
  };
  const files: MemoryFiles = createMemoryFiles(
    () => 0,
    Object.fromEntries(Object.entries(texts).map(([path, text]) => [`${root}/${path}`, text])),
  );
  const { model } = await loadClusterInputs(files, root);
  if (!model) throw new Error('the inputs are not valid');
  return {
    files,
    configuration: createConfiguration({
      model,
      world: { files } as unknown as World,
      vault: { ...vaultOf(hasKey), ...vault },
      isSandbox: false,
      stateDirectory: `${root}/.tk`,
    }),
  };
}

const failuresOf = async (work: Promise<unknown>): Promise<readonly Failure[]> => {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof TkError)) throw error ?? new Error('nothing failed');
  return error.failures;
};

const encryptedFiles = [
  'bootstrap/deploy-key.sops.yaml',
  'kubernetes/apps/system-upgrade/talos-backup/app/secret.sops.yaml',
  'kubernetes/components/sops/cluster-secrets.sops.yaml',
];

test('secrets that the inputs need and nobody gave are named, all of them', async () => {
  const { configuration } = await configurationOf({}, true);
  const failures = await failuresOf(configuration.plan(signal));
  expect(failures.map(({ code, facts }) => [code, facts['key']])).toEqual([
    ['config/missing-secret', 'backup_s3_access_key'],
    ['config/missing-secret', 'backup_s3_secret_key'],
    ['config/missing-secret', 'github_deploy_key'],
  ]);
});

test('with the key everything is rendered, and a second time nothing changes', async () => {
  const { files, configuration } = await configurationOf({ 'cluster.secrets.sops.yaml': secrets }, true);
  const plan = await configuration.plan(signal);
  expect(plan.changes.filter(({ change, path }) => change !== 'create' && path !== 'templates/.rendered')).toEqual([]);
  await configuration.apply(plan, signal);
  expect(opened((await files.readText(`${root}/bootstrap/deploy-key.sops.yaml`)) ?? '')).toContain('identity: |\n    deploy1\n');
  const again = await configuration.plan(signal);
  expect([again.changes, again.notVerified, again.equal]).toEqual([[], [], plan.changes.length - 1]);
});

test('without the key, encrypted files are kept and named, and none is made of placeholders', async () => {
  const first = await configurationOf({ 'cluster.secrets.sops.yaml': secrets }, true);
  await first.configuration.apply(await first.configuration.plan(signal), signal);
  const written = await Promise.all(
    encryptedFiles.map(async (path) => [path, (await first.files.readText(`${root}/${path}`)) ?? ''] as const),
  );
  const locked = await configurationOf({ 'cluster.secrets.sops.yaml': secrets, ...Object.fromEntries(written) }, false);
  const plan = await locked.configuration.plan(signal);
  expect(plan.notVerified).toEqual(encryptedFiles);
  expect(plan.changes.filter(({ path }) => encryptedFiles.includes(path))).toEqual([]);

  const incomplete = await configurationOf({ 'cluster.secrets.sops.yaml': secrets, ...Object.fromEntries(written.slice(1)) }, false);
  const failures = await failuresOf(incomplete.configuration.plan(signal));
  expect(failures).toEqual([
    { code: 'config/secrets-locked', facts: { path: encryptedFiles[0], secretsPath: 'cluster.secrets.sops.yaml' } },
  ]);
  expect(hasCode(new TkError(failures[0] as Failure), 'config/secrets-locked')).toBe(true);
});

test('whom it is encrypted for: the inputs say, else .sops.yaml, else the key that is here; where nobody says, that is told', async () => {
  const recipient = 'age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p';
  const own = await newIdentity({ bytes: (count: number) => new Uint8Array(count).fill(7) } as World['random']);
  const named = readFileSync(`${gpu}/cluster.yaml`, 'utf8');
  const open = named.replace(/^sops_age_recipients:\n(?: +- .*\n)+/m, '');
  expect(open).not.toBe(named);
  const rulesOf = async (more: Record<string, string>, vault: Partial<Vault> = {}) => {
    const { configuration, files } = await configurationOf({ 'cluster.secrets.sops.yaml': secrets, ...more }, true, vault);
    await configuration.apply(await configuration.plan(signal), signal);
    return [...new Set((await files.readText(`${root}/.sops.yaml`))?.match(/age1\w+/g) ?? [])];
  };
  expect(await rulesOf({})).toEqual(named.match(/age1\w+/g));
  expect(await rulesOf({ 'cluster.yaml': open, 'templates/.rendered': '.sops.yaml\n', '.sops.yaml': `# ${recipient}\n` })).toEqual([
    recipient,
  ]);
  expect(await rulesOf({ 'cluster.yaml': open }, { ageKey: async () => own.secretKey })).toEqual([own.recipient]);
  const nobody: Partial<Vault> = { ageKey: async () => undefined, encrypt: async () => undefined };
  const reference = {
    'cluster.yaml': readFileSync('cluster.yaml', 'utf8').replace(/^sops_age.*\n.*\n/m, ''),
    'nodes.yaml': readFileSync('nodes.yaml', 'utf8'),
  };
  expect((await failuresOf(rulesOf(reference, nobody))).map(({ code, facts }) => [code, facts['path']])).toEqual([
    ['cluster/no-recipient', 'kubernetes/components/sops/cluster-secrets.sops.yaml'],
  ]);
});
