import { parentPort } from 'node:worker_threads';
import type { ComputeAnswer, ComputeTask } from './compute.ts';

parentPort?.on('message', (task: ComputeTask) => {
  void answerTo(task).then((answer) => parentPort?.postMessage(answer));
});

async function answerTo(task: ComputeTask): Promise<ComputeAnswer> {
  try {
    const { default: work } = (await import(task.module)) as { default: (input: unknown) => unknown };
    return { kind: 'value', value: await work(task.input) };
  } catch (error) {
    // WebAssembly leaves its memory in an unknown state: the thread dies with it, and the next task gets a new one.
    if (error instanceof Error && error.name === 'RuntimeError') throw error;
    if (error instanceof Error && 'failures' in error && Array.isArray(error.failures)) {
      return { kind: 'failures', failures: error.failures as unknown as Extract<ComputeAnswer, { kind: 'failures' }>['failures'] };
    }
    return { kind: 'error', message: error instanceof Error ? error.message : String(error) };
  }
}
