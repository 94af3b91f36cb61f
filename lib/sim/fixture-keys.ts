import { generateKeyPairSync } from 'node:crypto';
import type { KeyKind } from '../base/index.ts';

const poolSize: Record<KeyKind, number> = { ed25519: 48, p256: 24, rsa4096: 1 };
const pool = new Map<string, Uint8Array>();

/**
 * PKCS#8 DER of the simulator's key number `index`, counted round the pool. Made at most once per process: a run must not
 * depend on the bytes of a key, only on which keys are the same.
 */
export function fixtureKey(kind: KeyKind, index: number): Uint8Array {
  const slot = `${kind}/${index % poolSize[kind]}`;
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
      return generateKeyPairSync('rsa', { modulusLength: 4096, privateKeyEncoding: encoding, publicKeyEncoding }).privateKey;
  }
}
