import { z } from 'zod';
import type { PlanContext, ProbeContext, TaskContext } from './context.ts';
import type { Needs, NeedsResults, TaskCall } from './needs.ts';
import type { TaskPlan } from './plan.ts';
import type { Choice } from './prompter.ts';

/**
 * What a task can touch. `read`: nothing. `write`: files of this machine. `mutate`: other machines, undoable or repeatable.
 * `destroy`: what cannot be brought back.
 */
export type Effect = 'read' | 'write' | 'mutate' | 'destroy';

/** What the composition root gives to every task: `run` to bodies, `plan` (nothing in it can change anything) to the hooks. */
export interface Kit {
  readonly plan: object;
  readonly run: object;
}

export type ParamsSchema = z.ZodObject<z.core.$ZodLooseShape, z.core.$ZodObjectConfig>;

// biome-ignore lint/complexity/noBannedTypes: a task without params takes an empty object
export type NoParams = z.ZodObject<{}>;
// biome-ignore lint/complexity/noBannedTypes: a task without needs has none to name
export type NoNeeds = {};

/** What `run` finds in `params`: values after defaults; nothing at all when the task has no params. */
export type ParamsOf<P extends ParamsSchema> = [z.output<P>] extends [Record<string, never>] ? NoNeeds : z.output<P>;

/** The question before the first effect. `phrase` has to be typed; for what cannot be undone. */
export interface Confirmation {
  readonly message: string;
  readonly phrase?: string;
}

/** A param that the task cannot do without, in words for a person. */
export interface ParamQuestion {
  /** The key in the schema. */
  readonly param: string;
  readonly message: string;
  readonly choices?: readonly Choice[];
}

/**
 * Files by their path from the root of the repository: `scripts/**`, `list.{json,csv}`, a folder for all that lies in it; `!` takes out
 * again. A function where they follow from the params.
 */
export type FilePatterns<P = never> = readonly string[] | ((params: P) => readonly string[]);

/**
 * A task that declares what it reads is left out when that, its own code, its params, the results of its needs and the files that it
 * wrote are as its last good run left them; those who need it are given the result of that run. Only for tasks that look at files and
 * at nothing else: whoever changes machines or a cluster looks at them instead (`probe`, `step.probeAct`).
 *
 * A result that is no plain data, or holds a key, a `print` and a `differs` make it run the next time too; `--fresh` makes it run now.
 */
export type WithFiles<P extends ParamsSchema> =
  | {
      readonly effect: 'read' | 'write';
      readonly inputs: FilePatterns<ParamsOf<P>>;
      /** What it writes. When none of it is there afterwards, the task runs again. */
      readonly outputs?: FilePatterns<ParamsOf<P>>;
    }
  | { readonly effect: Effect; readonly inputs?: undefined; readonly outputs?: undefined };

