import { Buffer } from 'node:buffer';
import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { type KeyKind, remembered, Secret, TkError } from '../base/index.ts';
import { pkiFailure } from './failures.ts';
import { parsePem, renderPem } from './pem.ts';

const talosEd25519Label = 'ED25519 PRIVATE KEY';

/**
 * PKCS#8 DER as the PEM text that Talos writes for its kind: Ed25519 in PKCS#8 under a label of its own, P-256 as SEC 1, RSA as
 * PKCS#1.
 *
 * Source: siderolabs/crypto x509/key.go
 */
export function talosKeyPem(pkcs8: Secret<Uint8Array>): Secret<string> {
  const key = keyOfDer(pkcs8);
  switch (kindOf(key)) {
    case 'ed25519':
      return new Secret(renderPem(talosEd25519Label, key.export({ format: 'der', type: 'pkcs8' })));
    case 'p256':
      return new Secret(renderPem('EC PRIVATE KEY', key.export({ format: 'der', type: 'sec1' })));
    case 'rsa4096':
      return new Secret(renderPem('RSA PRIVATE KEY', key.export({ format: 'der', type: 'pkcs1' })));
  }
}

/** The few keys of a cluster sign again and again, and OpenSSL reads slowly. */
const remembers = 100;

const readDer = remembered((base64: string) => createPrivateKey({ key: Buffer.from(base64, 'base64'), format: 'der', type: 'pkcs8' }), {
  keyOf: (base64) => base64,
  limit: remembers,
});

/** A key in PKCS#8 DER. */
export const keyOfDer = (pkcs8: Secret<Uint8Array>): KeyObject => readDer(Buffer.from(pkcs8.reveal()).toString('base64'));

/** The same key under a label that Node reads (`PRIVATE KEY`); keys that Node reads as they are stay. */
export function relabelKey(pem: string): string {
  return pem.replaceAll(talosEd25519Label, 'PRIVATE KEY');
}

const readPem = remembered(
  (pem: string): KeyObject => {
    const block = parsePem(pem, 'private key');
    const type = block.label === 'RSA PRIVATE KEY' ? 'pkcs1' : block.label === 'EC PRIVATE KEY' ? 'sec1' : 'pkcs8';
    try {
      return createPrivateKey({ key: Buffer.from(block.der), format: 'der', type });
    } catch {
      // The library's own message may quote the input.
      throw new TkError(pkiFailure('pki/malformed', { what: 'private key', reason: `not a ${block.label.toLowerCase()}` }));
    }
  },
  { keyOf: (pem) => pem, limit: remembers },
);

/** Failure: `pki/malformed`, `pki/unsupported-key`. */
export const loadPrivateKey = (pem: Secret<string>): KeyObject => readPem(pem.reveal());

export function kindOf(key: KeyObject): KeyKind {
  if (key.asymmetricKeyType === 'ed25519') return 'ed25519';
  if (key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1') return 'p256';
  if (key.asymmetricKeyType === 'rsa') return 'rsa4096';
  throw new TkError(
    pkiFailure('pki/unsupported-key', { kind: key.asymmetricKeyDetails?.namedCurve ?? key.asymmetricKeyType ?? 'unknown' }),
  );
}

const spkis = new WeakMap<KeyObject, Uint8Array>();

/** SubjectPublicKeyInfo of a private or public key. */
export function spkiOf(key: KeyObject): Uint8Array {
  let spki = spkis.get(key);
  if (!spki) {
    spki = (key.type === 'private' ? createPublicKey(key) : key).export({ format: 'der', type: 'spki' });
    spkis.set(key, spki);
  }
  return spki;
}

/** base64(SHA-256(SubjectPublicKeyInfo)), as Talos prints fingerprints. */
export function fingerprintOf(spki: Uint8Array): string {
  return createHash('sha256').update(spki).digest('base64');
}
