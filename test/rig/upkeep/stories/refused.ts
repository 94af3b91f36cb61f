import { agreed, consent, lastOf, targetOf, type UpkeepStory } from './story.ts';

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
