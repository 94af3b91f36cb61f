import { hash } from 'node:crypto';
import { type KeyKind, type Random, Secret } from '../base/index.ts';
import { fixtureKey } from './fixture-keys.ts';

/**
 * A seeded stream (xoshiro128**). Same seed and name, same draws. Keys come from the fixture pool in turn, because key
 * generation is slow and cannot be seeded.
 */
export function createSeededRandom(seed: string, stream: string): Random {
  const digest = hash('sha256', `${seed}\0${stream}`, 'binary');
  const state = Uint32Array.of(wordAt(digest, 0), wordAt(digest, 4), wordAt(digest, 8), wordAt(digest, 12));
  const draw = (): number => {
    const a = state[0] as number;
    const b = state[1] as number;
    const c = state[2] as number;
    const d = state[3] as number;
    const scrambled = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9) >>> 0;
    const c2 = c ^ a;
    const d2 = d ^ b;
    state[1] = b ^ c2;
    state[0] = a ^ d2;
    state[2] = c2 ^ (b << 9);
    state[3] = rotateLeft(d2, 11);
    return scrambled;
  };
  const issued: Record<KeyKind, number> = { ed25519: draw() % 64, p256: draw() % 64, rsa4096: draw() % 64 };
  return {
    bytes(count) {
      const bytes = new Uint8Array(count);
      for (let index = 0; index < count; index += 4) {
        const word = draw();
        for (let byte = 0; byte < 4 && index + byte < count; byte += 1) bytes[index + byte] = (word >>> (8 * byte)) & 255;
      }
      return bytes;
    },
    fraction: () => draw() / 2 ** 32,
    privateKey: async (kind) => {
      const key = fixtureKey(kind, stream, issued[kind]);
      issued[kind] += 1;
      return new Secret(key);
    },
  };
}

/** Little-endian, of four characters with a byte each. */
const wordAt = (bytes: string, at: number): number =>
  bytes.charCodeAt(at) | (bytes.charCodeAt(at + 1) << 8) | (bytes.charCodeAt(at + 2) << 16) | (bytes.charCodeAt(at + 3) << 24);

const rotateLeft = (value: number, by: number): number => (value << by) | (value >>> (32 - by));
