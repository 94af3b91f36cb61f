import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { createHostWorld } from '../../../../lib/host/index.ts';
import { type AgeIdentity, newIdentity } from '../../../../lib/secrets/index.ts';
import { temporaryFolder } from '../../../rig/process.ts';
import { inFolder } from './in-folder.ts';

const plain = 'user: ada\nstringData:\n    # of the test\n    password: hunter2\n    port: 5432\n';
let identity: AgeIdentity;
let stranger: AgeIdentity;

beforeAll(async () => {
  const { random } = createHostWorld();
  identity = await newIdentity(random);
  stranger = await newIdentity(random);
});

const rules = () => `creation_rules:\n  - path_regex: \\.sops\\.yaml$\n    encrypted_regex: ^stringData$\n    age: ${identity.recipient}\n`;
const withKey = () => ({ env: { SOPS_AGE_KEY: identity.secretKey.reveal() } });

test('what is encrypted by the rules of a folder above is decrypted to the same bytes', async () => {
  using folder = temporaryFolder({ '.sops.yaml': rules(), 'apps/secret.sops.yaml': plain });
  const path = join(folder.path, 'apps/secret.sops.yaml');
  const encrypted = await inFolder(folder.path, ['sops', 'encrypt', 'apps/secret.sops.yaml']);
  expect(encrypted).toMatchObject({ exitCode: 0, failures: [] });
  expect(encrypted.stdout).toContain('user: ada\n');
  expect(encrypted.stdout).not.toContain('hunter2');
  writeFileSync(path, encrypted.stdout);
  expect(await inFolder(folder.path, ['sops', 'decrypt', 'apps/secret.sops.yaml'], withKey())).toEqual({
    exitCode: 0,
    stdout: plain,
    notes: [],
    failures: [],
  });
  expect((await inFolder(folder.path, ['sops', 'encrypt', 'apps/secret.sops.yaml'], withKey())).failures).toEqual([
    'secrets/already-encrypted',
  ]);
});

test('--out writes plain text for its owner only, and keeps the ciphertext of what did not change', async () => {
  using folder = temporaryFolder({ '.sops.yaml': rules(), 'plain.yaml': plain });
  const out = join(folder.path, 'out.sops.yaml');
  const passwordLine = () => readFileSync(out, 'utf8').match(/password: .*/)?.[0];
  expect(await inFolder(folder.path, ['sops', 'encrypt', 'plain.yaml', '--out', out], withKey())).toMatchObject({
    exitCode: 0,
    stdout: '',
  });
  const before = passwordLine();
  writeFileSync(join(folder.path, 'plain.yaml'), plain.replace('5432', '5433'));
  await inFolder(folder.path, ['sops', 'encrypt', 'plain.yaml', '--out', out], withKey());
  expect(passwordLine()).toBe(before);
  writeFileSync(join(folder.path, 'open.yaml'), 'old');
  chmodSync(join(folder.path, 'open.yaml'), 0o644);
  expect(await inFolder(folder.path, ['sops', 'decrypt', out, '--out', 'open.yaml'], withKey())).toMatchObject({ exitCode: 0, stdout: '' });
  expect(statSync(join(folder.path, 'open.yaml')).mode & 0o777).toBe(0o600);
  expect(readFileSync(join(folder.path, 'open.yaml'), 'utf8')).toBe(plain.replace('5432', '5433'));
});

test('a changed file, a wrong key and no key at all print nothing', async () => {
  using folder = temporaryFolder({ '.sops.yaml': rules(), 'a.sops.yaml': plain });
  const { stdout } = await inFolder(folder.path, ['sops', 'encrypt', 'a.sops.yaml']);
  writeFileSync(join(folder.path, 'a.sops.yaml'), stdout);
  writeFileSync(join(folder.path, 'b.sops.yaml'), stdout.replace('user: ada', 'user: eve'));
  const decrypt = (file: string, env: Readonly<Record<string, string>>) => inFolder(folder.path, ['sops', 'decrypt', file], { env });
  const nothing = { exitCode: undefined, stdout: '', notes: [] };
  expect(await decrypt('b.sops.yaml', withKey().env)).toEqual({ ...nothing, failures: ['secrets/tampered'] });
  expect(await decrypt('a.sops.yaml', { SOPS_AGE_KEY: stranger.secretKey.reveal() })).toEqual({
    ...nothing,
    failures: ['secrets/wrong-key'],
  });
  expect(await decrypt('a.sops.yaml', {})).toEqual({ ...nothing, failures: ['secrets/no-key'] });
  expect(await decrypt('none.sops.yaml', {})).toEqual({ ...nothing, failures: ['usage/file-missing'] });
});

test('a file that no rule is for is not encrypted', async () => {
  using folder = temporaryFolder({ '.sops.yaml': rules(), 'a.yaml': plain });
  expect((await inFolder(folder.path, ['sops', 'encrypt', 'a.yaml'])).failures).toEqual(['secrets/no-rule']);
});
