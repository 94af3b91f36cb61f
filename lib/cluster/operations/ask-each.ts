import { type Failure, failureOf, TkError } from '../../base/index.ts';
import type { TaskContext } from '../../core/index.ts';

export interface Asked<N, T> {
  /** In the order of the nodes. */
  readonly answers: readonly { readonly node: N; readonly value: T }[];
  /** Of the nodes that did not answer. */
  readonly failures: readonly Failure[];
}

/**
 * Asks every node, some at a time: one that does not answer must not hide what the others say.
 *
 * Failure: only what ends the run (Ctrl-C); all else is in `failures`, for `throwIfAny` once the answers are printed.
 */
export async function askEach<N, T>(
  { each }: Pick<TaskContext, 'each'>,
  nodes: readonly N[],
  ask: (node: N) => Promise<T>,
  options: { readonly parallel?: number } = {},
): Promise<Asked<N, T>> {
  const results = await each(
    nodes,
    async (node) => {
      try {
        return { node, value: await ask(node) };
      } catch (error) {
        const failures = error instanceof TkError ? error.failures : [failureOf(error)];
        if (failures.some(({ code }) => endsTheRun.has(code))) throw error;
        return { failures };
      }
    },
    options,
  );
  return {
    answers: results.flatMap((result) => ('value' in result ? [{ node: result.node as N, value: result.value as T }] : [])),
    failures: results.flatMap((result) => ('failures' in result ? result.failures : [])),
  };
}

const endsTheRun: ReadonlySet<string> = new Set(['run/aborted', 'run/stopped']);
