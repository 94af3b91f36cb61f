import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { Secret } from '../../../../lib/base/index.ts';
import { parseCertificate } from '../../../../lib/pki/index.ts';
import { generateTalosconfig, parseSecretsBundle } from '../../../../lib/talos/machine-config.ts';

const bundleOf = (minor: string) =>
  parseSecretsBundle({
    path: 'talsecret.yaml',
    text: readFileSync(new URL(`../../../conformance/machineconfig/bundles/talosctl-${minor}.yaml`, import.meta.url), 'utf8'),
  });
const day = 24 * 3_600_000;
const start = Date.UTC(2026, 10, 22);
const worldAt = (now: number) => ({
  clock: { now: () => now, monotonicMs: () => 0, sleep: async () => {}, whileBusy: <T>(work: () => Promise<T>) => work() },
  random: {
    bytes: (count: number) => randomBytes(count),
    fraction: () => 0.5,
    privateKey: async () => new Secret<Uint8Array>(generateKeyPairSync('ed25519').privateKey.export({ format: 'der', type: 'pkcs8' })),
  },
});
const options = { clusterName: 'home', endpoints: ['192.168.42.10'], nodes: ['192.168.42.10', '192.168.42.20'] };
const field = (text: string, name: string) => Buffer.from(new RegExp(`^ +${name}: (.*)$`, 'm').exec(text)?.[1] ?? '', 'base64').toString();

test('a talosconfig names its endpoints and nodes, and carries an admin certificate of the cluster', async () => {
  const bundle = bundleOf('1.14');
  const { text, notAfterMs, certificateKept } = await generateTalosconfig(worldAt(start), bundle, options);
  const written = text.reveal();
  const facts = parseCertificate(field(written, 'crt'));
  expect([certificateKept, facts.organizations, facts.extendedKeyUsages, notAfterMs]).toEqual([
    false,
    ['os:admin'],
    ['clientAuth'],
    start + 365 * day,
  ]);
  expect(field(written, 'ca')).toBe(bundle.certs.os.certificate);
  expect(written.replace(/(ca|crt|key): .*/g, '$1')).toBe(
    'context: home\ncontexts:\n    home:\n        endpoints:\n            - 192.168.42.10\n        nodes:\n            - 192.168.42.10\n            - 192.168.42.20\n        ca\n        crt\n        key\n',
  );
});

test('the certificate of a talosconfig is kept while it is good, and made anew when it is not', async () => {
  const bundle = bundleOf('1.14');
  const first = await generateTalosconfig(worldAt(start), bundle, options);
  const existing = { path: 'talosconfig', text: first.text.reveal() };
  const again = async (changes: object, at = start + day, secrets = bundle) => {
    const made = await generateTalosconfig(worldAt(at), secrets, { ...options, existing, ...changes });
    return made.certificateKept ? (made.text.reveal() === existing.text ? 'same file' : 'same certificate') : 'new certificate';
  };
  expect(await again({})).toBe('same file');
  expect(await again({ endpoints: ['192.168.42.11'] })).toBe('same certificate');
  expect(await again({ rotate: true })).toBe('new certificate');
  expect(await again({ roles: ['os:reader'] })).toBe('new certificate');
  expect(await again({}, start + 340 * day)).toBe('new certificate');
  expect(await again({}, start + day, bundleOf('1.13'))).toBe('new certificate');
  expect(await again({ existing: { path: 'talosconfig', text: 'contexts: {home: {crt: AAAA, key: AAAA}}\n' } })).toBe('new certificate');
});
