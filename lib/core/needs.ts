import type { Task } from './task.ts';

declare const resultOf: unique symbol;

/** A task with its params, not yet run. `R` is what its `run` returns. */
export interface TaskCall<out R = unknown> {
  readonly kind: 'call';
  readonly task: Task;
  readonly params: object;
  readonly [resultOf]?: R;
}

/**
 * Calls, or whole lists of calls, that run one after the other; a failure stops the row. Results come back as one array in the
 * same order.
 */
export interface Sequence<out R = unknown> {
  readonly kind: 'sequence';
  readonly calls: readonly (TaskCall<R> | Parallel<R>)[];
}

/** Calls that run side by side, at most `parallel` at a time. Results come back as an array in the same order. */
export interface Parallel<out R = unknown> {
  readonly kind: 'parallel';
  readonly calls: readonly TaskCall<R>[];
  /** Undefined: only the run's own limit holds. */
  readonly parallel?: number;
}

/** One thing that a task needs. A bare array runs side by side. */
export type Need = TaskCall | Sequence | Parallel | readonly TaskCall[];

/** Everything that a task needs: one need, or named ones. */
export type Needs = Need | { readonly [name: string]: Need };

/** What the needed work brings: a call its result, a list an array of results. */
export type NeedResult<N> =
  N extends TaskCall<infer R>
    ? R
    : N extends Sequence<infer R>
      ? readonly R[]
      : N extends Parallel<infer R>
        ? readonly R[]
        : N extends readonly TaskCall<infer R>[]
          ? readonly R[]
          : never;

export type NeedsResults<N> = N extends Need ? NeedResult<N> : { readonly [K in keyof N]: NeedResult<N[K]> };

/**
 * Never starts the next after a failure: `inSequence(nodes.map((node) => upgradeNode({ node })))`. A member may be a list that
 * runs side by side: `inSequence([first(), forEach(rest, (node) => apply({ node }))])`.
 */
export function inSequence<R>(calls: readonly (TaskCall<R> | Parallel<R>)[]): Sequence<R> {
  return { kind: 'sequence', calls };
}

/** `forEach(nodes, (node) => applyNode({ node }))`: side by side, at most `parallel` at a time. */
export function forEach<T, R>(
  items: readonly T[],
  call: (item: T, index: number) => TaskCall<R>,
  options: { readonly parallel?: number } = {},
): Parallel<R> {
  return { kind: 'parallel', calls: items.map(call), ...(options.parallel === undefined ? {} : { parallel: options.parallel }) };
}
