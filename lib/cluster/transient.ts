import type { Failure } from '../base/index.ts';

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
