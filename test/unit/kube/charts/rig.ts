import type { Clock, Dial, Files, HttpHandler } from '../../../../lib/base/index.ts';
import { noCredentials } from '../../../../lib/kube/index.ts';
import type { PullPorts } from '../../../../lib/kube/index.ts';

/** Calls the handler as if it were every host there is. */
export const dialTo = (handler: HttpHandler, seen: string[] = []): Dial => ({
  talos: () => Promise.reject(new Error('no machine here')),
  async http({ target, method, path, headers, body, signal }) {
    seen.push(`${method} ${target.protocol}://${target.host}:${target.port}${path}`);
    const reply = await handler({ method, path, headers, body: Buffer.from(body ?? ''), signal });
    const content = reply.body ?? '';
    const parts = typeof content === 'string' || content instanceof Uint8Array ? [Buffer.from(content)] : content;
    return {
      status: reply.status,
      headers: reply.headers ?? {},
      body: (async function* () {
        yield* parts;
      })(),
    };
  },
});

/** Time passes only by sleeping, and sleeping takes no time. A sleep that is never waited for ends with its signal. */
export function quickClock(startMs = Date.UTC(2026, 0, 1)): Clock & { slept: number[] } {
  let nowMs = startMs;
  const slept: number[] = [];
  return {
    slept,
    now: () => nowMs,
    monotonicMs: () => nowMs,
    sleep(ms, signal) {
      if (ms >= 60_000) return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
      slept.push(ms);
      nowMs += ms;
      return Promise.resolve();
    },
    whileBusy: (work) => work(),
  };
}

export const pullPorts = (handler: HttpHandler, files: Files, more: Partial<PullPorts> = {}): PullPorts => ({
  dial: dialTo(handler),
  clock: quickClock(),
  credentials: noCredentials,
  files,
  ...more,
});

export const signal: AbortSignal = new AbortController().signal;
