import { allOf, count } from '../../base/index.ts';
import type { SecretsFailures } from '../../secrets/index.ts';
import type { Printers } from './printer.ts';

const ticked = (values: readonly string[]): string => allOf(values.map((value) => `\`${shortened(value)}\``));

/** Post-quantum recipients have 1959 characters. */
const shortened = (text: string): string => (text.length > 80 ? `${text.slice(0, 24)}…` : text);

const keyProblem = { unreadable: 'cannot be read', empty: 'holds no key', 'not-a-key': 'holds no age key that tk can use' } as const;
const ruleProblem = {
  syntax: 'is not valid YAML',
  regex: 'has an expression that is not valid',
  'two-selections': 'chooses what to encrypt in more than one way',
  'no-recipient': 'names no age recipient',
} as const;

export const secretsPrinters: Printers<SecretsFailures> = {
  'secrets/no-key': (f) => ({
    title: `no age key was found for \`${f.file}\``,
    because: `it is encrypted for ${ticked(f.recipients)}; looked into ${ticked(f.searched)}`,
    help: 'put the key into `age.key`, or set `SOPS_AGE_KEY_FILE`',
  }),
  'secrets/wrong-key': (f) => ({
    title: `\`${f.file}\` is encrypted for another key`,
    because: `it is for ${ticked(f.recipients)}, but the ${f.identities.length === 1 ? 'key' : 'keys'} found ${f.identities.length === 1 ? 'is' : 'are'} for ${ticked(f.identities)}`,
    help: `put its key into \`age.key\` or set \`SOPS_AGE_KEY_FILE\`; looked into ${ticked(f.searched)}`,
  }),
  'secrets/key-file': (f) => ({
    title: `the key file \`${f.path}\` ${keyProblem[f.problem]}`,
    help: 'put the age key there (`age-keygen` prints one), or set `SOPS_AGE_KEY_FILE` to where it is',
  }),
  'secrets/key-command': (f) => ({
    title: `\`${f.command}\` of SOPS_AGE_KEY_CMD ended with ${f.exitCode}`,
    help: 'run it by hand to see why',
  }),
  'secrets/tampered': (f) => ({
    title:
      f.at === undefined
        ? `\`${f.file}\` was changed after it was encrypted`
        : `\`${f.at}\` in \`${f.file}\` was changed after it was encrypted`,
    because: f.at === undefined ? 'its checksum does not fit its values' : 'the value does not authenticate under the key of the file',
    help: 'restore the file from git and edit it with `sops`',
  }),
  'secrets/not-encrypted': (f) => ({ title: `\`${f.file}\` is not encrypted`, help: `npx tk sops encrypt ${f.file}` }),
  'secrets/already-encrypted': (f) => ({ title: `\`${f.file}\` is encrypted already` }),
  'secrets/no-rule': (f) => ({ title: `no creation rule matches \`${f.file}\``, help: `add a rule to \`${f.rules}\`` }),
  'secrets/bad-rules': (f) => ({
    title:
      f.rule === undefined
        ? `\`${f.file}\` ${ruleProblem[f.problem]}`
        : `creation rule ${f.rule} of \`${f.file}\` ${ruleProblem[f.problem]}`,
  }),
  'secrets/bad-recipient': (f) => ({
    title: `\`${shortened(f.recipient)}\` is not an age recipient`,
    help: `correct it where \`${f.file}\` gets its recipients from`,
  }),
  'secrets/unsupported-key': (f) => ({
    title: `\`${f.file}\` needs ${count(f.kinds.length, 'kind')} of key that tk does not speak: ${ticked(f.kinds)}`,
    help: 'use the sops program for this file, or add an age recipient',
  }),
  'secrets/bad-metadata': (f) => ({ title: `the metadata of \`${f.file}\` is damaged at \`${f.problem}\`` }),
  'secrets/unreadable': (f) => ({ title: `\`${f.file}\` cannot be read as ${f.format}${f.line === undefined ? '' : `, line ${f.line}`}` }),
  'secrets/bad-value': (f) => ({ title: `\`${f.at}\` in \`${f.file}\` has a value that cannot be encrypted in this format` }),
  'secrets/plaintext': (f) => ({
    title: `\`${f.file}\` holds ${f.at} in plain text, and git would take it`,
    help: `encrypt it (\`npx tk sops encrypt ${f.file}\`) or add it to .gitignore`,
  }),
};
