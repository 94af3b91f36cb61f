import type { Command } from './command.ts';

export const initCommands: readonly Command[] = [
  {
    name: 'init',
    summary: 'Begin a repository: inputs, templates, an age key, and what git has to ignore',
    usage: 'init [DIR] [--sample] [--answers F]',
    arguments: [
      {
        name: 'dir',
        kind: 'value',
        position: 0,
        about: 'where; default: the current directory. What is there already is never overwritten',
      },
      { name: 'sample', kind: 'boolean', about: 'three control planes and three workers of documentation, to be changed afterwards' },
    ],
    alsoHelp: [['--answers F', 'cluster-name, node-cidr, api-address, repository-name, and nodes as nodes.yaml has them']],
    load: () => import('./init.ts'),
  },
];