export interface TaskDefinition<P extends ParamsSchema, N extends Needs, R, F, K extends Kit> {
  /** One line, imperative, no period: "Upgrade one node". */
  readonly summary: string;
  /** Longer text of `--help`. */
  readonly description?: string;
  /** Keys are camelCase here and kebab-case on the command line. Absent: no params. */
  readonly params?: P;
  /** Params that may be given without their name, in this order. */
  readonly positional?: readonly (keyof ParamsOf<P> & string)[];
  /** Work that has to be done before. A function must be pure: it is called while the graph is built. */
  readonly needs?: N | ((params: ParamsOf<P>, scope: K['plan']) => N);
  readonly effect: Effect;
  readonly inputs?: FilePatterns<ParamsOf<P>>;
  readonly outputs?: FilePatterns<ParamsOf<P>>;
  /** Names of things that only one task at a time may use. */
  readonly locks?: readonly string[] | ((params: ParamsOf<P>) => readonly string[]);
  /** Asked before anything is changed; undefined: nothing to ask. */
  readonly confirm?: (params: ParamsOf<P>, scope: K['plan']) => Confirmation | undefined;
  /** Fires the task's signal. Absent: the run's own deadline, if it has one. */
  readonly deadlineMs?: number;
  /** Read-only: collects what `plan` decides on. Not called with `--offline`. */
  readonly probe?: (context: ProbeContext<ParamsOf<P>> & K['plan']) => Promise<F>;
  /** Pure. `facts` is undefined when they could not be had. Absent: one step, named by the summary. */
  readonly plan?: (context: PlanContext<ParamsOf<P>> & K['plan'], facts: NoInfer<F> | undefined) => TaskPlan;
  /**
   * What is asked when the command line left it open, after the params were checked. Pure; may throw what is wrong with them. Without
   * a terminal an open one ends the command with exit 2, before anything begins.
   */
  readonly questions?: (params: ParamsOf<P>, scope: K['plan']) => readonly ParamQuestion[];
  /** Lines of its help, without the program's name: `backup --keep 14`. Absent: made from the params that it cannot do without. */
  readonly examples?: readonly string[];
  /** Not in lists; reachable by its name. */
  readonly hidden?: boolean;
  run(context: TaskContext<ParamsOf<P>, NeedsResults<N>> & K['run']): R | Promise<R>;
}

/** A definition with its types forgotten: what the engine works on. */
export interface AnyTaskDefinition {
  readonly summary: string;
  readonly description?: string;
  readonly params?: ParamsSchema;
  readonly positional?: readonly string[];
  readonly needs?: Needs | ((params: never, scope: never) => Needs);
  readonly effect: Effect;
  readonly inputs?: FilePatterns;
  readonly outputs?: FilePatterns;
  readonly locks?: readonly string[] | ((params: never) => readonly string[]);
  readonly confirm?: (params: never, scope: never) => Confirmation | undefined;
  readonly deadlineMs?: number;
  readonly probe?: (context: never) => Promise<unknown>;
  readonly plan?: (context: never, facts: never) => TaskPlan;
  readonly questions?: (params: never, scope: never) => readonly ParamQuestion[];
  readonly examples?: readonly string[];
  readonly hidden?: boolean;
  run(context: never): unknown;
}

/** A task without regard to its types. */
export interface Task {
  readonly definition: AnyTaskDefinition;
}

/** Calling it with params makes a `TaskCall`; nothing runs. */
export interface CallableTask<P extends ParamsSchema, R> extends Task {
  // biome-ignore lint/complexity/noBannedTypes: the question is whether no param is required
  (...args: {} extends z.input<P> ? [params?: z.input<P>] : [params: z.input<P>]): TaskCall<R>;
}

export interface DefineTask<K extends Kit> {
  <P extends ParamsSchema = NoParams, const N extends Needs = NoNeeds, R = void, F = unknown>(
    definition: TaskDefinition<P, N, R, F, K> & WithFiles<P>,
  ): CallableTask<P, Awaited<R>>;
}

/** Binds the engine to what the tasks of one product are given. */
export function taskDefiner<K extends Kit>(): DefineTask<K> {
  return <P extends ParamsSchema, N extends Needs, R, F>(definition: TaskDefinition<P, N, R, F, K> & WithFiles<P>) => {
    const call = (params: object = {}): TaskCall<Awaited<R>> => ({ kind: 'call', task: callable, params });
    const callable = Object.assign(call, { definition: definition as unknown as AnyTaskDefinition }) as unknown as CallableTask<
      P,
      Awaited<R>
    >;
    return callable;
  };
}

export const isTask = (value: unknown): value is Task =>
  typeof value === 'function' &&
  'definition' in value &&
  typeof (value.definition as Partial<AnyTaskDefinition> | undefined)?.run === 'function';

const noParams = z.object({});

/** The schema of a task's params; an empty object when it has none. */
export const paramsSchemaOf = (task: Task): ParamsSchema => task.definition.params ?? noParams;
