import { baseFailure, type Clock, TkError } from '../base/index.ts';

/** setTimeout counts in a signed 32-bit number of milliseconds. */
const longestTimerMs = 2_147_483_647;

/** `performance` is not there until it is first asked for, which loads as much as a tenth of a quick command. */
function monotonicMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
}

export function createHostClock(): Clock {
  return {
    now: () => Date.now(),
    monotonicMs,
    async sleep(ms, signal) {
      const ends = monotonicMs() + ms;
      do {
        await timer(Math.min(ends - monotonicMs(), longestTimerMs), signal);
      } while (monotonicMs() < ends && ends - monotonicMs() > 1);
    },
    after(ms, fire) {
      const ends = monotonicMs() + ms;
      let handle: NodeJS.Timeout;
      const wait = () => {
        const leftMs = ends - monotonicMs();
        handle = leftMs > longestTimerMs ? setTimeout(wait, longestTimerMs) : setTimeout(fire, Math.max(0, leftMs));
      };
      wait();
      return () => clearTimeout(handle);
    },
    whileBusy: (work) => work(),
  };
}

function timer(ms: number, signal: AbortSignal | undefined): Promise<void> {
  const aborted = () => new TkError(baseFailure('run/aborted', { during: 'sleep' }));
  if (signal?.aborted) return Promise.reject(aborted());
  return new Promise((resolve, reject) => {
    const end = () => {
      signal?.removeEventListener('abort', abort);
      resolve();
    };
    const abort = () => {
      clearTimeout(handle);
      reject(aborted());
    };
    const handle = setTimeout(end, Math.max(0, ms));
    signal?.addEventListener('abort', abort, { once: true });
  });
}
