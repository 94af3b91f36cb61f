import type { Failure } from '../../../lib/base/index.ts';
import type { EngineEvent } from '../../../lib/core/index.ts';

/** Codes of what one run ended with, what it tried again after, what it waited through, what it warned of; causes included. */
export function codesTold(run: { readonly failures: readonly Failure[]; readonly events: readonly EngineEvent[] }): readonly string[] {
  const overcome = run.events.flatMap((event) => (event.event === 'step-retry' || event.event === 'warning' ? [event.failure] : []));
  const seen = run.events.flatMap((event) =>
    event.event === 'waiting' && /^[a-z0-9-]+\/[a-z0-9-]+$/.test(event.seen) ? [event.seen] : [],
  );
  return [...[...run.failures, ...overcome].flatMap(codesOf), ...seen];
}

function codesOf(failure: Failure): readonly string[] {
  return [failure.code, ...(failure.cause ? codesOf(failure.cause) : [])];
}
