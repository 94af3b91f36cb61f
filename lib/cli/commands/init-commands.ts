import type { Command } from './command.ts';

export const initCommands: readonly Command[] = [
  {
    name: 'init',
    summary: 'Begin a repository: inputs, templates, an age key, and what git has to ignore',
    usage: 'init [DIR] [--sample] [--answers F]',
    options: [
      ['DIR', 'where; default: the current directory. What is there already is never overwritten'],
      ['--sample', 'three control planes and three workers of documentation, to be changed afterwards'],
      ['--answers F', 'cluster-name, node-cidr, api-address, repository-name, and nodes as nodes.yaml has them'],
    ],
    arguments: [
      { name: 'dir', kind: 'value', position: 0 },
      { name: 'sample', kind: 'boolean' },
    ],
    load: () => import('./init.ts'),
  },
];
