import { generateKeyPairSync } from 'node:crypto';
import type { KeyKind } from '../base/index.ts';
import { fixtureRsaKey } from './fixture-rsa-key.ts';

const poolSize: Record<KeyKind, number> = { ed25519: 48, p256: 24, rsa4096: 1 };
const pool = new Map<string, Uint8Array>();

/**
 * PKCS#8 DER of key number `index` of a stream, counted round its pool. Made at most once per process: a run must not depend on
 * the bytes of a key, only on which keys are the same. Two streams never share one, as two machines never do: a certificate that
 * one made would otherwise pass for the other's. Only RSA keys, which are slow to make, are the same for all.
 */
export function fixtureKey(kind: KeyKind, stream: string, index: number): Uint8Array {
  const slot = `${kind}/${index % poolSize[kind]}/${kind === 'rsa4096' ? '' : stream}`;
  let key = pool.get(slot);
  if (!key) {
    key = generate(kind);
    pool.set(slot, key);
  }
  return key;
}

function generate(kind: KeyKind): Uint8Array {
  const encoding = { type: 'pkcs8', format: 'der' } as const;
  const publicKeyEncoding = { type: 'spki', format: 'der' } as const;
  switch (kind) {
    case 'ed25519':
      return generateKeyPairSync('ed25519', { privateKeyEncoding: encoding, publicKeyEncoding }).privateKey;
    case 'p256':
      return generateKeyPairSync('ec', { namedCurve: 'P-256', privateKeyEncoding: encoding, publicKeyEncoding }).privateKey;
    case 'rsa4096':
      return Buffer.from(fixtureRsaKey, 'base64');
  }
}
