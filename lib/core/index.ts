export type {
  Log,
  OnceStep,
  OpenIntent,
  PlanContext,
  ProbeActStep,
  ProbeContext,
  ProbedResult,
  RetryPolicy,
  StepFunction,
  StepHandle,
  StepOptions,
  TaskContext,
  Wait,
} from './context.ts';
export { done, type Evidence, notDone, undecidable } from './evidence.ts';
export { type CoreFailures, coreFailure } from './failures.ts';
export {
  forEach,
  inSequence,
  type Need,
  type NeedResult,
  type Needs,
  type NeedsResults,
  type Parallel,
  type Sequence,
  type TaskCall,
} from './needs.ts';
export type { MutatingCall, PlannedStep } from './plan.ts';
export type { Choice, ConfirmQuestion, Prompter, Question, SelectQuestion, TextQuestion } from './prompter.ts';
export type { Shell, ShellCommand, ShellOutput } from './shell.ts';
export {
  type AnyTaskDefinition,
  type CallableTask,
  type Confirmation,
  type DefineTask,
  type Effect,
  isTask,
  type Kit,
  type NoNeeds,
  type NoParams,
  type ParamsOf,
  type ParamsSchema,
  paramsSchemaOf,
  type Task,
  type TaskDefinition,
  taskDefiner,
} from './task.ts';
export { fail, type FailOptions, needsHuman, refuse } from './user-failure.ts';
