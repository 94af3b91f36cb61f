import type { Command } from './command.ts';

export const chartCommands: readonly Command[] = [
  {
    name: 'charts:render',
    summary: 'Render releases of this repository as helm template would',
    usage: 'charts:render RELEASE|--all [--live] [--include-crds] [--out DIR]',
    arguments: [
      { name: 'release', kind: 'value', position: 0, about: 'name, or NAMESPACE/name' },
      { name: 'all', kind: 'boolean', about: 'every release that the repository declares' },
      { name: 'live', kind: 'boolean', about: 'for the cluster as it is: its version, its kinds, its answers to `lookup`' },
      { name: 'include-crds', kind: 'boolean', about: "with the definitions in the charts' crds/ folders" },
      { name: 'out', kind: 'value', value: 'DIR', about: 'write NAMESPACE/RELEASE.yaml below it instead of standard output' },
    ],
    load: async () => ({ run: (await import('./charts.ts')).render }),
  },
  {
    name: 'charts:diff',
    summary: 'Tell what installing the releases now would change in the cluster',
    usage: 'charts:diff [RELEASE|--all] [--json]',
    arguments: [
      { name: 'release', kind: 'value', position: 0, about: "name, or NAMESPACE/name; without it, bootstrap's releases" },
      { name: 'all', kind: 'boolean', about: 'every release that the repository declares' },
    ],
    alsoHelp: [['--json', 'as one document']],
    load: async () => ({ run: (await import('./charts.ts')).diff }),
  },
  {
    name: 'charts:pull',
    summary: 'Bring the charts of this repository into its cache',
    usage: 'charts:pull [RELEASE] [--json]',
    arguments: [{ name: 'release', kind: 'value', position: 0 }],
    load: async () => ({ run: (await import('./charts.ts')).pull }),
  },
  {
    name: 'charts:crds',
    summary: 'Print the CustomResourceDefinitions that releases bring',
    usage: 'charts:crds [RELEASE] [--live] [--out F]',
    arguments: [
      { name: 'release', kind: 'value', position: 0 },
      { name: 'live', kind: 'boolean', about: 'those that charts render for the cluster as it is' },
      { name: 'out', kind: 'value', value: 'F', about: 'write there instead of standard output' },
    ],
    load: async () => ({ run: (await import('./charts.ts')).crds }),
  },
];
