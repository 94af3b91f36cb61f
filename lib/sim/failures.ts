import { failuresOf } from '../base/index.ts';

export type SimFailures = {
  /** Another process holds this sandbox's directory. */
  'sim/in-use': { directory: string; heldBy: string };
  /** A line in the middle of the sandbox's log is damaged; what came after it cannot be trusted. */
  'sim/log-damaged': { path: string; line: number };
  /** The sandbox was made by another version of tk, or for other machines. */
  'sim/other-cluster': { directory: string; expected: string; found: string };
  /** Ring A: nothing waits on the clock although a run has not ended, or time stands still in a loop. */
  'sim/stuck': { atMs: number; reason: 'busy-loop' | 'nothing-pending' };
};

export const simFailure = failuresOf<SimFailures>();
