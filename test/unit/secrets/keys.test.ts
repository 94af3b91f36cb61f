import { expect, test } from 'vitest';
import { hasCode, Secret } from '../../../lib/base/index.ts';
import {
  findIdentities,
  isRecipient,
  newIdentity,
  openSops,
  parseIdentities,
  plaintextSecrets,
  plainTextOf,
  recipientOf,
  sealSops,
  synthesize,
} from '../../../lib/secrets/index.ts';
import { countingRandom, envOf, memoryFiles, noCommands, ports, recorded } from './ports.ts';

const keyOf = (name: string) =>
  recorded(name)
    .split('\n')
    .find((line) => line.startsWith('AGE-SECRET-KEY')) ?? '';

test('keys are searched where sops searches them, then in the repository', async () => {
  const files = memoryFiles({
    '/xdg/sops/age/keys.txt': recorded('stranger.key'),
    '/repo/age.key': recorded('age.key'),
    '/elsewhere': recorded('age-pq.key'),
  });
  const env = envOf({ SOPS_AGE_KEY_FILE: '/elsewhere', XDG_CONFIG_HOME: '/xdg', SOPS_AGE_KEY: keyOf('age.key') });
  const ring = await findIdentities({ env, files, exec: noCommands, repository: '/repo' });
  expect(ring.searched).toEqual(['SOPS_AGE_KEY', '/elsewhere', 'SOPS_AGE_KEY_CMD', '/xdg/sops/age/keys.txt', '/repo/age.key']);
  expect(ring.identities.map((identity) => identity.reveal())).toEqual([keyOf('age.key'), keyOf('age-pq.key'), keyOf('stranger.key')]);
});

test('a command prints the key', async () => {
  const exec = {
    run: async (argv: readonly string[]) => ({
      exitCode: 0,
      stdout: new TextEncoder().encode(argv.join('|') === 'op|read|a b' ? keyOf('age.key') : ''),
      stderr: '',
    }),
  };
  const ring = await findIdentities({ env: envOf({ SOPS_AGE_KEY_CMD: 'op read "a b"' }), files: memoryFiles({}), exec });
  expect(ring.identities.map((identity) => identity.reveal())).toEqual([keyOf('age.key')]);
});

test('a key file that is named and not there is a failure, one that nobody named is not', async () => {
  const named = findIdentities({ env: envOf({ SOPS_AGE_KEY_FILE: '/gone' }), files: memoryFiles({}), exec: noCommands });
  await expect(named).rejects.toSatisfy((error: unknown) => hasCode(error, 'secrets/key-file'));
  expect((await findIdentities({ env: envOf({}, 'darwin'), files: memoryFiles({}), exec: noCommands })).searched.at(-1)).toBe(
    '/home/me/Library/Application Support/sops/age/keys.txt',
  );
});

test('a new identity opens what is encrypted for it, classic and post-quantum', async () => {
  for (const kind of ['x25519', 'post-quantum'] as const) {
    const identity = await newIdentity(countingRandom(kind), kind);
    expect(isRecipient(identity.recipient)).toBe(true);
    expect(await recipientOf(identity.secretKey)).toBe(identity.recipient);
    const rule = { recipients: [identity.recipient], selection: {}, macOnlyEncrypted: false };
    const text = await sealSops({ path: 'a.yaml', text: new Secret('a: b\n'), rule }, ports());
    const opened = await openSops({ path: 'a.yaml', text }, { identities: [identity.secretKey], searched: [] }, ports());
    expect(plainTextOf('a.yaml', opened.documents)).toBe('a: b\n');
  }
});

test('a file of another key becomes one of the same keys under our own, without opening it', async () => {
  const identity = await newIdentity(countingRandom());
  const path = 'kubernetes/secret.sops.yaml';
  const text = await synthesize(
    { file: { path, text: recorded(`sops/${path}`) }, identity, known: (at) => (at.at(-1) === 'number' ? '42' : undefined) },
    ports(),
    { indents: { yaml: 2 } },
  );
  const opened = await openSops({ path, text }, { identities: [identity.secretKey], searched: [] }, ports());
  const plain = plainTextOf(path, opened.documents, { indents: { yaml: 2 } });
  expect(plain.split('\n').slice(0, 13)).toEqual([
    '# yaml-language-server: $schema=https://example.invalid/secret.json',
    'apiVersion: v1',
    'kind: Secret',
    'metadata:',
    '  name: sops-age',
    '  namespace: flux-system # where Flux looks',
    'stringData:',
    '  # (comment of the original)',
    '  age.agekey: |',
    `    ${identity.secretKey.reveal()}`,
    '  empty: ""',
    '  number: "42"',
    expect.stringMatching(/^ {2}flag: "?[a-z0-9]{4}"?$/),
  ]);
  expect(plain).not.toContain('not a key');
});

test('values that a cluster is made of are made up as what their names say', async () => {
  const identity = await newIdentity(countingRandom());
  const rule = { recipients: [identity.recipient], selection: {}, macOnlyEncrypted: false };
  const names = ['VIP', 'MASTER1IP', 'GATEWAY', 'PODNET', 'SVCNET', 'node_cidr', 'EMAIL'];
  const original = await sealSops({ path: 'env.yaml', text: new Secret(names.map((name) => `${name}: x\n`).join('')), rule }, ports());
  const text = await synthesize({ file: { path: 'env.yaml', text: original }, identity }, ports());
  const opened = await openSops({ path: 'env.yaml', text }, { identities: [identity.secretKey], searched: [] }, ports());
  expect(
    plainTextOf('env.yaml', opened.documents)
      .replaceAll(/192\.0\.2\.(?!0)\d+/g, '192.0.2.N')
      .replace(/[a-z0-9]+@/, 'somebody@'),
  ).toBe(
    'VIP: 192.0.2.N\nMASTER1IP: 192.0.2.N\nGATEWAY: 192.0.2.N\nPODNET: 10.244.0.0/16\nSVCNET: 10.96.0.0/12\nnode_cidr: 192.0.2.0/24\nEMAIL: somebody@example.invalid\n',
  );
});

test('plain secrets that git would take are found with their place and without their text', () => {
  const found = (path: string, text: string) =>
    plaintextSecrets({ path, text }).map(({ facts, where }) => [facts['at'], where?.kind === 'file' && `${where.line}:${where.column}`]);
  expect(found('a.txt', `key:\n  ${keyOf('age.key')}\n`)).toEqual([['an age identity', '2:3']]);
  expect(found('b.pem', 'x\n-----BEGIN EC PRIVATE KEY-----\n')).toEqual([['a private key', '2:1']]);
  expect(found('kubeconfig', `client-key-data: ${Buffer.from('-----BEGIN EC PRIVATE KEY-----\nabc').toString('base64')}\n`)).toEqual([
    ['a private key', '1:18'],
  ]);
  expect(found('a.sops.yaml', 'a: b\n')).toEqual([['the whole file', '1:1']]);
  expect(found('a.sops.yaml', recorded('sops/group/a.yaml'))).toEqual([]);
  expect(JSON.stringify(plaintextSecrets({ path: 'a', text: keyOf('age.key') }))).not.toContain(keyOf('age.key').slice(20, 40));
});

test('a key file with nothing in it that we can use says so', () => {
  expect(() => parseIdentities(new Secret('# nothing\n'), 'k')).toThrow('secrets/key-file');
  expect(() => parseIdentities(new Secret('AGE-PLUGIN-YUBIKEY-1ABC\n'), 'k')).toThrow('secrets/key-file');
});
