import { createHash, createPrivateKey } from 'node:crypto';
import { type KeyKind, Secret } from '../../../lib/base/index.ts';
import { createCertificateAuthority, hours, issue, type PemPair } from '../../../lib/pki/index.ts';

/** A world whose keys, random bytes and clock are fixed, so that what it makes can be recorded. */
export function fixedWorld(keys: Readonly<Record<KeyKind, string>>) {
  let drawn = 0;
  const now = Date.UTC(2026, 10, 21, 12, 0, 0);
  return {
    clock: { now: () => now, monotonicMs: () => 0, sleep: async () => {}, whileBusy: <T>(work: () => Promise<T>) => work() },
    random: {
      bytes: (count: number) => createHash('sha512').update(`draw ${drawn++}`).digest().subarray(0, count),
      fraction: () => 0.5,
      privateKey: async (kind: KeyKind) => new Secret<Uint8Array>(createPrivateKey(keys[kind]).export({ format: 'der', type: 'pkcs8' })),
    },
  };
}

/** Every shape of certificate that tk makes. */
export async function everyCertificate(keys: Readonly<Record<KeyKind, string>>): Promise<Record<string, PemPair>> {
  const world = fixedWorld(keys);
  const os = await createCertificateAuthority(world, { kind: 'ed25519', organization: 'talos' });
  const kubernetes = await createCertificateAuthority(world, { kind: 'p256', organization: 'kubernetes' });
  const aggregator = await createCertificateAuthority(world, { kind: 'p256' });
  const rsa = await createCertificateAuthority(world, { kind: 'rsa4096', organization: 'old' });
  return {
    os,
    kubernetes,
    aggregator,
    rsa,
    admin: await issue(world, os, { organizations: ['os:admin', 'os:reader'], extendedKeyUsages: ['clientAuth'], validityMs: hours(8760) }),
    node: await issue(world, os, {
      commonName: 'cp-1',
      dnsNames: ['cp-1', 'localhost'],
      ipAddresses: ['192.168.1.10', '::1', 'fd00:1:0:0:2::3'],
      extendedKeyUsages: ['serverAuth'],
      validityMs: hours(24),
    }),
    kubeconfig: await issue(world, kubernetes, {
      organizations: ['system:masters'],
      commonName: 'admin',
      keyUsages: ['digitalSignature', 'keyEncipherment'],
      extendedKeyUsages: ['clientAuth'],
      validityMs: hours(8760),
      backdateMs: 10_000,
    }),
    namesOnly: await issue(world, kubernetes, {
      dnsNames: ['kubernetes.default.svc'],
      extendedKeyUsages: ['serverAuth', 'clientAuth'],
      validityMs: hours(1),
    }),
    umlaut: await issue(world, rsa, {
      organizations: ['Bücher & Söhne'],
      extendedKeyUsages: ['clientAuth'],
      validityMs: hours(24 * 365 * 30),
    }),
  };
}
