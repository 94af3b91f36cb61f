import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Secret, TkError } from '../../../lib/base/index.ts';
import { createSecretStore, openSops, parseSopsRules, plainTextOf, ruleFor, sealSops } from '../../../lib/secrets/index.ts';
import { memoryFiles, ports, recorded, ringOf } from './ports.ts';

const recipient = /age1[02-9ac-hj-np-z]+/.exec(recorded('age.key'))?.[0] ?? '';
const rule = { recipients: [recipient], selection: {}, macOnlyEncrypted: false };
const ring = ringOf('age.key');

async function failureOf(run: Promise<unknown>) {
  try {
    await run;
  } catch (error) {
    if (error instanceof TkError) return error.failure;
    throw error;
  }
  return undefined;
}

const seal = (text: string, path = 'a.yaml', more: Partial<typeof rule> = {}) =>
  sealSops({ path, text: new Secret(text), rule: { ...rule, ...more } }, ports());
const open = (text: string, path = 'a.yaml') => openSops({ path, text }, ring, ports());

test('a value that was moved to another key is refused by name', async () => {
  const sealed = await seal('first: one\nsecond: two\n');
  const [first = '', second = ''] = sealed.split('\n');
  const swapped = sealed.replace(first, `first: ${second.slice('second: '.length)}`);
  expect(await failureOf(open(swapped))).toEqual({ code: 'secrets/tampered', facts: { file: 'a.yaml', at: 'first' } });
});

test('a readable value that was changed is refused by the checksum', async () => {
  const sealed = await seal('open_unencrypted: 1\nsecret: two\n', 'a.yaml', { selection: { unencrypted_suffix: '_unencrypted' } });
  expect(await failureOf(open(sealed.replace('open_unencrypted: 1', 'open_unencrypted: 2')))).toEqual({
    code: 'secrets/tampered',
    facts: { file: 'a.yaml' },
  });
});

test('with mac_only_encrypted readable values may change, encrypted ones may not go', async () => {
  const sealed = await seal('open: 1\nsecret: two\nother: three\n', 'a.yaml', {
    selection: { encrypted_regex: '^(secret|other)$' },
    macOnlyEncrypted: true,
  });
  const opened = await open(sealed.replace('open: 1', 'open: 2'));
  expect(plainTextOf('a.yaml', opened.documents)).toBe('open: 2\nsecret: two\nother: three\n');
  const removed = sealed
    .split('\n')
    .filter((line) => !line.startsWith('other:'))
    .join('\n');
  expect(await failureOf(open(removed))).toEqual({ code: 'secrets/tampered', facts: { file: 'a.yaml' } });
});

test('a checksum that is gone or cut is refused', async () => {
  const sealed = await seal('a: 1\n');
  for (const text of [
    sealed.replace(/ {4}mac: .*\n/, ''),
    sealed.replace(/mac: .*/, 'mac: ""'),
    sealed.replace(/(mac: .*tag:)[^,]*/, '$1AAAA'),
  ]) {
    expect(await failureOf(open(text))).toEqual({ code: 'secrets/tampered', facts: { file: 'a.yaml' } });
  }
});

test('a wrong key names the recipients, the keys that were found, and where', async () => {
  const stranger = /age1[02-9ac-hj-np-z]+/.exec(recorded('stranger.key'))?.[0];
  expect(await failureOf(openSops({ path: 'a.yaml', text: await seal('a: 1\n') }, ringOf('stranger.key'), ports()))).toEqual({
    code: 'secrets/wrong-key',
    facts: { file: 'a.yaml', recipients: [recipient], identities: [stranger], searched: ['stranger.key'] },
  });
});

test('no key at all names the places', async () => {
  const none = { identities: [], searched: ['SOPS_AGE_KEY', '/home/me/age.key'] };
  expect(await failureOf(openSops({ path: 'a.yaml', text: await seal('a: 1\n') }, none, ports()))).toEqual({
    code: 'secrets/no-key',
    facts: { file: 'a.yaml', recipients: [recipient], searched: none.searched },
  });
});

test('a file without metadata is not encrypted, and one with it is not encrypted twice', async () => {
  expect(await failureOf(open('a: 1\n'))).toEqual({ code: 'secrets/not-encrypted', facts: { file: 'a.yaml' } });
  expect(await failureOf(seal(await seal('a: 1\n')))).toEqual({ code: 'secrets/already-encrypted', facts: { file: 'a.yaml' } });
});

test('a file for a key service only is named as one that needs sops itself', async () => {
  const sealed = await seal('a: 1\n');
  const kms = sealed.replace(/ {4}age:\n(?: {8}.*\n| {12}.*\n)+/, '    kms:\n        - arn: arn:aws:kms:eu:1:key/1\n          enc: x\n');
  expect(await failureOf(open(kms))).toEqual({ code: 'secrets/unsupported-key', facts: { file: 'a.yaml', kinds: ['kms'] } });
});

test('writing a file again changes only the values that changed', async () => {
  const before = await seal('a: same\nb:\n  - same too\n  - old\n');
  const previous = await open(before);
  const after = await sealSops(
    { path: 'a.yaml', text: new Secret('a: same\nb:\n  - same too\n  - new\n'), rule, previous },
    ports('later'),
  );
  const changed = after.split('\n').filter((line, index) => line !== before.split('\n')[index]);
  expect(changed.map((line) => line.trim().split(/[ :]/)[0])).toEqual(['-', 'mac']);
});

