import { agreed, consent, lastOf, targetOf, type UpkeepStory } from './story.ts';

/** What no version may become: over a minor, or back. */
const unreachable: Readonly<Record<string, string>> = { 'v1.12.6': 'v1.14.1', 'v1.13.9': 'v1.12.11', 'v1.14.1': 'v1.12.11' };
/** Of the factory, with an extension that no machine here has. */
const strangeSchematic = 'ce4c980550dd2ab1b17bbf2b08801c7eb59418eafe8f279833297925d67c7515';

/** Those that must be refused: nothing is taken away, whatever goes wrong meanwhile. */
export const refusedStories: readonly UpkeepStory[] = [
  {
    name: 'upgrade-without-consent',
    weight: 5,
    fits: ({ controlPlanes }) => controlPlanes < 3,
    commands: ({ talos }) => [
      {
        task: 'talos:upgrade-node',
        params: { node: 'cp-1', to: targetOf[talos] },
        terms: { touches: [] },
        ends: [1, 2, 3, 5],
        repeats: true,
      },
    ],
  },
  {
    name: 'upgrade-over-a-minor',
    weight: 1,
    commands: ({ shape, talos }) => [
      {
        task: 'talos:upgrade-node',
        params: { node: lastOf(shape), to: unreachable[talos], ...consent(shape) },
        terms: { touches: [], ...agreed(shape) },
        ends: [1, 2, 3, 5],
        repeats: true,
      },
    ],
  },
  {
    name: 'upgrade-with-another-image',
    weight: 1,
    commands: ({ shape, talos }) => [
      {
        task: 'talos:upgrade-node',
        params: {
          node: lastOf(shape),
          to: targetOf[talos],
          image: `factory.talos.dev/metal-installer/${strangeSchematic}:${targetOf[talos]}`,
          ...consent(shape),
        },
        terms: { touches: [], ...agreed(shape) },
        ends: [1, 2, 3, 5],
        repeats: true,
      },
    ],
  },
  {
    name: 'rollback-of-nothing',
    weight: 2,
    commands: ({ shape }) => [
      {
        task: 'talos:rollback',
        params: { node: lastOf(shape), ...consent(shape) },
        terms: { touches: [], ...agreed(shape) },
        ends: [1, 2, 3, 5],
        repeats: true,
      },
    ],
  },
  {
    name: 'reset-of-the-last-voter',
    weight: 4,
    fits: ({ controlPlanes }) => controlPlanes === 1,
    commands: () => [
      {
        task: 'talos:reset',
        params: { node: 'cp-1', graceful: false, reboot: true, acceptDowntime: true },
        terms: { touches: [], agreesToDowntime: true },
        ends: [1, 2, 3, 5],
        repeats: true,
      },
    ],
  },
  {
    name: 'recover-what-works',
    weight: 4,
    commands: () => [
      { task: 'talos:etcd-snapshot', params: { path: 'kept.db' }, terms: { touches: [] }, repeats: true },
      { task: 'talos:etcd-recover', params: { snapshot: 'kept.db' }, terms: { touches: [] }, ends: [1, 2, 3, 5], repeats: true },
    ],
  },
  {
    name: 'reset-with-another-name-typed',
    weight: 2,
    commands: ({ shape }) => [
      {
        task: 'talos:reset',
        params: { node: lastOf(shape), reboot: true, ...consent(shape) },
        terms: { touches: [], ...agreed(shape) },
        types: 'worker-9',
        ends: [1, 2, 3, 5],
        repeats: true,
      },
    ],
  },
];
