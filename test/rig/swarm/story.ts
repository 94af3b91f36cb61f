import type { ClusterModel } from '../../../lib/config/index.ts';
import type { Schedule } from './schedule.ts';

/** What the swarm tells in many ways: a repository, what a person types in it, and what must be true then. */
export interface Story {
  /** In the line that replays one history. */
  readonly name: string;
  /** Files of the repository by relative path. */
  files(schedule: Schedule): Promise<Readonly<Record<string, string>>>;
  /** Typed one after the other. Each is repeated, as a person would, until it ends with one of its ends. */
  commands(schedule: Schedule): readonly Command[];
  /** Where the machines stand when the first command is typed. Default `maintenance`; `healthy`: the undisturbed bootstrap has run. */
  readonly from?: 'maintenance' | 'healthy';
  /** What is wrong with the cluster at the moment the last command has said 0, besides what every story looks at. Empty: nothing. */
  missing?(cluster: StoryEnd): readonly string[];
}

export interface Command {
  readonly task: string;
  readonly params?: object;
  /** Exit codes after which nobody would repeat it. Default: 0. */
  readonly ends?: readonly number[];
}

export interface StoryEnd {
  readonly model: ClusterModel;
  readonly schedule: Schedule;
}
