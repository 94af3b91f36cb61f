import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type Env, type Exec, type Random, Secret } from '../../../lib/base/index.ts';
import { type KeyRing, parseIdentities } from '../../../lib/secrets/index.ts';

/** Bytes that repeat from run to run: a counter through SHA-256. */
export function countingRandom(seed = 'tk'): Random {
  let counter = 0;
  return {
    bytes: (count) => {
      const bytes = new Uint8Array(count);
      for (let at = 0; at < count; at += 32) {
        counter += 1;
        bytes.set(
          createHash('sha256')
            .update(`${seed}${counter}`)
            .digest()
            .subarray(0, Math.min(32, count - at)),
          at,
        );
      }
      return bytes;
    },
    fraction: () => 0.5,
    privateKey: () => Promise.reject(new Error('no keys here')),
  };
}

export const ports = (seed?: string) => ({
  random: countingRandom(seed),
  clock: { now: () => Date.UTC(2026, 0, 2, 3, 4, 5), whileBusy: <T>(work: () => Promise<T>) => work() },
});

export const recorded = (path: string): string => readFileSync(new URL(`../../conformance/sops/${path}`, import.meta.url), 'utf8');

export const ringOf = (...names: readonly string[]): KeyRing => ({
  identities: names.flatMap((name) => parseIdentities(new Secret(recorded(name)), name)),
  searched: names,
});

export const memoryFiles = (files: Readonly<Record<string, string>>) => ({
  readText: async (path: string) => (Object.hasOwn(files, path) ? files[path] : undefined),
});

export const envOf = (values: Readonly<Record<string, string>>, platform: Env['platform'] = 'linux'): Env => ({
  get: (name) => (Object.hasOwn(values, name) ? values[name] : undefined),
  home: '/home/me',
  platform,
});

export const noCommands: Exec = { run: () => Promise.reject(new Error('no command was expected')) };
