import type { Cluster, ClusterView } from './cluster/index.ts';
import {
  type CallableTask,
  type Needs,
  type NoNeeds,
  type NoParams,
  type ParamsSchema,
  type Shell,
  taskDefiner,
  type TaskDefinition,
  type WithFiles,
} from './core/index.ts';

/** What tasks of a repository are given besides the engine's own: `cluster` everywhere, `$` only where something may be changed. */
export interface TaskKit {
  readonly plan: { readonly cluster: ClusterView };
  readonly run: { readonly cluster: Cluster; readonly $: Shell };
}

const define = taskDefiner<TaskKit>();

/**
 * A task. The path of its file below `tasks/` is its name: `tasks/talos/upgrade-node.ts` is `talos:upgrade-node`.
 * Export it as the default; call it with params to make it something that another task needs.
 */
export function defineTask<P extends ParamsSchema = NoParams, const N extends Needs = NoNeeds, R = void, F = unknown>(
  definition: TaskDefinition<P, N, R, F, TaskKit> & WithFiles<P>,
): CallableTask<P, Awaited<R>> {
  return define(definition);
}

export { z } from 'zod';
export {
  type Condition,
  type Failure,
  hasCode,
  holds,
  minutes,
  never,
  notYet,
  type Observation,
  Secret,
  seconds,
  sizeText,
  tableText,
  throwIfAny,
  TkError,
} from './base/index.ts';
export {
  addNode,
  askEach,
  areStillDark,
  darkEvidence,
  bootedWith,
  checkWiped,
  gone,
  notePartitions,
  seeThrough,
  takeAway,
  takeAwayFacts,
  takeAwayPlan,
  wipeEvidence,
  type Cluster,
  type ClusterView,
  defineConfig,
  defineGate,
  disrupt,
  type DisruptContext,
  disruptionOptions,
  disruptionParams,
  doctorAreas,
  etcdSettled,
  everyoneOf,
  expectSuccessor,
  gates,
  type NodeUpgraded,
  passGates,
  planRoll,
  previewQuorum,
  rollHeadline,
  runRoll,
  surveyRoll,
  uncordonStep,
  installRelease,
  memberIdText,
  membershipFacts,
  patientFacts,
  nodeParams,
  namedNodesParams,
  nodesParams,
  untilItAnswers,
  planReleases,
  probeReleases,
  removalPlan,
  removeNode,
  resourceYaml,
  type Settings,
  successorProblems,
  whichNode,
  type ShownResource,
  type ShownResourceEvent,
  followPins,
  hopsHeadline,
  kubernetesHeadline,
  planKubernetesSteps,
  surveyHops,
  upgradeCluster,
  upgradeKubernetes,
  versionParam,
  versionTag,
} from './cluster/index.ts';
export {
  type CallableTask,
  done,
  type Effect,
  type Evidence,
  fail,
  type FailOptions,
  forEach,
  inSequence,
  type Log,
  type MutatingCall,
  needsHuman,
  notDone,
  type OpenIntent,
  type ParamQuestion,
  type PlannedStep,
  type ProbedResult,
  refuse,
  type RetryPolicy,
  type Shell,
  type StepHandle,
  type StepOptions,
  type TaskCall,
  type TaskContext,
  undecidable,
} from './core/index.ts';
