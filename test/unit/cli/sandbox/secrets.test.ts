import { expect, test } from 'vitest';
import { Secret } from '../../../../lib/base/index.ts';
import { encryptedFiles, plantSecrets } from '../../../../lib/cli/sandbox/secrets.ts';
import { newIdentity, openSops, plainTextOf, sealSops } from '../../../../lib/secrets/index.ts';
import { createMemoryFiles, createMemoryWorld } from '../../../../lib/sim/index.ts';

test('what SOPS has encrypted is found by what is in it, and made up so that machines take it', async () => {
  const { world } = createMemoryWorld();
  const [theirs, own] = [await newIdentity(world.random), await newIdentity(world.random)];
  const seal = (path: string, text: string) =>
    sealSops({ path, text: new Secret(text), rule: { recipients: [theirs.recipient], selection: {}, macOnlyEncrypted: false } }, world);
  const extension = 'apiVersion: v1alpha1\nkind: ExtensionServiceConfig\nname: tailscale\nenvironment:\n  - TS_AUTHKEY=key\n';
  const files = {
    '/repo/talos/patches/extension.sops.yaml': await seal('talos/patches/extension.sops.yaml', extension),
    '/repo/kubernetes/login.enc.yaml': await seal('kubernetes/login.enc.yaml', 'kind: Secret\nstringData: { token: abc }\n'),
    '/repo/talos/talsecret.yaml': await seal('talos/talsecret.yaml', 'trustdinfo: { token: abc }\n'),
    '/repo/kubernetes/about.yaml': 'kind: ConfigMap\ndata: { a: "ENC[AES256_GCM,", sops: no }\n',
    '/repo/.tk/old.sops.yaml': 'sops: {}\n',
  };
  const real = createMemoryFiles(() => 0, files);
  const encrypted = await encryptedFiles(real, '/repo');
  expect(encrypted).toEqual(['kubernetes/login.enc.yaml', 'talos/patches/extension.sops.yaml', 'talos/talsecret.yaml']);

  const layered = createMemoryFiles(() => 0);
  const planting = {
    world: { ...world, files: real },
    root: '/repo',
    layered,
    encrypted,
    identity: own,
    ledger: '/repo/.tk/sim/secrets.json',
  };
  await plantSecrets(planting);
  const openedAt = async (path: string) => {
    const text = (await layered.readText(`/repo/${path}`)) ?? '';
    const { documents } = await openSops({ path, text }, { identities: [own.secretKey], searched: [] }, world);
    return plainTextOf(path, documents).replaceAll(/[a-z0-9]{9}$/gm, '<made up>');
  };
  expect(await openedAt('talos/patches/extension.sops.yaml')).toBe(
    'apiVersion: v1alpha1\nkind: ExtensionServiceConfig\nname: <made up>\nenvironment:\n    - NAME=value\n',
  );
  expect(await layered.readText('/repo/kubernetes/login.enc.yaml')).toContain(own.recipient);
  expect(await layered.readText('/repo/talos/talsecret.yaml')).toBeUndefined();
});
