import { namesOf, type Shape } from '../shape.ts';
import { agreed, consent, isWiped, lastOf, one, type UpkeepCommand, type UpkeepStory } from './story.ts';

const sysctl = '{ "machine": { "sysctls": { "vm.overcommit_memory": "1" } } }';
/** Until 1.13 a machine is restarted for it. */
const environment = '{ "machine": { "env": { "UPKEEP": "1" } } }';

/** Whoever sees that it is dark does not ask once more. */
const shutdown = (shape: Shape): UpkeepCommand =>
  one('talos:shutdown', consent(shape), shape, {
    repeats: true,
    keepsCordon: true,
    isDone: (model) => model.machines.find(({ name }) => name === lastOf(shape))?.isUp() === false,
  });

export const machineStories: readonly UpkeepStory[] = [
  {
    name: 'reboot',
    weight: 12,
    isPart: true,
    commands: ({ shape }) => [one('talos:reboot', consent(shape), shape, { repeats: true })],
  },
  {
    name: 'reboot-all',
    weight: 1,
    commands: ({ shape }) => [{ task: 'talos:reboot', params: { all: true, ...consent(shape) }, terms: agreed(shape), repeats: true }],
  },
  {
    name: 'shutdown',
    weight: 5,
    leaves: 'away',
    commands: ({ shape }) => [shutdown(shape)],
    problems: ({ shape, model }) =>
      model.machines.some((machine) => machine.name === lastOf(shape) && machine.isUp()) ? [`${lastOf(shape)} is not off`] : [],
  },
  {
    name: 'shutdown-and-back',
    weight: 3,
    commands: ({ shape }) => [
      shutdown(shape),
      { ...one('talos:uncordon', {}, shape), before: (model) => model.hand.pressPower(lastOf(shape)) },
    ],
    // The last line takes back a cordon; the machine that somebody has just switched on may still be starting.
    settlesLater: /is (?:not Ready|booting|no healthy member of etcd)$|runs no API server$/,
    problems: ({ shape, isCordoned }) => (isCordoned(lastOf(shape)) ? [`${lastOf(shape)} is still cordoned`] : []),
  },
  {
    name: 'drain-and-uncordon',
    weight: 5,
    isPart: true,
    commands: ({ shape }) => [
      one('talos:cordon', {}, shape, { keepsCordon: true, terms: { touches: [] } }),
      one('talos:drain', {}, shape, { keepsCordon: true, terms: { touches: [] } }),
      one('talos:uncordon', {}, shape, { terms: { touches: [] } }),
    ],
    problems: ({ shape, isCordoned }) => (isCordoned(lastOf(shape)) ? [`${lastOf(shape)} is still cordoned`] : []),
  },
  {
    name: 'patch',
    weight: 6,
    isPart: true,
    commands: ({ shape }) => [one('talos:patch', { patch: [sysctl] }, shape)],
    problems: ({ shape, model }) =>
      model.machines
        .find(({ name }) => name === lastOf(shape))
        ?.get('config/persistent')
        ?.includes('overcommit') === true
        ? []
        : [`${lastOf(shape)} does not run the patch`],
  },
  {
    name: 'patch-all',
    weight: 2,
    commands: ({ shape }) => [
      { task: 'talos:patch', params: { patch: [environment], all: true, ...consent(shape) }, terms: agreed(shape) },
    ],
    problems: ({ shape, model }) =>
      namesOf(shape)
        .filter(
          (name) =>
            model.machines
              .find((one) => one.name === name)
              ?.get('config/persistent')
              ?.includes('UPKEEP') !== true,
        )
        .map((name) => `${name} does not run the patch`),
  },
  {
    name: 'apply',
    weight: 4,
    edits: (files) =>
      Object.fromEntries(
        Object.entries(files).map(([path, text]) => [
          path,
          path.endsWith('/talconfig.yaml') ? JSON.stringify({ ...(JSON.parse(text) as object), patches: [sysctl] }) : text,
        ]),
      ),
    commands: ({ shape }) => [
      { task: 'talos:generate-config', terms: { touches: [] } },
      { task: 'talos:apply', terms: agreed(shape) },
    ],
    problems: ({ shape, model }) =>
      namesOf(shape)
        .filter(
          (name) =>
            model.machines
              .find((one) => one.name === name)
              ?.get('config/persistent')
              ?.includes('overcommit') !== true,
        )
        .map((name) => `${name} does not run what the repository says`),
  },
  {
    name: 'reset',
    weight: 6,
    fits: ({ workers, controlPlanes }) => workers > 0 || controlPlanes > 2,
    leaves: 'away',
    commands: ({ shape }) => [
      one('talos:reset', { reboot: true, ...consent(shape) }, shape, { repeats: true, isDone: (model) => isWiped(model, lastOf(shape)) }),
    ],
  },
  {
    name: 'reset-forced',
    weight: 3,
    fits: ({ workers, controlPlanes }) => workers > 0 || controlPlanes > 2,
    leaves: 'away',
    commands: ({ shape }) => [
      one('talos:reset', { graceful: false, ...consent(shape) }, shape, {
        repeats: true,
        isDone: (model) => isWiped(model, lastOf(shape)),
      }),
    ],
  },
];
