import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { type Clock, type Random, Secret, type TalosTrust } from '../../lib/base/index.ts';
import { createCertificateAuthority, hours, issue, type PemPair, relabelKey, spkiSha256 } from '../../lib/pki/index.ts';

/** Keys and time of the test machine, as far as certificates need them. */
const here = {
  clock: { now: () => Date.now() } as Clock,
  random: {
    bytes: (count) => new Uint8Array(randomBytes(count)),
    fraction: () => 0,
    privateKey: async () => new Secret(new Uint8Array(generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'der' }))),
  } satisfies Random as Random,
};

export interface TestPki {
  /** PEM of the authority. */
  readonly ca: string;
  serverPair(
    address: string,
    options?: { readonly validityMs?: number; readonly startsInMs?: number },
  ): Promise<{ certificate: string; key: Secret<string>; spkiSha256: string }>;
  mutual(...roles: string[]): Promise<Extract<TalosTrust, { kind: 'mutual' }>>;
}

/** An Ed25519 authority as a Talos cluster has it. */
export async function testPki(): Promise<TestPki> {
  const authority = await createCertificateAuthority(here, { kind: 'ed25519', organization: 'talos' });
  const plain = (pair: PemPair) => ({ certificate: pair.certificate, key: pair.key.map(relabelKey) });
  return {
    ca: authority.certificate,
    async serverPair(address, options = {}) {
      const clock = { now: () => Date.now() + (options.startsInMs ?? 0) } as Clock;
      const isAddress = /^[\d.]+$|:/.test(address);
      const pair = await issue({ ...here, clock }, authority, {
        extendedKeyUsages: ['serverAuth'],
        ...(isAddress ? { ipAddresses: [address] } : { dnsNames: [address] }),
        validityMs: options.validityMs ?? hours(24),
      });
      return { ...plain(pair), spkiSha256: spkiSha256(pair.certificate) };
    },
    async mutual(...roles) {
      const pair = await issue(here, authority, { organizations: roles, extendedKeyUsages: ['clientAuth'], validityMs: hours(24) });
      return { kind: 'mutual', ca: authority.certificate, ...plain(pair) };
    },
  };
}
