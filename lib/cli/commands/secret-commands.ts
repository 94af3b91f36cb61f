import type { Command } from './command.ts';

export const secretCommands: readonly Command[] = [
  {
    name: 'sops:encrypt',
    summary: 'Encrypt a file by the rules of .sops.yaml',
    usage: 'sops encrypt FILE [--out F]',
    arguments: [
      { name: 'file', kind: 'value', position: 0, required: true },
      {
        name: 'out',
        kind: 'value',
        value: 'F',
        about: 'write there instead of standard output; values that did not change keep their ciphertext',
      },
    ],
    load: async () => ({ run: (await import('./sops.ts')).encrypt }),
  },
  {
    name: 'sops:decrypt',
    summary: 'Decrypt a SOPS file with the age keys of this machine',
    usage: 'sops decrypt FILE [--out F]',
    arguments: [
      { name: 'file', kind: 'value', position: 0, required: true },
      { name: 'out', kind: 'value', value: 'F', about: 'write there, for its owner only, instead of standard output' },
    ],
    load: async () => ({ run: (await import('./sops.ts')).decrypt }),
  },
];
