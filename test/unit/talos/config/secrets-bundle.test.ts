import { readFileSync } from 'node:fs';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { type KeyKind, Secret, TkError } from '../../../../lib/base/index.ts';
import { parseCertificate } from '../../../../lib/pki/index.ts';
import { createSecretsBundle, parseSecretsBundle, renderSecretsBundle } from '../../../../lib/talos/machine-config.ts';

const recorded = (name: string) =>
  readFileSync(new URL(`../../../conformance/machineconfig/bundles/${name}.yaml`, import.meta.url), 'utf8');

const keys: Record<KeyKind, () => Buffer> = {
  ed25519: () => generateKeyPairSync('ed25519').privateKey.export({ format: 'der', type: 'pkcs8' }),
  p256: () => generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey.export({ format: 'der', type: 'pkcs8' }),
  rsa4096: () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'der', type: 'pkcs8' }),
};
const world = {
  clock: {
    now: () => Date.UTC(2026, 10, 21),
    monotonicMs: () => 0,
    sleep: async () => {},
    whileBusy: <T>(work: () => Promise<T>) => work(),
  },
  random: {
    bytes: (count: number) => randomBytes(count),
    fraction: () => 0.5,
    privateKey: async (kind: KeyKind) => new Secret<Uint8Array>(keys[kind]()),
  },
};

test('a bundle of each talosctl is read and written back byte for byte', () => {
  for (const minor of ['1.12', '1.13', '1.14']) {
    const text = recorded(`talosctl-${minor}`);
    const bundle = parseSecretsBundle({ path: 'secrets.yaml', text });
    expect(parseCertificate(bundle.certs.os.certificate).organizations).toEqual(['talos']);
    expect(renderSecretsBundle(bundle).reveal()).toBe(text);
  }
});

test('the JSON form of talosctl is the same bundle', () => {
  const text = recorded('talosctl-1.14');
  const bundle = parseSecretsBundle({ path: 'secrets.yaml', text });
  const base64 = (pem: string) => Buffer.from(pem).toString('base64');
  const pair = (one: { certificate: string; key: Secret<string> }) => ({ Crt: base64(one.certificate), Key: base64(one.key.reveal()) });
  const json = JSON.stringify({
    Cluster: { Id: bundle.cluster.id, Secret: bundle.cluster.secret.reveal() },
    Secrets: { BootstrapToken: bundle.bootstrapToken.reveal(), SecretboxEncryptionSecret: bundle.secretboxEncryptionSecret?.reveal() },
    TrustdInfo: { Token: bundle.trustdToken.reveal() },
    Certs: {
      Etcd: pair(bundle.certs.etcd),
      K8s: pair(bundle.certs.k8s),
      K8sAggregator: pair(bundle.certs.k8sAggregator),
      K8sServiceAccount: { Key: base64(bundle.certs.k8sServiceAccount.key.reveal()) },
      OS: pair(bundle.certs.os),
    },
  });
  expect(renderSecretsBundle(parseSecretsBundle({ path: 'secrets.json', text: json })).reveal()).toBe(text);
});

test('a new bundle can be read again and has the alphabet of its contract', async () => {
  for (const contract of ['1.13', '1.14'] as const) {
    const bundle = await createSecretsBundle(world, contract);
    const again = parseSecretsBundle({ path: 'secrets.yaml', text: renderSecretsBundle(bundle).reveal() });
    expect(renderSecretsBundle(again).reveal()).toBe(renderSecretsBundle(bundle).reveal());
    expect(bundle.bootstrapToken.reveal()).toMatch(/^[a-z0-9]{6}\.[a-z0-9]{16}$/);
    expect(Buffer.from(bundle.cluster.id, contract === '1.14' ? 'base64' : 'base64url').length).toBe(32);
    expect(bundle.cluster.id).toMatch(contract === '1.14' ? /^[A-Za-z0-9+/]+=$/ : /^[A-Za-z0-9_-]+=$/);
  }
});

test('a new bundle for an old contract has the keys that a cluster of it was made with', async () => {
  const made = await Promise.all((['1.2', '1.3', '1.6', '1.7'] as const).map((contract) => createSecretsBundle(world, contract)));
  const shapes = made.map((bundle) => {
    const text = renderSecretsBundle(parseSecretsBundle({ path: 'secrets.yaml', text: renderSecretsBundle(bundle).reveal() })).reveal();
    const pem = Buffer.from(/k8sserviceaccount:\s+key: (\S+)/.exec(text)?.[1] ?? '', 'base64').toString();
    return `${/(secretbox|aescbc)encryptionsecret/.exec(text)?.[1]} ${/BEGIN (.*?)-/.exec(pem)?.[1]}`;
  });
  // Source: Talos pkg/machinery/config/generate/secrets/bundle.go
  expect(shapes).toEqual(['aescbc EC PRIVATE KEY', 'secretbox EC PRIVATE KEY', 'secretbox EC PRIVATE KEY', 'secretbox RSA PRIVATE KEY']);
});

test('all problems of a bundle are reported at once, and none of them shows a secret', () => {
  const text = recorded('talosctl-1.14')
    .replace('bootstraptoken:', 'bootstrapToken2:')
    .replace('trustdinfo:', 'trustinfo:')
    .replace(/crt: .*/, 'crt: aGVsbG8=');
  let thrown: unknown;
  try {
    parseSecretsBundle({ path: 'talsecret.yaml', text });
  } catch (error) {
    thrown = error;
  }
  const failures = thrown instanceof TkError ? thrown.failures : [];
  expect(failures.map(({ code, facts }) => ({ code, ...facts }))).toEqual([
    { code: 'talos-config/bundle-unknown-key', key: 'secrets.bootstrapToken2', suggestion: 'secrets.bootstraptoken' },
    { code: 'talos-config/bundle-unknown-key', key: 'trustinfo', suggestion: 'trustdinfo' },
    { code: 'talos-config/bundle-field-invalid', field: 'certs.etcd.crt', expected: 'base64 of PEM' },
    { code: 'talos-config/bundle-field-missing', field: 'secrets.bootstraptoken' },
    { code: 'talos-config/bundle-field-missing', field: 'trustdinfo.token' },
  ]);
  const printed = JSON.stringify(failures);
  for (const value of text.match(/[A-Za-z0-9+/=]{24,}/g) ?? []) expect(printed).not.toContain(value);
});

test('a value that vals would fetch from elsewhere is named with what to do about it', () => {
  const text = recorded('talosctl-1.14').replace(/bootstraptoken: .*/, 'bootstraptoken: ref+vault://secret/talos#/token');
  let told: readonly unknown[] = [];
  try {
    parseSecretsBundle({ path: 'secrets.yaml', text });
  } catch (error) {
    if (error instanceof TkError) told = error.failures;
  }
  expect(told).toEqual([
    {
      code: 'talos-config/bundle-reference',
      facts: { field: 'secrets.bootstraptoken', scheme: 'ref+vault', path: 'secrets.yaml' },
      where: { kind: 'file', path: 'secrets.yaml', line: 5, column: 21 },
    },
  ]);
});
