import type { ArgumentShape } from '../argv.ts';
import type { Command } from './command.ts';

const release: ArgumentShape = { name: 'release', kind: 'value', position: 0 };
const all: ArgumentShape = { name: 'all', kind: 'boolean' };
const live: ArgumentShape = { name: 'live', kind: 'boolean' };

export const chartCommands: readonly Command[] = [
  {
    name: 'charts:render',
    summary: 'Render releases of this repository as helm template would',
    usage: 'charts:render RELEASE|--all [--live] [--include-crds] [--out DIR]',
    options: [
      ['RELEASE', 'name, or NAMESPACE/name'],
      ['--all', 'every release that the repository declares'],
      ['--live', 'for the cluster as it is: its version, its kinds, its answers to `lookup`'],
      ['--include-crds', "with the definitions in the charts' crds/ folders"],
      ['--out DIR', 'write NAMESPACE/RELEASE.yaml below it instead of standard output'],
    ],
    arguments: [release, all, live, { name: 'include-crds', kind: 'boolean' }, { name: 'out', kind: 'value' }],
    load: async () => ({ run: (await import('./charts.ts')).render }),
  },
  {
    name: 'charts:diff',
    summary: 'Tell what installing the releases now would change in the cluster',
    usage: 'charts:diff [RELEASE|--all] [--json]',
    options: [
      ['RELEASE', "name, or NAMESPACE/name; without it, bootstrap's releases"],
      ['--all', 'every release that the repository declares'],
      ['--json', 'as one document'],
    ],
    arguments: [release, all],
    load: async () => ({ run: (await import('./charts.ts')).diff }),
  },
  {
    name: 'charts:pull',
    summary: 'Bring the charts of this repository into its cache',
    usage: 'charts:pull [RELEASE] [--json]',
    arguments: [release],
    load: async () => ({ run: (await import('./charts.ts')).pull }),
  },
  {
    name: 'charts:crds',
    summary: 'Print the CustomResourceDefinitions that releases bring',
    usage: 'charts:crds [RELEASE] [--live] [--out F]',
    options: [
      ['--live', 'those that charts render for the cluster as it is'],
      ['--out F', 'write there instead of standard output'],
    ],
    arguments: [release, live, { name: 'out', kind: 'value' }],
    load: async () => ({ run: (await import('./charts.ts')).crds }),
  },
];
