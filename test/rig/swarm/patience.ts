import type { Failure } from '../../../lib/base/index.ts';
import type { FaultHit, SimEvent } from '../../../lib/sim/index.ts';
import type { Attempt } from './site.ts';

interface Happenings {
  readonly faults: readonly FaultHit[];
  readonly happened: readonly SimEvent[];
}

/** The slowest install, its reboots, etcd's pull and join, one after the other: whatever is still to come has come by then. */
const everythingComesWithinMs = 12 * 60_000;

/** What a run says when it has waited long enough. */
const tiredOfWaiting = new Set(['wait/timeout', 'talos/deadline', 'talos/unavailable', 'talos/unreachable', 'kube/unreachable']);

/** Of a whole wait, or of one call that got no answer. */
const longestWaitMs = 60 * 60_000;

/**
 * I-10: every wait ends by its deadline, and has one. I-20: nobody gives up on a cluster in which, for longer than anything takes in
 * it, nothing has gone wrong and no machine has started. A machine whose install failed does wait for somebody.
 */
export function impatience(
  { task, exit, failures, events, startedMs, endedMs }: Attempt,
  { faults, happened }: Happenings,
): readonly string[] {
  const wrong: string[] = [];
  for (const event of events) {
    if (event.event !== 'waiting') continue;
    if (!(event.deadlineMs <= longestWaitMs)) wrong.push(`I-10 waiting for ${event.waitingFor} may take ${event.deadlineMs} ms`);
    else if (event.waitedMs > event.deadlineMs) wrong.push(`I-10 waiting for ${event.waitingFor} went on after ${event.deadlineMs} ms`);
  }
  const tired = failures.flatMap(withCauses).find(({ code }) => tiredOfWaiting.has(code));
  const isLeftOver = happened.some(({ kind, atMs }) => kind === 'talos/install-failed' && atMs >= startedMs && atMs <= endedMs);
  if (exit !== 'dead' && tired !== undefined && !isLeftOver) {
    const sinceMs = Math.max(
      startedMs,
      ...faults.filter(({ atMs }) => atMs <= endedMs).map(({ atMs, told }) => atMs + Number(told['lateMs'] ?? told['forMs'] ?? 0)),
      ...happened.filter(({ kind, atMs }) => atMs <= endedMs && restarts.has(kind)).map(({ atMs }) => atMs),
    );
    if (endedMs - sinceMs > everythingComesWithinMs)
      wrong.push(
        `I-20 ${task} gave up (${tired.code} ${String(tired.facts['waitingFor'] ?? '')}) when nothing had gone wrong for ${Math.round((endedMs - sinceMs) / 1000)} s`,
      );
  }
  return [...new Set(wrong)];
}

const restarts = new Set(['talos/power-off', 'talos/boot', 'talos/installed']);

const withCauses = (failure: Failure): readonly Failure[] => [failure, ...(failure.cause ? withCauses(failure.cause) : [])];
