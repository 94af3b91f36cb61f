// --- client, kubeconfig, waits
export type {
  ApiResource,
  ApplyOptions,
  Capabilities,
  DeleteOptions,
  EvictOptions,
  KubeReader,
  KubeWriter,
  ListOptions,
  ObjectList,
  Patch,
  RetryObserver,
  ServerVersion,
  WatchEvent,
  WatchOptions,
} from './client.ts';
export { type ClientOptions, createKubeClient, createKubeReader } from './create-client.ts';
export { kubeFailure, type KubeFailures } from './failures.ts';
export {
  conditionOf,
  describeRef,
  type KindRef,
  type KubeObject,
  type ObjectCondition,
  type ObjectMeta,
  type ObjectRef,
  refOf,
} from './object.ts';
export {
  type Kubeconfig,
  kubeconfigExpiresMs,
  type KubeconfigParts,
  kubeconfigTrusts,
  mergeKubeconfig,
  type MergeOptions,
  parseKubeconfig,
  renderKubeconfig,
  targetOf,
  withServer,
} from './kubeconfig.ts';
export { isTransient, type RetryRule, retryRuleOf } from './retry.ts';
export {
  apiServerReady,
  conditionTrue,
  crdsServed,
  isNodeReady,
  kindsOf,
  namespaceActive,
  nodesReady,
  nodesRegistered,
  objectGone,
} from './waits.ts';
export { podTrouble, type Readiness, readinessOf, type WaitOptions, workloadReady, workloadsReady } from './workloads.ts';
