import type { Place } from './source.ts';

/** Facts of a failure must survive a trip through the journal and `--output json`. A `Secret` is not JSON and does not fit. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json | undefined };

/** What each code of one layer carries: `{ 'talos/unreachable': { node: string } }`. Layers export one such type each. */
export type FailureTable = { [code: `${string}/${string}`]: { readonly [fact: string]: Json | undefined } };

/**
 * Something that went wrong, as data. Words are written by `lib/ui/failure-text.ts`, which has one printer per code.
 * `where` is the file position, or the step and node, that it belongs to; absent when neither is known.
 */
export interface Failure<C extends string = string, F = { readonly [fact: string]: Json | undefined }> {
  readonly code: C;
  readonly facts: F;
  readonly where?: Place;
  readonly cause?: Failure;
}

export interface FailureContext {
  readonly where?: Place;
  readonly cause?: Failure;
}

/** Makes the typed constructor of a layer's failures. */
export function failuresOf<T extends FailureTable>() {
  return <C extends keyof T & string>(code: C, facts: T[C], context: FailureContext = {}): Failure<C, T[C]> => ({
    code,
    facts,
    ...(context.where === undefined ? {} : { where: context.where }),
    ...(context.cause === undefined ? {} : { cause: context.cause }),
  });
}

/** The only error class that is thrown on purpose. Carries at least one failure; more when a phase collected them. */
export class TkError extends Error {
  readonly failures: readonly [Failure, ...Failure[]];

  constructor(first: Failure, ...rest: Failure[]) {
    super([first, ...rest].map((failure) => failure.code).join(', '));
    this.name = 'TkError';
    this.failures = [first, ...rest];
  }

  get failure(): Failure {
    return this.failures[0];
  }
}

/** Throws the collected failures of a phase, if there are any. */
export function throwIfAny(failures: readonly Failure[]): void {
  const [first, ...rest] = failures;
  if (first) throw new TkError(first, ...rest);
}

export function hasCode(error: unknown, ...codes: string[]): error is TkError {
  return error instanceof TkError && error.failures.some((failure) => codes.includes(failure.code));
}

export type BaseFailures = {
  /** A condition did not hold before its deadline. `last` is what was seen last, `rest` what else was seen then. */
  'wait/timeout': { waitingFor: string; deadlineMs: number; last?: string; rest?: readonly string[]; see?: string };
  /** The run's signal fired while this was under way. */
  'run/aborted': { during: string };
  /** An exception that is not a `TkError`: a defect of ours. */
  'internal/unexpected': { message: string; stack?: string };
};

export const baseFailure = failuresOf<BaseFailures>();

/** Whatever was thrown, as a failure. */
export function failureOf(error: unknown): Failure {
  if (error instanceof TkError) return error.failure;
  const stack = error instanceof Error ? error.stack : undefined;
  return baseFailure('internal/unexpected', {
    message: error instanceof Error ? error.message : String(error),
    ...(stack === undefined ? {} : { stack }),
  });
}
