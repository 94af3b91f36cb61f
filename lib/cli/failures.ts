import { failuresOf } from '../base/index.ts';

export type CliFailures = {
  'usage/unknown-command': { word: string; suggestion?: string };
  'usage/unknown-flag': { flag: string; command: string; suggestion?: string };
  'usage/missing-value': { flag: string };
  'usage/missing-argument': { command: string; argument: string };
  'usage/unexpected-argument': { command: string; argument: string };
  'usage/bad-value': { flag: string; value: string; expected: string };
  'usage/flags-exclude': { one: string; other: string };
  'usage/no-repository': { command: string; lookedIn: string };
  'usage/file-missing': { path: string; argument: string };
  /** A task file of the user's could not be loaded. `reason` is what Node said. */
  'usage/task-file': { path: string; reason: string };
  'usage/config-file': { path: string; reason: string };
  'sandbox/no-simulated-answer': { command: string };
};

export const cliFailure = failuresOf<CliFailures>();
