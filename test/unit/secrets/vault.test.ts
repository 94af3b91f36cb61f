import { expect, test } from 'vitest';
import { Secret } from '../../../lib/base/index.ts';
import { createRepositoryVault } from '../../../lib/secrets/index.ts';
import { memoryFiles, ports, recorded, ringOf } from './ports.ts';

const vault = (keys: string) =>
  createRepositoryVault({
    files: memoryFiles({ '/r/.sops.yaml': recorded('.sops.yaml') }),
    ...ports(keys),
    root: '/r',
    keys: async () => ringOf(keys),
  });
const path = 'kubernetes/secret.sops.yaml';
const file = { path, text: recorded(`sops/${path}`) };

test('a vault opens what its keys open, and tells the rest apart', async () => {
  expect([vault('age.key').isEncrypted(file), vault('age.key').isEncrypted({ path: 'a.yaml', text: 'a: 1\n' })]).toEqual([true, false]);
  expect([await vault('age.key').canOpen(file), await vault('stranger.key').canOpen(file)]).toEqual([true, false]);
  expect([
    await vault('stranger.key').opens(file, recorded('age.key')),
    await vault('age.key').opens(file, recorded('stranger.key')),
  ]).toEqual([true, false]);
  expect((await vault('age.key').decrypt({ path: 'a.yaml', text: 'plain: 1\n' })).reveal()).toBe('plain: 1\n');
  expect((await vault('age.key').ageKey())?.reveal()).toMatch(/^AGE-SECRET-KEY-1[0-9A-Z]{58}$/);
});

test('a vault writes by the rules it is given and keeps the ciphertext of equal values', async () => {
  const before = await vault('age.key').encrypt(path, new Secret('stringData:\n  a: same\n  b: old\n'));
  const after = await vault('age.key').encrypt(path, new Secret('stringData:\n  a: same\n  b: new\n'), {
    previous: { path, text: before ?? '' },
  });
  expect(after?.split('\n')[1]).toBe(before?.split('\n')[1]);
  expect(after?.split('\n')[2]).not.toBe(before?.split('\n')[2]);
  const none = { path: '.sops.yaml', text: 'creation_rules:\n  - path_regex: ^talos/\n    age: age1x\n' };
  expect(await vault('age.key').encrypt(path, new Secret('a: 1\n'), { rules: none })).toBeUndefined();
});
