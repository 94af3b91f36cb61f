import type { Failure } from '../../../lib/base/index.ts';
import type { EngineEvent } from '../../../lib/core/index.ts';
import type { JournalRecord, ReadJournal } from '../../../lib/core/journal.ts';
import type { FaultHit, SimEvent } from '../../../lib/sim/index.ts';

/** What the branches are read off: nothing in the product knows of them. */
export interface Traces {
  readonly attempts: readonly {
    readonly exit: number | 'dead';
    readonly failures: readonly Failure[];
    readonly events: readonly EngineEvent[];
  }[];
  readonly happened: readonly SimEvent[];
  readonly faults: readonly FaultHit[];
  /** Oldest run first. */
  readonly journals: readonly ReadJournal[];
}

const events = ({ attempts }: Traces) => attempts.flatMap((attempt) => attempt.events);
const records = ({ journals }: Traces): readonly (readonly JournalRecord[])[] =>
  journals.map(({ entries }) => entries.map(({ record }) => record));
const intends = (run: readonly JournalRecord[]) => run.some(({ type }) => type === 'intent');
const skippedBecause = (traces: Traces, task: string, reason: RegExp): boolean =>
  events(traces).some(
    (event) =>
      event.event === 'task-finished' &&
      event.task.startsWith(task) &&
      event.outcome.state === 'skipped' &&
      reason.test(event.outcome.reason),
  );
const failedWith = ({ attempts }: Traces, ...codes: string[]): boolean =>
  attempts.some(({ failures }) => failures.some(({ code }) => codes.includes(code)));
const waitedFor = (traces: Traces, what: RegExp): boolean =>
  events(traces).some((event) => event.event === 'waiting' && what.test(event.waitingFor));
const retried = (traces: Traces, ...codes: string[]): boolean =>
  events(traces).some((event) => event.event === 'step-retry' && (codes.length === 0 || codes.includes(event.failure.code)));

/** Every way out of trouble that a bootstrap has, by what the person would call it. */
export const branches = {
  'a step is tried again after a lost reply': (traces) => retried(traces, 'talos/unavailable', 'talos/deadline', 'talos/unreachable'),
  'a change with an unknown outcome is looked at again': (traces) => retried(traces, 'talos/outcome-unknown'),
  'a machine that went away is waited for': (traces) => retried(traces, 'preflight/unreachable') || waitedFor(traces, / to answer$/),
  'an earlier run intended to bootstrap and reality shows that it happened': (traces) => {
    const runs = records(traces);
    return runs.some(
      (run, index) =>
        !intends(run) && runs.slice(0, index).some(intends) && run.some((record) => record.type === 'result' && record.seen !== undefined),
    );
  },
  'an earlier run intended to bootstrap and reality shows that it did not happen': (traces) => {
    const runs = records(traces);
    return runs.some((run, index) => intends(run) && runs.slice(0, index).some(intends));
  },
  'the reply to the bootstrap was lost and data on the disk shows that it arrived': (traces) =>
    waitedFor(traces, /whose reply was lost/) && traces.happened.some(({ kind }) => kind === 'talos/bootstrap-accepted'),
  'the bootstrap is asked for again because it was too early': (traces) => waitedFor(traces, /to accept the bootstrap/),
  'a probe that cannot tell is repeated': (traces) => waitedFor(traces, /^certainty about/),
  'machines that have their config are skipped': (traces) => skippedBecause(traces, 'talos:apply-node', /equal/),
  'generated files are kept': (traces) => skippedBecause(traces, 'talos:generate-config', /equal/),
  'a kubeconfig of an earlier run is kept': (traces) => skippedBecause(traces, 'bootstrap:kubeconfig', /right/),
  'a machine whose install failed is installed again': ({ happened }) => {
    const failed = happened.findIndex(({ kind }) => kind === 'talos/install-failed');
    const node = happened[failed]?.facts.node;
    return failed >= 0 && happened.slice(failed).some(({ kind, facts }) => kind === 'talos/installed' && facts.node === node);
  },
  'a machine that lost its power came back': ({ faults, happened }) =>
    faults.some(
      (fault) =>
        fault.point === 'talos/power' &&
        happened.some(({ kind, atMs, facts }) => kind === 'talos/boot' && atMs > fault.atMs && facts.node === fault.facts['node']),
    ),
  'the torn tail of a journal is passed over': ({ journals }) => journals.some(({ torn }) => torn),
  'a run that was stopped by a signal is taken up': ({ attempts }) => attempts.some(({ exit }) => exit === 130),
  'a run that was killed is taken up': ({ attempts }) => attempts.some(({ exit }) => exit === 'dead') && attempts.at(-1)?.exit === 0,
  'nothing is begun on a disk that does not take the journal': (traces) => failedWith(traces, 'journal/write'),
  'a release that is there already is left alone': (traces) => skippedBecause(traces, 'bootstrap:cilium', /equal/),
  'definitions that are served already are left alone': (traces) => skippedBecause(traces, 'bootstrap:crds', /are served/),
} as const satisfies Readonly<Record<string, (traces: Traces) => boolean>>;

export type Branch = keyof typeof branches;

export const branchesOf = (traces: Traces): readonly Branch[] =>
  (Object.keys(branches) as Branch[]).filter((name) => branches[name](traces));
