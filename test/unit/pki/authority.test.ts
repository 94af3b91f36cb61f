import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer, connect } from 'node:tls';
import { expect, test } from 'vitest';
import { type KeyKind, Secret } from '../../../lib/base/index.ts';
import { createCertificateAuthority, hours, issue, parseCertificate, relabelKey, spkiSha256 } from '../../../lib/pki/index.ts';

const newKey: Record<KeyKind, () => Buffer> = {
  ed25519: () => generateKeyPairSync('ed25519').privateKey.export({ format: 'der', type: 'pkcs8' }),
  p256: () => generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey.export({ format: 'der', type: 'pkcs8' }),
  rsa4096: () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'der', type: 'pkcs8' }),
};

const start = Date.UTC(2026, 10, 21, 12, 0, 0);
const world = {
  clock: { now: () => start, monotonicMs: () => 0, sleep: async () => {}, whileBusy: <T>(work: () => Promise<T>) => work() },
  random: {
    bytes: (count: number) => randomBytes(count),
    fraction: () => 0.5,
    privateKey: async (kind: KeyKind) => new Secret<Uint8Array>(newKey[kind]()),
  },
};

test('an authority of each kind has the shape that Talos gives it', async () => {
  for (const kind of ['ed25519', 'p256', 'rsa4096'] as const) {
    const ca = await createCertificateAuthority(world, { kind, organization: 'talos' });
    const facts = parseCertificate(ca.certificate);
    expect({
      ...facts,
      serialHex: facts.serialHex.length >= 30,
      subject: 0,
      issuer: 0,
      publicKey: 0,
      subjectKeyId: facts.subjectKeyId?.length,
      spkiSha256: facts.spkiSha256.length,
    }).toEqual({
      organizations: ['talos'],
      commonName: '',
      subject: 0,
      issuer: 0,
      serialHex: true,
      notBeforeMs: start,
      notAfterMs: start + hours(87_600),
      isCa: true,
      keyUsages: ['digitalSignature', 'certSign'],
      extendedKeyUsages: ['serverAuth', 'clientAuth'],
      dnsNames: [],
      ipAddresses: [],
      subjectKeyId: 20,
      publicKey: 0,
      spkiSha256: 44,
    });
  }
});

test('private keys carry the labels that Talos writes and Node can read them after relabelling', async () => {
  const labels: Record<string, string> = {};
  for (const kind of ['ed25519', 'p256', 'rsa4096'] as const) {
    const { key } = await createCertificateAuthority(world, { kind });
    labels[kind] = /-----BEGIN (.*)-----/.exec(key.reveal())?.[1] ?? '';
    expect(relabelKey(key.reveal())).not.toContain('ED25519');
  }
  expect(labels).toEqual({ ed25519: 'ED25519 PRIVATE KEY', p256: 'EC PRIVATE KEY', rsa4096: 'RSA PRIVATE KEY' });
});

test('an admin certificate carries its roles and nothing but client authentication', async () => {
  const ca = await createCertificateAuthority(world, { kind: 'ed25519', organization: 'talos' });
  const admin = await issue(world, ca, {
    organizations: ['os:admin', 'os:reader'],
    extendedKeyUsages: ['clientAuth'],
    validityMs: hours(8760),
  });
  const facts = parseCertificate(admin.certificate);
  expect(facts.organizations).toEqual(['os:admin', 'os:reader']);
  expect(facts.extendedKeyUsages).toEqual(['clientAuth']);
  expect(facts.keyUsages).toEqual(['digitalSignature']);
  expect(facts.isCa).toBe(false);
  expect(facts.authorityKeyId).toEqual(parseCertificate(ca.certificate).subjectKeyId);
});

test('a TLS handshake with mutual authentication succeeds over our certificates', async () => {
  const ca = await createCertificateAuthority(world, { kind: 'ed25519', organization: 'talos' });
  const now = Date.now();
  const present = { ...world, clock: { ...world.clock, now: () => now } };
  const liveCa = await createCertificateAuthority(present, { kind: 'ed25519', organization: 'talos' });
  const server = await issue(present, liveCa, {
    dnsNames: ['localhost'],
    ipAddresses: ['127.0.0.1'],
    extendedKeyUsages: ['serverAuth'],
    validityMs: hours(1),
  });
  const client = await issue(present, liveCa, { organizations: ['os:admin'], extendedKeyUsages: ['clientAuth'], validityMs: hours(1) });
  const listener = createServer(
    { cert: server.certificate, key: relabelKey(server.key.reveal()), ca: liveCa.certificate, requestCert: true, rejectUnauthorized: true },
    (socket) => {
      socket.end(String(socket.getPeerCertificate().subject['O']));
    },
  );
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const address = listener.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const answer = await new Promise<string>((resolve, reject) => {
    const socket = connect({
      port,
      host: '127.0.0.1',
      ca: liveCa.certificate,
      cert: client.certificate,
      key: relabelKey(client.key.reveal()),
    });
    socket.on('data', (data) => resolve(data.toString()));
    socket.on('error', reject);
  });
  listener.close();
  expect(answer).toBe('os:admin');
  expect(spkiSha256(ca.certificate)).not.toBe(spkiSha256(liveCa.certificate));
});
