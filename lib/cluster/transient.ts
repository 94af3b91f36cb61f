import { type Failure, seconds } from '../base/index.ts';
import type { RetryPolicy } from '../core/index.ts';

/**
 * What a poll of a machine may run into while the machine boots, installs, joins or changes its certificate: none of it is an
 * answer to what was asked. Source: the table of status codes in `lib/talos/client/calls.ts`.
 */
const passing: ReadonlySet<string> = new Set([
  'talos/unreachable',
  'talos/unavailable',
  'talos/deadline',
  'talos/failed-precondition',
  'talos/not-found',
  'talos/rpc',
  'talos/unimplemented',
  'host/dial',
]);

export const isTransientTalos = (failure: Failure): boolean => passing.has(failure.code);

/**
 * For steps that look before they act: a machine that restarts, or a network that loses a reply, is no reason to end a run. What it
 * asked for and does not know the outcome of is looked at again, and asked for again only when it is not there.
 */
export const untilItAnswers: RetryPolicy = {
  attempts: 5,
  delayMs: seconds(3),
  factor: 2,
  when: (failure) => isTransientTalos(failure) || failure.code === 'talos/outcome-unknown' || failure.code === 'preflight/unreachable',
};
