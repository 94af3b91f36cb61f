import type { Terms, TalosModel } from '../../../../lib/sim/index.ts';
import { namesOf, type Shape } from '../shape.ts';
import { kubernetesOf } from '../../swarm/schedule.ts';

/** What a story is told on. */
export interface Place {
  readonly shape: Shape;
  readonly talos: string;
}

/** Something that a person types on a cluster that runs, and what is true when it has said 0. */
export interface UpkeepStory {
  readonly name: string;
  /** How often it is drawn, beside the others. What costs much processor time is drawn less often. */
  readonly weight: number;
  /** Faults that few others meet, as `point kind`: with this one they are armed every other time. */
  readonly arms?: (shape: Shape) => readonly string[];
  /** It may be one of several that follow each other, with whatever goes wrong across them. */
  readonly isPart?: boolean;
  /** Shapes that it makes sense on. Default: all. */
  fits?(shape: Shape): boolean;
  commands(at: Place): readonly UpkeepCommand[];
  /** What is wrong with the machines at the moment of exit 0. */
  problems?(
    at: Place & {
      readonly model: TalosModel;
      /** A file of the repository, empty when it is not there. */
      readonly files: (path: string) => string;
      /** Name of a machine whose Node is cordoned. */
      readonly isCordoned: (name: string) => boolean;
    },
  ): readonly string[];
  /** Machines are away for good when it has ended. */
  readonly leaves?: 'away';
  /** What may still be on its way then, as the ground truth words it. */
  readonly settlesLater?: RegExp;
  /** What happens before its commands without anybody watching: the state that it begins with. */
  prepare?(model: TalosModel, at: Place): void;
  /** What a person has changed in the repository before. */
  edits?(files: Readonly<Record<string, string>>, at: Place): Readonly<Record<string, string>>;
}

export interface UpkeepCommand {
  readonly task: string;
  readonly params?: object;
  readonly terms?: Terms;
  /** Exit codes after which nobody would repeat it. Default: 0. */
  readonly ends?: readonly number[];
  /** It has happened, whatever the exit code was: nobody would do it once more. */
  readonly isDone?: (model: TalosModel) => boolean;
  /** Failures after which nobody would repeat it either, because there is nothing to do; and what has to be true of the machines then. */
  readonly endsOn?: Readonly<Record<string, (model: TalosModel) => boolean>>;
  /** What a person types where a name has to be typed. Absent: everything is confirmed. */
  readonly types?: string;
  /** A second run of it changes something again: a reboot is a reboot. Asked when it has ended well, with what it said. */
  readonly repeats?: boolean | ((model: TalosModel, said: string) => boolean);
  /** Done twice it is undone: after a death a person looks into the journal before the same line again. */
  readonly undoesItself?: boolean;
  /** It leaves a cordon behind, because that is what it is for. */
  readonly keepsCordon?: boolean;
  /** What happens between the command before it and this one. */
  readonly before?: (model: TalosModel) => void;
}

/** What each version is upgraded to: a patch, a minor, a patch. */
export const targetOf: Readonly<Record<string, string>> = { 'v1.12.6': 'v1.12.11', 'v1.13.9': 'v1.14.1', 'v1.14.1': 'v1.14.2' };
const kubernetesTargets: Readonly<Record<string, string>> = { 'v1.35.4': 'v1.35.5', 'v1.36.3': 'v1.36.4', 'v1.37.0': 'v1.37.1' };
export const kubernetesTargetOf = (talos: string): string => kubernetesTargets[kubernetesOf[talos] ?? ''] ?? '';

/** The one that a command about one machine is about: a worker where there is one. */
export const lastOf = (shape: Shape): string => namesOf(shape).at(-1) as string;
export const consent = (shape: Shape) => (shape.controlPlanes < 3 ? { acceptDowntime: true } : {});
export const agreed = (shape: Shape): Terms => (shape.controlPlanes < 3 ? { agreesToDowntime: true } : {});

const runs = (model: TalosModel, name: string): string => model.machines.find((one) => one.name === name)?.version() ?? 'nothing';
export const notOn = (model: TalosModel, names: readonly string[], version: string) =>
  names.filter((name) => runs(model, name) !== version).map((name) => `${name} runs ${runs(model, name)} instead of ${version}`);

/** About one machine, the last of the shape unless another is named. */
export function one(task: string, params: object, shape: Shape, more: Partial<UpkeepCommand> = {}): UpkeepCommand {
  const node = lastOf(shape);
  return { task, params: { node, ...params }, terms: { ...agreed(shape), touches: [node] }, ...more };
}

/** It has no system any more, or waits for a config. */
export const isWiped = (model: TalosModel, name: string): boolean => {
  const machine = model.machines.find((one) => one.name === name);
  return machine?.get('installed') === undefined || machine.get('stage') === 'maintenance';
};
