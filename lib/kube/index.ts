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
} from './kubeconfig.ts';
export { isTransient, type RetryRule, retryRuleOf } from './retry.ts';
export {
  apiServerReady,
  conditionTrue,
  crdsServed,
  isNodeReady,
  kindsOf,
  nodesReady,
  nodesRegistered,
  objectGone,
} from './waits.ts';
export { podTrouble, type Readiness, readinessOf, type WaitOptions, workloadReady, workloadsReady } from './workloads.ts';
// --- charts and releases
export {
  type CredentialPorts,
  loadRegistryCredentials,
  noCredentials,
  type RegistryCredential,
  type RegistryCredentials,
} from './charts/credentials.ts';
export { chartSourceFailure, type ChartSourceFailures, releaseFailure, type ReleaseFailures } from './charts/failures.ts';
export { type BrokenRelease, type FindPorts, findReleases, type FoundReleases } from './charts/find-releases.ts';
export { type FluxTree, loadFluxTree, type TreeObject } from './charts/flux-tree.ts';
export { type Pulled, pullChart, type PullPorts } from './charts/pull.ts';
export { ChartCache } from './charts/cache.ts';
export { findRendered } from './charts/rendered.ts';
export { pullRelease } from './charts/source-access.ts';
export type { ObjectReference, ReleasePlan, Substitution, ValuesLayer } from './charts/release-plan.ts';
export { applyCrds, type InstallOptions } from './charts/apply-crds.ts';
export { diffRelease, type FieldChange, type ObjectChange, type ReleaseChange } from './charts/diff.ts';
export { type InstalledRelease, installRelease } from './charts/install.ts';
export {
  crdsOfRelease,
  manifestText,
  type OfflineOptions,
  type PreparedRelease,
  prepareRelease,
  type ReleasePorts,
  renderRelease,
  renderReleaseOffline,
} from './charts/prepare.ts';
export { type ReleaseState, releaseState } from './charts/release-state.ts';
export { type ChartSource, describeSource } from './charts/source.ts';
export { substitute, SubstitutionError } from './charts/substitute.ts';
export { type ReferenceReader, resolveValues } from './charts/values.ts';