test('the store encrypts by the first rule that matches, and leaves an equal file alone', async () => {
  const rules = recorded('.sops.yaml');
  const plain = new Secret('apiVersion: v1\nstringData:\n  a: b\n');
  const files: Record<string, string> = { '/repo/.sops.yaml': rules };
  const store = createSecretStore({ files: memoryFiles(files), ...ports(), keys: async () => ring, repository: '/repo' });
  const path = '/repo/kubernetes/a.sops.yaml';
  const sealed = await store.encrypt(path, plain);
  expect(sealed.split('\n').slice(0, 2)).toEqual(['apiVersion: v1', 'stringData:']);
  expect(await store.matches({ path, text: sealed }, plain)).toBe('same');
  expect(await store.matches({ path, text: sealed }, new Secret('apiVersion: v1\n# a remark\nstringData: {a: b}\n'))).toBe('same');
  expect(await store.matches({ path, text: sealed }, new Secret('apiVersion: v1\nstringData:\n  a: c\n'))).toBe('different');
  files[path] = sealed;
  expect((await store.decrypt(path)).reveal()).toBe(plain.reveal());
  const stranger = createSecretStore({
    files: memoryFiles(files),
    ...ports(),
    keys: async () => ringOf('stranger.key'),
    repository: '/repo',
  });
  expect(await stranger.matches({ path, text: sealed }, plain)).toBe('unverified');
});

test('somebody who is no longer a recipient does not keep the data key', async () => {
  const stranger = /age1[02-9ac-hj-np-z]+/.exec(recorded('stranger.key'))?.[0] ?? '';
  const files: Record<string, string> = { '/repo/.sops.yaml': `creation_rules:\n  - age: ${recipient},${stranger}\n` };
  const store = (seed: string) =>
    createSecretStore({ files: memoryFiles(files), ...ports(seed), keys: async () => ring, repository: '/repo' });
  const first = await store('first').encrypt('/repo/a.yaml', new Secret('a: same\n'));
  files['/repo/a.yaml'] = first;
  files['/repo/.sops.yaml'] = `creation_rules:\n  - age: ${recipient}\n`;
  const second = await store('second').encrypt('/repo/a.yaml', new Secret('a: same\n'));
  expect(second.split('\n')[0]).not.toBe(first.split('\n')[0]);
});

test('rules that cannot be used are all named at once', () => {
  const text = 'creation_rules:\n  - path_regex: "("\n    age: x\n  - encrypted_regex: a\n    encrypted_suffix: b\n    age: x\n';
  const parsed = parseSopsRules({ path: '.sops.yaml', text });
  expect(parsed.state === 'failed' && parsed.failures.map(({ code, facts }) => ({ code, facts }))).toEqual([
    { code: 'secrets/bad-rules', facts: { file: '.sops.yaml', problem: 'regex', rule: 1 } },
    { code: 'secrets/bad-rules', facts: { file: '.sops.yaml', problem: 'two-selections', rule: 2 } },
  ]);
});

test('a rule for other kinds of keys, and a path without a rule, are refused', () => {
  const parsed = parseSopsRules({
    path: '/r/.sops.yaml',
    text: 'creation_rules:\n  - path_regex: ^a/\n    pgp: F\n  - path_regex: ^b/\n    age: ""\n',
  });
  if (parsed.state === 'failed') throw new Error('rules');
  const codeOf = (path: string) => {
    try {
      return ruleFor(parsed.rules, path).recipients.join();
    } catch (error) {
      return error instanceof TkError ? error.failure.code : 'unexpected';
    }
  };
  expect(['/r/a/x', '/r/b/x', '/r/c/x'].map(codeOf)).toEqual(['secrets/unsupported-key', 'secrets/bad-rules', 'secrets/no-rule']);
});

const leaf = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.boolean(),
  fc.constant(null),
);
const tree = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    leaf,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.string({ minLength: 1, maxLength: 8 }), tie('value'), { maxKeys: 3 }),
  ),
})).value;

test('an integer of JSON beyond 64 bits is a float, as sops 3.13 has it; one beyond a float is refused', async () => {
  for (const [written, kept] of [
    ['9223372036854775807', '9223372036854775807'],
    ['9223372036854775808', '9223372036854776000'],
    ['-9223372036854775809', '-9223372036854776000'],
    ['123456789012345678901234567890', '1.2345678901234568e+29'],
  ]) {
    const sealed = await seal(`{"a": ${written}}`, 'a.json');
    expect(plainTextOf('a.json', (await open(sealed, 'a.json')).documents)).toBe(`{\n\t"a": ${kept}\n}\n`);
  }
  await expect(seal('{"a": 1e400}', 'a.json')).rejects.toMatchObject({ failure: { code: 'secrets/unreadable' } });
});

test('any JSON object comes back as it was', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.dictionary(
        fc.string({ minLength: 1, maxLength: 8 }).filter((key) => key !== 'sops'),
        tree,
        { maxKeys: 4 },
      ),
      async (value) => {
        const sealed = await seal(JSON.stringify(value), 'a.json');
        const opened = plainTextOf('a.json', (await open(sealed, 'a.json')).documents);
        expect(JSON.parse(opened)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(plainTextOf('a.json', (await open(await seal(opened, 'a.json'), 'a.json')).documents)).toBe(opened);
      },
    ),
    { numRuns: 40 },
  );
});

test('mutated files never end in anything but a coded failure', async () => {
  const sealed = await seal('a: one\nb:\n  - x # c\n  - {c: 2}\n# end\n');
  await fc.assert(
    fc.asyncProperty(fc.nat(sealed.length - 1), fc.string({ maxLength: 3 }), fc.nat(4), async (at, insert, cut) => {
      const text = sealed.slice(0, at) + insert + sealed.slice(at + cut);
      const failure = await failureOf(open(text));
      expect(failure === undefined || /^(?:secrets|format)\//.test(failure.code)).toBe(true);
    }),
    { numRuns: 200 },
  );
});
