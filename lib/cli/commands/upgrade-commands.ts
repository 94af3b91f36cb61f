import type { Command } from './index.ts';

export const upgradeCommands: readonly Command[] = [
  {
    name: 'upgrade:plan',
    summary: 'Which versions of Talos and Kubernetes lie between here and there, and why',
    usage: 'upgrade:plan --to-talos V --to-kubernetes V [--from-talos V] [--from-kubernetes V] [--json]',
    options: [
      ['--to-talos V', 'default: stays'],
      ['--to-kubernetes V', 'default: stays'],
      ['--from-talos V', "default: the repository's"],
      ['--from-kubernetes V', "default: the repository's"],
      ['--json', 'one document with every hop'],
    ],
    arguments: [
      { name: 'to-talos', kind: 'value' },
      { name: 'to-kubernetes', kind: 'value' },
      { name: 'from-talos', kind: 'value' },
      { name: 'from-kubernetes', kind: 'value' },
    ],
    load: () => import('./upgrade-plan.ts'),
  },
];
