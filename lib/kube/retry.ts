import type { Failure } from '../base/index.ts';

export interface RetryRule {
  /** Why it happens, for people who read this table. */
  readonly because: string;
  /** Whether the request may have taken effect all the same. */
  readonly outcome: 'none' | 'unknown';
  /** How long asking again makes sense. */
  readonly forMs: number;
}

const minute = 60_000;

/** Failures that pass by themselves. Everything that is not listed here is an answer. */
const rules: Readonly<Record<string, RetryRule>> = {
  'kube/unreachable refused': { because: 'the API server is starting, or the VIP just moved', outcome: 'none', forMs: minute },
  'kube/unreachable unreachable': { because: 'the node that held the VIP is rebooting', outcome: 'none', forMs: minute },
  'kube/unreachable timeout': { because: 'no answer to the connection: the node is rebooting', outcome: 'none', forMs: minute },
  'kube/unreachable reset': { because: 'the API server ended while it answered', outcome: 'unknown', forMs: minute },
  'kube/no-answer': { because: 'a lost packet, or an API server that waits for etcd', outcome: 'unknown', forMs: minute },
  'kube/busy': { because: 'flow control, start-up, or no etcd leader for a moment', outcome: 'none', forMs: minute },
  'kube/webhook-unreachable': {
    because: 'a webhook is registered before its pod serves, and for a while after the pod is Ready its certificate is not trusted',
    outcome: 'none',
    forMs: 3 * minute,
  },
  'kube/stale apply': {
    because: 'somebody wrote at the same time, more often than the server tries again by itself',
    outcome: 'none',
    forMs: 15_000,
  },
  'kube/stale patch': {
    because: 'the same; a patch that names no resourceVersion means whatever is there',
    outcome: 'none',
    forMs: 15_000,
  },
  'kube/kind-not-served': { because: 'a new kind is served by one API server and not yet by the next', outcome: 'none', forMs: minute },
};

/** 500 with etcd's words may come after the write was committed. */
const uncertain = new Set([500, 504]);

/** Undefined: do not ask again. */
export function retryRuleOf(failure: Failure): RetryRule | undefined {
  const { reason: because, verb } = failure.facts;
  const reason = failure.code === 'kube/unreachable' ? ` ${String(because)}` : failure.code === 'kube/stale' ? ` ${String(verb)}` : '';
  const rule = rules[`${failure.code}${reason}`];
  if (rule && failure.code === 'kube/busy' && uncertain.has(Number(failure.facts.status))) return { ...rule, outcome: 'unknown' };
  return rule;
}

/** For `Condition.transient`: the next poll may well succeed. */
export const isTransient = (failure: Failure): boolean => retryRuleOf(failure) !== undefined;

/** Doubles from half a second to eight. */
export const pauseMs = (attempt: number): number => Math.min(500 * 2 ** (attempt - 1), 8000);
