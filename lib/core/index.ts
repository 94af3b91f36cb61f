export type {
  Log,
  OnceStep,
  OpenIntent,
  PlanContext,
  ProbeActStep,
  ProbeContext,
  Recollection,
  ProbedResult,
  RetryPolicy,
  StepFunction,
  StepHandle,
  StepOptions,
  TaskContext,
  Wait,
} from './context.ts';
export {
  createEngine,
  type Engine,
  type EngineOptions,
  type KitFactory,
  type RunHandle,
  type RunOptions,
  type RunResult,
} from './engine.ts';
export type {
  EngineEvent,
  EventBody,
  EventHead,
  EventSink,
  RunCounts,
  RunOutcome,
  StepKind,
  StepOutcome,
  StopSignal,
  TaskOutcome,
  TaskRow,
} from './events.ts';
export { done, type Evidence, notDone, undecidable } from './evidence.ts';
export { decideOutcome, type FailureClass, type FailureClasses, type RunEnd } from './exit-code.ts';
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
export { type Answers, firstAnswer, type GivenAnswer, withAnswers } from './answers.ts';
export {
  askForMissing,
  type MissingOptions,
  type ParamShape,
  paramShapesOf,
  type Parsed,
  parseParams,
} from './params.ts';
export type { MutatingCall, Plan, PlannedStep, PlannedTask, TaskPlan } from './plan.ts';
export type { Choice, ConfirmQuestion, Prompter, Question, SelectQuestion, TextQuestion } from './prompter.ts';
export { createRegistry, type TaskRegistry } from './registry.ts';
export { journalPath, loadRuns, openIntents, type RecordedRun, runToResume } from './runs.ts';
export type { Shell, ShellCommand, ShellOutput } from './shell.ts';
export {
  type AnyTaskDefinition,
  type CallableTask,
  type Confirmation,
  type DefineTask,
  type Effect,
  type FilePatterns,
  isTask,
  type Kit,
  type NoNeeds,
  type NoParams,
  type ParamsOf,
  type ParamsSchema,
  type Task,
  type TaskDefinition,
  taskDefiner,
  type WithFiles,
  type ParamQuestion,
} from './task.ts';
export type { RunningTask } from './task-run.ts';
export { fail, type FailOptions, needsHuman, refuse } from './user-failure.ts';
