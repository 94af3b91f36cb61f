import { type Failure, failureOf, TkError } from '../base/index.ts';
import { coreFailure } from './failures.ts';

/**
 * Runs `act` for each item, at most `parallel` at a time. After a failure, or when `stopping` fires, it starts nothing new and
 * lets what runs end.
 *
 * Failure: everything that failed, in one `TkError`; `run/stopped` when items were left out because of `stopping`.
 */
export async function eachOf<T, R>(
  items: readonly T[],
  act: (item: T, index: number) => R | Promise<R>,
  options: { readonly parallel: number; readonly stopping: AbortSignal },
): Promise<readonly R[]> {
  const results: R[] = [];
  const failures: Failure[] = [];
  let next = 0;
  const lane = async () => {
    while (next < items.length && failures.length === 0 && !options.stopping.aborted) {
      const index = next;
      next += 1;
      try {
        results[index] = await act(items[index] as T, index);
      } catch (error) {
        failures.push(...(error instanceof TkError ? error.failures : [failureOf(error)]));
      }
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, Math.min(options.parallel, items.length)) }, lane));
  const [first, ...rest] = failures;
  if (first) throw new TkError(first, ...rest);
  if (next < items.length) throw new TkError(coreFailure('run/stopped', { at: `item ${next + 1} of ${items.length}` }));
  return results;
}
