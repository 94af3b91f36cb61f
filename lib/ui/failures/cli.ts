import type { Printers } from './printer.ts';

/** What the command line itself refuses. Declared here, because `lib/cli` lies above and no layer may import it. */
export type CliFailures = {
  'usage/unknown-command': { word: string; suggestion?: string };
  'usage/unknown-flag': { flag: string; command: string; suggestion?: string };
  'usage/missing-value': { flag: string };
  'usage/missing-argument': { command: string; argument: string };
  'usage/unexpected-argument': { command: string; argument: string };
  'usage/bad-value': { flag: string; value: string; expected: string };
  'usage/flags-exclude': { one: string; other: string };
  'usage/file-missing': { path: string; argument: string };
  /** A task file of the user's could not be loaded. `reason` is what Node said. */
  'usage/task-file': { path: string; reason: string };
  'usage/config-file': { path: string; reason: string };
  /** Something that must never be overwritten is there already. */
  'usage/file-exists': { path: string };
  'usage/no-cluster': { command: string };
  'usage/no-sandbox': { directory: string };
};

export const cliPrinters: Printers<CliFailures> = {
  'usage/unknown-command': ({ word, suggestion }) => ({
    title: `there is no task or command \`${word}\``,
    help: suggestion ? `did you mean \`tk ${suggestion}\`?` : 'npx tk --list',
  }),
  'usage/unknown-flag': ({ flag, command, suggestion }) => ({
    title: `\`${command}\` does not know \`${flag}\``,
    help: suggestion ? `did you mean \`${suggestion}\`?` : `npx tk ${command} --help`,
  }),
  'usage/missing-value': ({ flag }) => ({ title: `\`${flag}\` needs a value` }),
  'usage/missing-argument': ({ command, argument }) => ({
    title: `\`${command}\` needs \`${argument}\``,
    help: `npx tk ${command} --help`,
  }),
  'usage/unexpected-argument': ({ command, argument }) => ({
    title: `\`${command}\` does not expect \`${argument}\``,
    help: `npx tk ${command} --help`,
  }),
  'usage/bad-value': ({ flag, value, expected }) => ({ title: `\`${flag}\` is \`${value}\`, expected ${expected}` }),
  'usage/flags-exclude': ({ one, other }) => ({ title: `${one} does not go with ${other}` }),
  'usage/file-missing': ({ path, argument }) => ({ title: `there is no file \`${path}\` (${argument})` }),
  'usage/file-exists': ({ path }) => ({
    title: `\`${path}\` is there already`,
    because: 'it may be the identity of a cluster',
    help: 'name another file, or move it away yourself',
  }),
  'usage/task-file': ({ path, reason }) => ({
    title: `the task file \`${path}\` could not be loaded`,
    because: reason,
    help: 'mend it; a file that holds no task gets a name that begins with `_`',
  }),
  'usage/config-file': ({ path, reason }) => ({ title: `\`${path}\` could not be used`, because: reason }),
  'usage/no-cluster': ({ command }) => ({
    title: `\`${command}\` needs a cluster, and this repository describes none`,
    help: 'it needs cluster.yaml with nodes.yaml, or a talconfig.yaml',
  }),
  'usage/no-sandbox': ({ directory }) => ({ title: `there is no sandbox in \`${directory}\``, help: 'npx tk bootstrap --sim' }),
};
