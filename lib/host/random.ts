import { promisify } from 'node:util';
import { type Clock, type KeyKind, type Random, Secret } from '../base/index.ts';

/** Costs a fifth of a bare start, and most commands that are quick need no randomness. */
const crypto = () => process.getBuiltinModule('node:crypto');

export function createHostRandom(clock: Clock): Random {
  return {
    bytes: (count) => new Uint8Array(crypto().randomBytes(count)),
    fraction: () => crypto().randomInt(2 ** 47) / 2 ** 47,
    privateKey: (kind) =>
      clock.whileBusy(async () => {
        const { privateKey } = await keyPair(kind);
        return new Secret(new Uint8Array(privateKey.export({ type: 'pkcs8', format: 'der' })));
      }),
  };
}

function keyPair(kind: KeyKind) {
  const generate = promisify(crypto().generateKeyPair);
  switch (kind) {
    case 'ed25519':
      return generate('ed25519');
    case 'p256':
      return generate('ec', { namedCurve: 'P-256' });
    case 'rsa4096':
      return generate('rsa', { modulusLength: 4096 });
  }
}
