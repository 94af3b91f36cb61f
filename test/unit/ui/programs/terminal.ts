// What `lib/host` does for the real program, as far as these programs need it.
import { setTimeout as later } from 'node:timers/promises';
import { baseFailure, type Clock, TkError, type TerminalStream } from '../../../../lib/base/index.ts';

export const clock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: (ms, signal) =>
    later(ms, undefined, signal ? { signal } : {}).catch(() => {
      throw new TkError(baseFailure('run/aborted', { during: 'sleep' }));
    }),
  whileBusy: (work) => work(),
};

export const stderr: TerminalStream = {
  get isTty() {
    return process.stderr.isTTY === true;
  },
  get columns() {
    return process.stderr.columns ?? 80;
  },
  get rows() {
    return process.stderr.rows ?? 24;
  },
  write: (text) => void process.stderr.write(text),
};
