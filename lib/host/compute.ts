import { Worker } from 'node:worker_threads';
import { baseFailure, type Clock, type Compute, type Failure, TkError } from '../base/index.ts';
import { hostFailure } from './failures.ts';

/** What the worker answers. Failures travel as data: a `TkError` would arrive as a plain error. */
export type ComputeAnswer =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'failures'; readonly failures: readonly [Failure, ...Failure[]] }
  | { readonly kind: 'error'; readonly message: string };

export interface ComputeTask {
  readonly module: string;
  readonly input: unknown;
}

/** One worker thread, made when it is first needed; thrown away when it traps or is late. Work queues up behind it. */
export function createHostCompute(clock: Clock): Compute {
  let worker: Worker | undefined;
  let last: Promise<unknown> = Promise.resolve();

  const discard = () => {
    void worker?.terminate();
    worker = undefined;
  };

  const runNow = (task: ComputeTask, signal: AbortSignal, timeoutMs: number): Promise<unknown> => {
    if (signal.aborted) return Promise.reject(new TkError(baseFailure('run/aborted', { during: task.module })));
    worker ??= startWorker();
    const current = worker;
    current.ref();
    return new Promise((resolve, reject) => {
      const settle = (finish: () => void) => {
        clearTimeout(timer);
        signal.removeEventListener('abort', abort);
        // All listeners at once would take Node's own with them, and no answer would ever arrive again.
        for (const [event, listener] of listeners) current.off(event, listener);
        current.unref();
        finish();
      };
      const giveUp = (error: TkError) =>
        settle(() => {
          discard();
          reject(error);
        });
      const abort = () => giveUp(new TkError(baseFailure('run/aborted', { during: task.module })));
      const timer = setTimeout(
        () => giveUp(new TkError(hostFailure('host/compute', { module: task.module, reason: 'timeout' }))),
        timeoutMs,
      );
      signal.addEventListener('abort', abort, { once: true });
      const answered = (answer: ComputeAnswer) =>
        settle(() => {
          if (answer.kind === 'value') resolve(answer.value);
          else if (answer.kind === 'failures') reject(new TkError(...answer.failures));
          else reject(new TkError(hostFailure('host/compute', { module: task.module, reason: 'error', detail: answer.message })));
        });
      const trapped = (detail: string) => giveUp(new TkError(hostFailure('host/compute', { module: task.module, reason: 'trap', detail })));
      const threw = (error: unknown) => trapped(error instanceof Error ? error.message : String(error));
      const exited = (code: number) => trapped(`exit ${code}`);
      const listeners = [
        ['message', answered],
        ['error', threw],
        ['exit', exited],
      ] as const;
      current.on('message', answered).on('error', threw).on('exit', exited);
      current.postMessage(task);
    });
  };

  return {
    run(module, input, { signal, timeoutMs }) {
      const next = last.then(() => clock.whileBusy(() => runNow({ module, input }, signal, timeoutMs)));
      last = next.catch(() => {});
      return next as Promise<never>;
    },
  };
}

function startWorker(): Worker {
  const worker = new Worker(workerFile());
  // One that dies between two tasks must not end the process.
  worker.on('error', () => {});
  return worker;
}

/** The sources run as TypeScript, the package as JavaScript. */
function workerFile(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? './compute-worker.ts' : './compute-worker.js', import.meta.url);
}
