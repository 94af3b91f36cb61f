import type { Command } from './command.ts';

export const upgradeCommands: readonly Command[] = [
  {
    name: 'upgrade:plan',
    summary: 'Which versions of Talos and Kubernetes lie between here and there, and why',
    usage: 'upgrade:plan [--to-talos V] [--to-kubernetes V] [--from-talos V] [--from-kubernetes V] [--check] [--json]',
    options: [
      ['--to-talos V', "default: stays; without either, the repository's"],
      ['--to-kubernetes V', "default: stays; without either, the repository's"],
      ['--from-talos V', 'default: what every machine says'],
      ['--from-kubernetes V', 'default: what every machine says'],
      ['--check', 'asks no cluster; ends with 6 when the versions do not go together or no way leads there'],
      ['--json', 'one document with every hop'],
    ],
    arguments: [
      { name: 'to-talos', kind: 'value' },
      { name: 'to-kubernetes', kind: 'value' },
      { name: 'from-talos', kind: 'value' },
      { name: 'from-kubernetes', kind: 'value' },
      { name: 'check', kind: 'boolean' },
    ],
    load: () => import('./upgrade-plan.ts'),
  },
];
