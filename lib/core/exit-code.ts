import type { Failure } from '../base/index.ts';
import type { RunOutcome, StopSignal } from './events.ts';
import { isInterruption } from './guard.ts';

export interface RunEnd {
  readonly failures: readonly Failure[];
  /** Whether every task ended well. */
  readonly isComplete: boolean;
  /** Whether a step that may change something was begun. */
  readonly touched: boolean;
  readonly differs: boolean;
  readonly stoppedBy?: StopSignal;
}

const signalCodes: Readonly<Record<StopSignal, number>> = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 };

export type FailureClass = 'needs-human' | 'failed' | 'refused' | 'locked' | 'invalid';

/** Codes (`gate/identity`) and areas (`gate`) that are not plain failures of a step. A code wins over its area. */
export type FailureClasses = Readonly<Record<string, FailureClass>>;

/** The engine's own codes, and areas that mean the same in every product. Others are handed in by the composition root. */
const ownClasses: FailureClasses = {
  'step/undecidable': 'needs-human',
  'task/needs-human': 'needs-human',
  'task/refused': 'refused',
  'task/unknown': 'invalid',
  'task/duplicate': 'invalid',
  'prompt/no-terminal': 'invalid',
  'prompt/bad-answer': 'invalid',
  'journal/no-run': 'invalid',
  gate: 'refused',
  preflight: 'refused',
  confirm: 'refused',
  lock: 'locked',
  usage: 'invalid',
  params: 'invalid',
  graph: 'invalid',
  config: 'invalid',
  format: 'invalid',
  render: 'invalid',
  cluster: 'invalid',
};

export function failureClassOf(failure: Failure, further: FailureClasses = {}): FailureClass {
  const area = failure.code.slice(0, failure.code.indexOf('/'));
  return further[failure.code] ?? ownClasses[failure.code] ?? further[area] ?? ownClasses[area] ?? 'failed';
}

/** The one place that decides how a run ended. An unfinished run never exits 0. */
export function decideOutcome(end: RunEnd, further: FailureClasses = {}): { readonly outcome: RunOutcome; readonly exitCode: number } {
  const found = new Set(end.failures.filter((failure) => !isInterruption(failure)).map((failure) => failureClassOf(failure, further)));
  if (found.has('needs-human')) return { outcome: 'needs-human', exitCode: 5 };
  if (!end.isComplete && end.stoppedBy) return { outcome: 'interrupted', exitCode: signalCodes[end.stoppedBy] };
  if (found.has('failed')) return { outcome: 'failed', exitCode: 1 };
  if (found.has('refused')) return { outcome: 'refused', exitCode: 3 };
  if (found.has('locked')) return { outcome: 'locked', exitCode: 4 };
  // "Nothing touched" is part of what exit 2 promises.
  if (found.has('invalid')) return end.touched ? { outcome: 'failed', exitCode: 1 } : { outcome: 'invalid', exitCode: 2 };
  if (end.failures.some((failure) => failure.code === 'prompt/cancelled')) return { outcome: 'interrupted', exitCode: signalCodes.SIGINT };
  if (!end.isComplete || end.failures.length > 0) return { outcome: 'failed', exitCode: 1 };
  if (end.differs) return { outcome: 'differs', exitCode: 6 };
  return { outcome: 'succeeded', exitCode: 0 };
}
