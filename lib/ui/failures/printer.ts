import type { Failure, FailureTable } from '../../base/index.ts';

/**
 * The words of one failure. Grammar: lower case, no final period, names in backticks, "expected X but found Y".
 * `title` completes `error[code]: …`; `because` names the reason, `help` the next command.
 */
export interface FailureText {
  readonly title: string;
  readonly because?: string;
  readonly help?: string;
}

/** One printer per code: a code without words, or words without a code, breaks the build. */
export type Printers<T extends FailureTable> = {
  readonly [C in keyof T & string]: (facts: T[C], failure: Failure) => FailureText;
};
