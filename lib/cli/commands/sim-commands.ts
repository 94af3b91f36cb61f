import type { Command } from './command.ts';

export const simCommands: readonly Command[] = [
  {
    name: 'sim:up',
    summary: 'Keep the sandbox of this repository listening for talosctl, kubectl and other tasks',
    usage: 'sim:up [--speed N]',
    arguments: [{ name: 'speed', kind: 'value', value: 'N', about: 'how many times faster than the real clock its time goes; default: 1' }],
    load: () => import('./sim-up.ts'),
  },
  {
    name: 'sim:status',
    summary: 'Show the machines of the sandbox',
    usage: 'sim:status [--json]',
    arguments: [],
    load: async () => ({ run: (await import('./sim.ts')).status }),
  },
  {
    name: 'sim:reset',
    summary: 'Throw the sandbox of this repository away',
    usage: 'sim:reset',
    arguments: [],
    load: async () => ({ run: (await import('./sim.ts')).reset }),
  },
];
