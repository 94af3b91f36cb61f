import type { TalosModel } from '../../../../lib/sim/index.ts';
import { namesOf, type Shape } from '../shape.ts';
import { agreed, consent, isWiped, lastOf, one, type UpkeepCommand, type UpkeepStory } from './story.ts';

const controlPlanesOf = (shape: Shape) => namesOf(shape).slice(0, shape.controlPlanes);
/** Its disks are empty then, and it waits for a config: new hardware under an old address. */
const emptied = (shape: Shape, node = lastOf(shape)): UpkeepCommand => ({
  task: 'talos:reset',
  params: { node, reboot: true, labels: ['STATE', 'EPHEMERAL'], ...consent(shape) },
  terms: { ...agreed(shape), touches: [node] },
  isDone: (model) => isWiped(model, node),
});
const machineOf = (model: TalosModel, node: string) => model.machines.find(({ name }) => name === node) as TalosModel['machines'][number];
const canLoseOne = ({ workers, controlPlanes }: Shape) => workers > 0 || controlPlanes > 2;
/** Only where a member joins others. */
const joins = ({ controlPlanes }: Shape) => (controlPlanes > 1 ? ['talos/etcd-join slow', 'talos/etcd-promote slow'] : []);
const isGone = (shape: Shape, isMember: (name: string) => boolean) =>
  isMember(lastOf(shape)) ? [`${lastOf(shape)} is still a member of etcd`] : [];

export const membershipStories: readonly UpkeepStory[] = [
  {
    name: 'node-remove',
    weight: 5,
    fits: canLoseOne,
    leaves: 'away',
    // It was silent when it was removed, as the run says: it was not wiped, and comes back with its power or its network.
    commands: ({ shape }) => [
      one('node:remove', consent(shape), shape, {
        repeats: (model, said) => !isWiped(model, lastOf(shape)) && said.includes(`${lastOf(shape)} did not answer`),
      }),
    ],
    problems: ({ shape, model }) =>
      isGone(shape, (name) => model.machines.some((machine) => machine.name === name && model.etcd.memberOf(machine) !== undefined)),
  },
  {
    name: 'node-remove-dead',
    weight: 4,
    fits: canLoseOne,
    leaves: 'away',
    prepare: (model, { shape }) => model.hand.losePower(lastOf(shape), 36_000_000),
    // Somebody may switch it on again.
    commands: ({ shape }) => [one('node:remove', consent(shape), shape, { repeats: true })],
  },
  {
    name: 'node-replace',
    weight: 3,
    fits: canLoseOne,
    arms: (shape) => [...joins(shape), 'wire/address moved'],
    commands: ({ shape }) => [emptied(shape), one('node:replace', consent(shape), shape, { repeats: true })],
  },
  {
    name: 'node-replace-with',
    weight: 2,
    fits: ({ workers, controlPlanes }) => workers > 1 || controlPlanes > 3,
    leaves: 'away',
    commands: ({ shape }) => {
      const old = shape.workers > 1 ? 'worker-1' : 'cp-1';
      return [
        emptied(shape),
        {
          task: 'node:replace',
          params: { node: old, with: lastOf(shape), ...consent(shape) },
          terms: { ...agreed(shape), touches: [old, lastOf(shape)] },
          repeats: true,
        },
      ];
    },
  },
  {
    name: 'etcd-recover',
    weight: 4,
    arms: joins,
    // It promises etcd and the API servers; the kubelets find them by themselves.
    settlesLater: /is (?:not Ready|booting)$/,
    commands: ({ shape }) => [
      { task: 'talos:etcd-snapshot', params: { path: 'kept.db' }, terms: { touches: [] }, repeats: true },
      {
        task: 'talos:etcd-recover',
        params: { snapshot: 'kept.db' },
        terms: { touches: controlPlanesOf(shape), agreesToDowntime: true, takesAll: true },
        repeats: true,
        // A machine that lost its power meanwhile has started etcd again.
        endsOn: { 'etcd/works': (model) => model.machines.some((machine) => model.etcd.isHealthy(machine)) },
        before: (model) => controlPlanesOf(shape).forEach((name) => model.hand.stopEtcd(name)),
      },
    ],
  },
  {
    name: 'etcd-defrag',
    weight: 5,
    isPart: true,
    commands: ({ shape }) => [
      { task: 'talos:etcd-defrag', params: { always: true, ...consent(shape) }, terms: { ...agreed(shape), touches: [] }, repeats: true },
    ],
  },
  {
    name: 'etcd-leadership',
    weight: 3,
    isPart: true,
    fits: ({ controlPlanes }) => controlPlanes > 1,
    commands: () => [{ task: 'talos:etcd-leadership', params: { node: 'cp-1' }, terms: { touches: [] }, repeats: true }],
  },
  {
    name: 'etcd-snapshot',
    weight: 4,
    isPart: true,
    commands: () => [{ task: 'talos:etcd-snapshot', terms: { touches: [] }, repeats: true }],
  },
  {
    name: 'etcd-remove-member',
    weight: 2,
    fits: ({ controlPlanes }) => controlPlanes > 2,
    leaves: 'away',
    prepare: (model, { shape }) => model.hand.losePower(`cp-${shape.controlPlanes}`, 36_000_000),
    commands: ({ shape }) => [
      {
        task: 'talos:etcd-remove-member',
        params: { member: `cp-${shape.controlPlanes}` },
        terms: { ...agreed(shape), touches: [`cp-${shape.controlPlanes}`] },
        repeats: true,
        endsOn: {
          'etcd/unknown-member': (model) => model.etcd.memberOf(machineOf(model, `cp-${shape.controlPlanes}`)) === undefined,
          // Somebody has switched it on again: it works, and leaves with its machine, as the refusal says.
          'etcd/member-works': (model) => model.etcd.isHealthy(machineOf(model, `cp-${shape.controlPlanes}`)),
        },
      },
    ],
  },
];
