import { failuresOf } from '../base/index.ts';

export type CoreFailures = {
  /** A task's own words; made by `fail`. */
  'task/failed': { message: string; because?: string; help?: string };
  /** A task's own words: it will not do this. Exit 3. */
  'task/refused': { message: string; because?: string; help?: string };
  /** A task's own words: a person has to look first. Exit 5. */
  'task/needs-human': { message: string; because?: string; help?: string };

  'task/unknown': { task: string; suggestion?: string };
  'task/duplicate': { task: string };
  /** A pattern of `inputs` or `outputs` that names nothing inside of the repository. */
  'task/file-pattern': { task: string; pattern: string };
  'params/unknown': { task: string; param: string; suggestion?: string; known: readonly string[] };
  'params/missing': { task: string; param: string; description?: string };
  'params/invalid': { task: string; param: string; problem: string };
  /** A param that is neither text, number, boolean, list nor plain object cannot tell two calls apart. */
  'params/not-plain': { task: string; param: string };

  /** A `needs` names a task that was never registered under a name. */
  'graph/unregistered-task': { summary: string; neededBy: string };
  /** The first and the last element are the same call. */
  'graph/cycle': { path: readonly string[] };
  /** A `needs` function threw. */
  'graph/needs-failed': { task: string; message: string };

  'step/deadline': { deadlineMs: number };
  /** Reality does not tell whether the act happened. `intendedBy` is the run that set out to do it. */
  'step/undecidable': { step: string; seen: string; help?: string; intendedBy?: string; target?: string };
  /** A step was begun after its task had ended. */
  'step/after-end': { task: string; step: string };
  /** The first signal came: nothing new is begun. */
  'run/stopped': { at: string };
  'run/unfinished': { tasks: readonly string[] };

  'lock/held': { heldBy: string; path: string };
  'confirm/declined': { task: string; message: string };
  'prompt/no-terminal': { name: string; message: string; confirmation: boolean; choices?: readonly string[]; phrase?: string };
  /** An answer that was given beforehand is none. `from`: where it was given. */
  'prompt/bad-answer': { name: string; message: string; from: string; problem: string };
  'prompt/cancelled': { name: string };

  /** The journal cannot be written, so nothing may be changed. */
  'journal/write': { path: string };
  'journal/no-run': { wanted?: string };
};

export const coreFailure = failuresOf<CoreFailures>();
