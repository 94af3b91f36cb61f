import { type Failure, failureOf, TkError } from '../base/index.ts';
import type { ProbeContext, Wait } from './context.ts';
import { eachOf } from './each.ts';
import type { Fingerprints } from './fingerprints.ts';
import type { GraphNode, TaskGraph } from './graph.ts';
import type { Effect } from './task.ts';

/** One call that would change something outside of this process. */
export interface MutatingCall {
  /** Whom it is addressed to: a machine, a server, a file. */
  readonly target: string;
  /** In the words of the protocol. */
  readonly call: string;
}

/** One line of a plan. `unknown`: the facts for the decision could not be had. */
export type PlannedStep =
  | {
      readonly decision: 'run';
      readonly title: string;
      readonly reason?: string;
      readonly node?: string;
      readonly calls?: readonly MutatingCall[];
    }
  | { readonly decision: 'skip'; readonly title: string; readonly reason: string; readonly node?: string }
  | { readonly decision: 'unknown'; readonly title: string; readonly reason: string; readonly node?: string };

/** What a task's `plan` returns: its steps, and where they are many a line that sums them up: `4 of 6 nodes change: …`. */
export type TaskPlan = readonly PlannedStep[] | { readonly headline: string; readonly steps: readonly PlannedStep[] };

/** One task of a plan. `failure`: its probe or its plan could not be made; it then counts as one unknown step. */
export interface PlannedTask {
  readonly task: string;
  readonly title: string;
  readonly summary: string;
  readonly effect: Effect;
  readonly headline?: string;
  readonly steps: readonly PlannedStep[];
  readonly failure?: Failure;
  /** What speaks against it besides: a probe that collects tells everything at once. */
  readonly furtherFailures?: readonly Failure[];
}

export interface Plan {
  readonly goals: readonly string[];
  /** In the order in which they would run. */
  readonly tasks: readonly PlannedTask[];
  readonly counts: { readonly run: number; readonly skip: number; readonly unknown: number; readonly calls: number };
}

export interface PlanOptions {
  readonly mode: 'plan' | 'dry-run';
  /** Asks nothing outside of the repository: steps that depend on facts become `unknown`. */
  readonly offline: boolean;
  readonly scope: object;
  readonly signal: AbortSignal;
  readonly wait: Wait;
  readonly recall: ProbeContext['recall'];
  /** What tells which tasks are left out, because nothing that they declare has changed. Absent: none. */
  readonly fingerprints?: Fingerprints;
}

/**
 * What a run would do. Probes run first and only read; the decisions after them are pure. Tasks are planned side by side,
 * because no plan depends on another's.
 */
export async function planGraph(graph: TaskGraph, options: PlanOptions): Promise<Plan> {
  const tasks: PlannedTask[] = [];
  const leftOut = new Set<string>();
  const planned = await eachOf([...graph.nodes.values()], (node) => planTask(node, options), { parallel: 8, stopping: options.signal });
  for (const [index, node] of [...graph.nodes.values()].entries()) {
    const task = planned[index] as PlannedTask;
    const freshness = await options.fingerprints?.of(node)?.freshness();
    // What another task will return is known only where that one is left out itself.
    const open = [...node.needs].find((need) => !leftOut.has(need));
    if (freshness?.state !== 'unchanged') tasks.push(freshness === undefined ? task : because(task, freshness.reason));
    else if (open !== undefined)
      tasks.push({ ...task, steps: [unknownStep(task, `depends on what ${graph.nodes.get(open)?.title ?? open} returns`)] });
    else {
      leftOut.add(node.id);
      tasks.push({ ...task, steps: [{ decision: 'skip', title: task.summary, reason: freshness.reason }] });
    }
  }
  const steps = tasks.flatMap((task) => task.steps);
  const having = (decision: PlannedStep['decision']) => steps.filter((step) => step.decision === decision).length;
  return {
    goals: graph.goals.map((id) => graph.nodes.get(id)?.title ?? id),
    tasks,
    counts: {
      run: having('run'),
      skip: having('skip'),
      unknown: having('unknown'),
      calls: steps.reduce((sum, step) => sum + (step.decision === 'run' ? (step.calls?.length ?? 0) : 0), 0),
    },
  };
}

const unknownStep = (task: PlannedTask, reason: string): PlannedStep => ({ decision: 'unknown', title: task.summary, reason });

/** A step that has its own reason keeps it. */
const because = (task: PlannedTask, reason: string): PlannedTask => ({
  ...task,
  steps: task.steps.map((step) => (step.decision === 'run' ? { reason, ...step } : step)),
});

async function planTask(node: GraphNode, options: PlanOptions): Promise<PlannedTask> {
  const { summary, effect, probe, plan } = node.task.definition;
  const head = { task: node.id, title: node.title, summary, effect };
  if (!plan) return { ...head, steps: [{ decision: 'run', title: summary }] };
  const given = { ...options.scope, params: node.params };
  try {
    const facts =
      probe && !options.offline
        ? await (probe as (context: object) => Promise<unknown>)({
            ...given,
            mode: options.mode,
            signal: options.signal,
            wait: options.wait,
            recall: options.recall,
          })
        : undefined;
    const planned = (plan as (context: object, facts: unknown) => TaskPlan)(given, facts);
    return { ...head, ...('steps' in planned ? planned : { steps: planned }) };
  } catch (error) {
    if (options.signal.aborted) throw error;
    const failure = failureOf(error);
    const further = error instanceof TkError ? error.failures.slice(1) : [];
    return {
      ...head,
      steps: [{ decision: 'unknown', title: summary, reason: failure.code }],
      failure,
      ...(further.length === 0 ? {} : { furtherFailures: further }),
    };
  }
}
