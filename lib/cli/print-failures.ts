import { failureOf, TkError } from '../base/index.ts';
import { decideOutcome } from '../core/index.ts';
import { standardError } from '../host/index.ts';
import { renderFailures, styleWith } from '../ui/index.ts';
import { failureClasses } from './failure-classes.ts';

/** Prints what ended the command before a run could report it, and says which exit code that is. */
export function printFailures(error: unknown): number {
  const failures = error instanceof TkError ? error.failures : [failureOf(error)];
  const style = styleWith(standardError.isTty && !process.env['NO_COLOR']);
  for (const text of renderFailures(failures, { style })) standardError.write(`${text}\n`);
  return decideOutcome({ failures, isComplete: false, touched: false, differs: false }, failureClasses).exitCode;
}
