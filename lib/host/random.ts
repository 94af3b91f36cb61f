import type { KeyObject } from 'node:crypto';
import { type Clock, type KeyKind, type Random, Secret } from '../base/index.ts';

/** Costs a fifth of a bare start, and most commands that are quick need no randomness. */
const crypto = () => process.getBuiltinModule('node:crypto');

export function createHostRandom(clock: Clock): Random {
  return {
    bytes: (count) => new Uint8Array(crypto().randomBytes(count)),
    fraction: () => crypto().randomInt(2 ** 47) / 2 ** 47,
    privateKey: (kind) =>
      clock.whileBusy(async () => {
        const privateKey = await newKey(kind);
        return new Secret(new Uint8Array(privateKey.export({ type: 'pkcs8', format: 'der' })));
      }),
  };
}

function newKey(kind: KeyKind): Promise<KeyObject> {
  const { generateKeyPair } = crypto();
  const { promise, resolve, reject } = Promise.withResolvers<KeyObject>();
  const made = (error: Error | null, _publicKey: KeyObject, privateKey: KeyObject) => (error ? reject(error) : resolve(privateKey));
  switch (kind) {
    case 'ed25519':
      generateKeyPair('ed25519', {}, made);
      break;
    case 'p256':
      generateKeyPair('ec', { namedCurve: 'P-256' }, made);
      break;
    case 'rsa4096':
      generateKeyPair('rsa', { modulusLength: 4096 }, made);
      break;
  }
  return promise;
}
