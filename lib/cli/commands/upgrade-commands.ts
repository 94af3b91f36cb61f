import type { Command } from './command.ts';

export const upgradeCommands: readonly Command[] = [
  {
    name: 'upgrade:plan',
    summary: 'Which versions of Talos and Kubernetes lie between here and there, and why',
    usage: 'upgrade:plan [--to-talos V] [--to-kubernetes V] [--from-talos V] [--from-kubernetes V] [--check] [--json]',
    arguments: [
      { name: 'to-talos', kind: 'value', value: 'V', about: "default: stays; without either, the repository's" },
      { name: 'to-kubernetes', kind: 'value', value: 'V', about: "default: stays; without either, the repository's" },
      { name: 'from-talos', kind: 'value', value: 'V', about: 'default: what every machine says' },
      { name: 'from-kubernetes', kind: 'value', value: 'V', about: 'default: what every machine says' },
      { name: 'check', kind: 'boolean', about: 'asks no cluster; ends with 6 when the versions do not go together or no way leads there' },
    ],
    alsoHelp: [['--json', 'one document with every hop']],
    load: () => import('./upgrade-plan.ts'),
  },
];
