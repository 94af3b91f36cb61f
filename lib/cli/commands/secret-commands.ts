import type { ArgumentShape } from '../argv.ts';
import type { Command } from './command.ts';

const fileAndOut: readonly ArgumentShape[] = [
  { name: 'file', kind: 'value', position: 0, required: true },
  { name: 'out', kind: 'value' },
];

export const secretCommands: readonly Command[] = [
  {
    name: 'sops:encrypt',
    summary: 'Encrypt a file by the rules of .sops.yaml',
    usage: 'sops encrypt FILE [--out F]',
    options: [['--out F', 'write there instead of standard output; values that did not change keep their ciphertext']],
    arguments: fileAndOut,
    load: async () => ({ run: (await import('./sops.ts')).encrypt }),
  },
  {
    name: 'sops:decrypt',
    summary: 'Decrypt a SOPS file with the age keys of this machine',
    usage: 'sops decrypt FILE [--out F]',
    options: [['--out F', 'write there, for its owner only, instead of standard output']],
    arguments: fileAndOut,
    load: async () => ({ run: (await import('./sops.ts')).decrypt }),
  },
];
