import { Buffer } from 'node:buffer';
import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { type KeyKind, type Secret, TkError } from '../base/index.ts';
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
  return pkcs8.map((der) => {
    const key = createPrivateKey({ key: Buffer.from(der), format: 'der', type: 'pkcs8' });
    switch (kindOf(key)) {
      case 'ed25519':
        return renderPem(talosEd25519Label, key.export({ format: 'der', type: 'pkcs8' }));
      case 'p256':
        return renderPem('EC PRIVATE KEY', key.export({ format: 'der', type: 'sec1' }));
      case 'rsa4096':
        return renderPem('RSA PRIVATE KEY', key.export({ format: 'der', type: 'pkcs1' }));
    }
  });
}

/** The same key under a label that Node reads (`PRIVATE KEY`); keys that Node reads as they are stay. */
export function relabelKey(pem: string): string {
  return pem.replaceAll(talosEd25519Label, 'PRIVATE KEY');
}

/** The same key under Talos' own label. */
export function relabelKeyForTalos(pem: string): string {
  return pem.includes('-----BEGIN PRIVATE KEY-----') && isEd25519(pem) ? pem.replaceAll('PRIVATE KEY', talosEd25519Label) : pem;
}

function isEd25519(pem: string): boolean {
  return createPrivateKey(pem).asymmetricKeyType === 'ed25519';
}

/** Failure: `pki/malformed`, `pki/unsupported-key`. */
export function loadPrivateKey(pem: Secret<string>): KeyObject {
  const block = parsePem(pem.reveal(), 'private key');
  const type = block.label === 'RSA PRIVATE KEY' ? 'pkcs1' : block.label === 'EC PRIVATE KEY' ? 'sec1' : 'pkcs8';
  try {
    return createPrivateKey({ key: Buffer.from(block.der), format: 'der', type });
  } catch {
    // The library's own message may quote the input.
    throw new TkError(pkiFailure('pki/malformed', { what: 'private key', reason: `not a ${block.label.toLowerCase()}` }));
  }
}

export function kindOf(key: KeyObject): KeyKind {
  if (key.asymmetricKeyType === 'ed25519') return 'ed25519';
  if (key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1') return 'p256';
  if (key.asymmetricKeyType === 'rsa') return 'rsa4096';
  throw new TkError(
    pkiFailure('pki/unsupported-key', { kind: key.asymmetricKeyDetails?.namedCurve ?? key.asymmetricKeyType ?? 'unknown' }),
  );
}

/** SubjectPublicKeyInfo of a private or public key. */
export function spkiOf(key: KeyObject): Uint8Array {
  return (key.type === 'private' ? createPublicKey(key) : key).export({ format: 'der', type: 'spki' });
}

/** base64(SHA-256(SubjectPublicKeyInfo)), as Talos prints fingerprints. */
export function fingerprintOf(spki: Uint8Array): string {
  return createHash('sha256').update(spki).digest('base64');
}
