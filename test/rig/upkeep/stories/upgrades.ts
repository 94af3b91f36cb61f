import type { TalosModel } from '../../../../lib/sim/index.ts';
import { namesOf, type Shape } from '../shape.ts';
import { agreed, consent, kubernetesTargetOf, lastOf, notOn, one, targetOf, type UpkeepCommand, type UpkeepStory } from './story.ts';

/** Of a machine that somebody has switched off meanwhile, what it will start with. */
const oldKubernetes = (talos: string, model: TalosModel) =>
  model.machines
    .filter((machine) => {
      const told = machine.get('kubelet')?.image ?? machine.get('config/persistent') ?? '';
      return !told.includes(`kubelet:${kubernetesTargetOf(talos)}`);
    })
    .map(({ name }) => `the kubelet of ${name} is not upgraded`);
const unnamed = (files: (path: string) => string, versions: readonly string[]) =>
  versions
    .filter((version) => !files('talos/talconfig.yaml').includes(version))
    .map((version) => `the repository does not name ${version}`);

export const upgradeNode = (shape: Shape, talos: string) => one('talos:upgrade-node', { to: targetOf[talos], ...consent(shape) }, shape);
const upgrade = (shape: Shape, talos: string): UpkeepCommand => ({
  task: 'talos:upgrade',
  params: { to: targetOf[talos], ...consent(shape) },
  terms: agreed(shape),
});
const upgradeKubernetes = (talos: string): UpkeepCommand => ({
  task: 'talos:upgrade-k8s',
  params: { to: kubernetesTargetOf(talos) },
});

export const upgradeStories: readonly UpkeepStory[] = [
  {
    name: 'upgrade-node',
    weight: 14,
    isPart: true,
    commands: ({ shape, talos }) => [upgradeNode(shape, talos)],
    problems: ({ shape, talos, model }) => [
      ...notOn(model, [lastOf(shape)], targetOf[talos] ?? ''),
      ...notOn(model, namesOf(shape).slice(0, -1), talos),
    ],
  },
  {
    name: 'upgrade-first-control-plane',
    weight: 6,
    commands: ({ shape, talos }) => [
      {
        task: 'talos:upgrade-node',
        params: { node: 'cp-1', to: targetOf[talos], ...consent(shape) },
        terms: { ...agreed(shape), touches: ['cp-1'] },
      },
    ],
    problems: ({ talos, model }) => notOn(model, ['cp-1'], targetOf[talos] ?? ''),
  },
  {
    name: 'upgrade',
    weight: 1.5,
    commands: ({ shape, talos }) => [upgrade(shape, talos)],
    problems: ({ shape, talos, model }) => notOn(model, namesOf(shape), targetOf[talos] ?? ''),
  },
  {
    name: 'upgrade-parallel',
    weight: 1,
    fits: ({ workers }) => workers > 1,
    commands: ({ shape, talos }) => {
      const { params, ...rest } = upgrade(shape, talos);
      return [{ ...rest, params: { ...params, parallel: '2' }, terms: { ...agreed(shape), workers: 2 } }];
    },
    problems: ({ shape, talos, model }) => notOn(model, namesOf(shape), targetOf[talos] ?? ''),
  },
  {
    name: 'upgrade-k8s',
    weight: 1.5,
    isPart: true,
    commands: ({ talos }) => [upgradeKubernetes(talos)],
    problems: ({ talos, model, files }) => [...oldKubernetes(talos, model), ...unnamed(files, [kubernetesTargetOf(talos)])],
  },
  {
    name: 'rollback',
    weight: 4,
    commands: ({ shape, talos }) => [
      upgradeNode(shape, talos),
      one('talos:rollback', consent(shape), shape, { repeats: true, undoesItself: true }),
    ],
    problems: ({ shape, talos, model }) => notOn(model, namesOf(shape), talos),
  },
  {
    name: 'upgrade-then-kubernetes',
    weight: 0.5,
    commands: ({ shape, talos }) => [upgrade(shape, talos), upgradeKubernetes(talos)],
    problems: ({ shape, talos, model }) => notOn(model, namesOf(shape), targetOf[talos] ?? ''),
  },
  {
    name: 'upgrade-cluster',
    weight: 0.5,
    commands: ({ shape, talos }) => [
      {
        task: 'upgrade',
        params: { toTalos: targetOf[talos], toKubernetes: kubernetesTargetOf(talos), ...consent(shape) },
        terms: agreed(shape),
      },
    ],
    problems: ({ shape, talos, model, files }) => [
      ...notOn(model, namesOf(shape), targetOf[talos] ?? ''),
      ...oldKubernetes(talos, model),
      ...unnamed(files, [targetOf[talos] ?? '', kubernetesTargetOf(talos)]),
    ],
  },
];
