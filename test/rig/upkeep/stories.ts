import type { Terms } from '../../../lib/sim/index.ts';
import type { TalosModel } from '../../../lib/sim/index.ts';
import { kubernetesOf } from '../swarm/schedule.ts';
import { namesOf, type Shape } from './schedule.ts';

/** Something that a person types on a cluster that runs, and what is true when it has said 0. */
export interface UpkeepStory {
  readonly name: string;
  /** Shapes that it makes sense on. Default: all. */
  fits?(shape: Shape): boolean;
  commands(at: { readonly shape: Shape; readonly talos: string }): readonly UpkeepCommand[];
  /** What is wrong with the machines at the moment of exit 0. */
  problems?(at: {
    readonly shape: Shape;
    readonly talos: string;
    readonly model: TalosModel;
    /** A file of the repository, empty when it is not there. */
    readonly files: (path: string) => string;
  }): readonly string[];
  /** Machines are away for good when it has ended. */
  readonly leaves?: 'away';
  /** What happens before its commands without anybody watching: the state that it begins with. */
  prepare?(model: TalosModel): void;
}

export interface UpkeepCommand {
  readonly task: string;
  readonly params?: object;
  readonly terms?: Terms;
  /** Exit codes after which nobody would repeat it. Default: 0. */
  readonly ends?: readonly number[];
  /** What a person types where a name has to be typed. Absent: everything is confirmed. */
  readonly types?: string;
  /** A second run of it changes something again: a reboot is a reboot. */
  readonly repeats?: boolean;
}

/** What each version is upgraded to: a patch, a minor, a patch. */
export const targetOf: Readonly<Record<string, string>> = { 'v1.12.6': 'v1.12.11', 'v1.13.9': 'v1.14.1', 'v1.14.1': 'v1.14.2' };
const kubernetesTargetOf: Readonly<Record<string, string>> = { 'v1.35.4': 'v1.35.5', 'v1.36.3': 'v1.36.4', 'v1.37.0': 'v1.37.1' };

/** The one that a command about one machine is about: a worker where there is one. */
const lastOf = (shape: Shape): string => namesOf(shape).at(-1) as string;
const consent = (shape: Shape) => (shape.controlPlanes < 3 ? { acceptDowntime: true } : {});
const agreed = (shape: Shape): Terms => (shape.controlPlanes < 3 ? { agreesToDowntime: true } : {});
const runs = (model: TalosModel, name: string): string => model.machines.find((one) => one.name === name)?.version() ?? 'nothing';
const notOn = (model: TalosModel, names: readonly string[], version: string) =>
  names.filter((name) => runs(model, name) !== version).map((name) => `${name} runs ${runs(model, name)} instead of ${version}`);
const oldKubernetes = (talos: string, model: TalosModel) =>
  model.machines
    .filter((machine) => !(machine.get('kubelet')?.image ?? '').includes(`:${kubernetesTargetOf[kubernetesOf[talos] ?? '']}`))
    .map(({ name }) => `the kubelet of ${name} is not upgraded`);

const one = (task: string, params: object, shape: Shape, more: Partial<UpkeepCommand> = {}): UpkeepCommand => {
  const node = lastOf(shape);
  return { task, params: { node, ...consent(shape), ...params }, terms: { ...agreed(shape), touches: [node] }, ...more };
};

const upgradeNode = (shape: Shape, talos: string) => one('talos:upgrade-node', { to: targetOf[talos] }, shape);
const upgrade = (shape: Shape, talos: string): UpkeepCommand => ({
  task: 'talos:upgrade',
  params: { to: targetOf[talos], ...consent(shape) },
  terms: agreed(shape),
});
const upgradeKubernetes = (talos: string): UpkeepCommand => ({
  task: 'talos:upgrade-k8s',
  params: { to: kubernetesTargetOf[kubernetesOf[talos] ?? ''] },
});

export const upkeepStories: readonly UpkeepStory[] = [
  {
    name: 'upgrade-node',
    commands: ({ shape, talos }) => [upgradeNode(shape, talos)],
    problems: ({ shape, talos, model }) => [
      ...notOn(model, [lastOf(shape)], targetOf[talos] ?? ''),
      ...notOn(model, namesOf(shape).slice(0, -1), talos),
    ],
  },
  {
    name: 'upgrade-first-control-plane',
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
    commands: ({ shape, talos }) => [upgrade(shape, talos)],
    problems: ({ shape, talos, model }) => notOn(model, namesOf(shape), targetOf[talos] ?? ''),
  },
  {
    name: 'upgrade-parallel',
    fits: ({ workers }) => workers > 1,
    commands: ({ shape, talos }) => {
      const { params, ...rest } = upgrade(shape, talos);
      return [{ ...rest, params: { ...params, parallel: '2' }, terms: { ...agreed(shape), workers: 2 } }];
    },
    problems: ({ shape, talos, model }) => notOn(model, namesOf(shape), targetOf[talos] ?? ''),
  },
  {
    name: 'upgrade-k8s',
    commands: ({ talos }) => [upgradeKubernetes(talos)],
    problems: ({ talos, model, files }) =>
      oldKubernetes(talos, model).concat(
        files('talos/talconfig.yaml').includes(kubernetesTargetOf[kubernetesOf[talos] ?? ''] ?? '')
          ? []
          : ['the repository names the old Kubernetes'],
      ),
  },
  { name: 'reboot', commands: ({ shape }) => [one('talos:reboot', {}, shape, { repeats: true })] },
  {
    name: 'reboot-all',
    commands: ({ shape }) => [{ task: 'talos:reboot', params: { all: true, ...consent(shape) }, terms: agreed(shape), repeats: true }],
  },
  {
    name: 'rollback',
    commands: ({ shape, talos }) => [upgradeNode(shape, talos), one('talos:rollback', {}, shape, { repeats: true })],
  },
  {
    name: 'upgrade-then-kubernetes',
    commands: ({ shape, talos }) => [upgrade(shape, talos), upgradeKubernetes(talos)],
    problems: ({ shape, talos, model }) => notOn(model, namesOf(shape), targetOf[talos] ?? ''),
  },
  {
    name: 'upgrade-cluster',
    commands: ({ shape, talos }) => [
      {
        task: 'upgrade',
        params: { toTalos: targetOf[talos], toKubernetes: kubernetesTargetOf[kubernetesOf[talos] ?? ''], ...consent(shape) },
        terms: agreed(shape),
      },
    ],
    problems: ({ shape, talos, model, files }) => [
      ...notOn(model, namesOf(shape), targetOf[talos] ?? ''),
      ...oldKubernetes(talos, model),
      ...[targetOf[talos] ?? '', kubernetesTargetOf[kubernetesOf[talos] ?? ''] ?? '']
        .filter((version) => !files('talos/talconfig.yaml').includes(version))
        .map((version) => `the repository does not name ${version}`),
    ],
  },
  {
    name: 'reset',
    fits: ({ workers, controlPlanes }) => workers > 0 || controlPlanes > 2,
    leaves: 'away',
    commands: ({ shape }) => [one('talos:reset', { reboot: true }, shape, { repeats: true, ends: [0, 1, 3] })],
  },
];

/** Those that must be refused: nothing is taken away, whatever goes wrong meanwhile. */
export const refusedStories: readonly UpkeepStory[] = [
  {
    name: 'upgrade-without-consent',
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
    name: 'reset-with-another-name-typed',
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

export const storyOf = (name: string): UpkeepStory => {
  const found = [...upkeepStories, ...refusedStories].find((story) => story.name === name);
  if (!found) throw new RangeError(`no story is called ${name}`);
  return found;
};
