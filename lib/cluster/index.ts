export type {
  ApplyMode,
  ApplyResult,
  BootstrapSecret,
  Cluster,
  ClusterView,
  ConfigComparison,
  ConfigDifference,
  ConfigDifferences,
  Configuration,
  ConfigurationPlan,
  ConfigurationView,
  Crd,
  Etcd,
  EtcdView,
  ExplainedField,
  ExplainedFieldLayer,
  FileChange,
  GeneratedConfigs,
  GeneratedFile,
  GeneratedTalosconfigFile,
  Health,
  HealthAnswer,
  InstalledRelease,
  Kubeconfig,
  KubeconfigState,
  KubeconfigView,
  Kubernetes,
  KubernetesView,
  MachineConfigs,
  MachineConfigsView,
  Machines,
  MachinesView,
  NodeReport,
  NodeSelector,
  NodeState,
  Releases,
  ReleaseState,
  ReleasesView,
  ReleaseView,
  TalosconfigRequest,
  UnmetCondition,
} from './cluster.ts';
export { installRelease, type ReleaseContext } from './install-release.ts';
export { planReleases, probeReleases, type ReleaseFacts } from './release-plan.ts';
export type { ShownValue } from './redact-config.ts';
export {
  bootImageOf,
  bootSchematic,
  type ImageMedium,
  installerImageOf,
  installerSchematic,
  withTemplates,
} from './talconfig-images.ts';
export { nodeParams, whichNode } from './node-params.ts';
export { untilItAnswers } from './transient.ts';
export { defineConfig, type Settings, settingsSchema } from './settings.ts';
export { type ClusterFailures, clusterFailure } from './failures.ts';
export { type DisruptContext, type Disrupted, disrupt, type DisruptOptions, seeThrough, uncordonStep } from './lifecycle/disrupt.ts';
export {
  disruptionOptions,
  type DisruptionParams,
  disruptionParams,
  readDuration,
  shareOf,
  versionParam,
  versionTag,
} from './lifecycle/options.ts';
export { type NodeUpgraded, type NodeUpgradeState, nodeUpgradeState, upgradeNode } from './lifecycle/upgrade-node.ts';
export {
  everyoneOf,
  type Roll,
  type RollContext,
  type RollOptions,
  type RollQuestion,
  runRoll,
  surveyRoll,
} from './lifecycle/roll.ts';
export { planRoll, previewQuorum, rollHeadline } from './lifecycle/roll-plan.ts';
export { etcdSettled } from './lifecycle/settled.ts';
export { describeAnswers, passGates, refusalsOf } from './lifecycle/gate-answers.ts';
export { type LifecycleFailures, lifecycleFailure } from './lifecycle/failures.ts';
export { type KubernetesUpgradeFailures, kubernetesUpgradeFailure } from './kubernetes-upgrade/failures.ts';
export type {
  KubernetesFacts,
  KubernetesPart,
  KubernetesPlan,
  ManifestChange,
  ManifestSync,
  NodeKubernetes,
  PartChange,
} from './kubernetes-upgrade/kubernetes-upgrade.ts';
export { followPins, upgradeKubernetes } from './kubernetes-upgrade/door.ts';
export { kubernetesHeadline, planKubernetesSteps, type KubernetesPlanView } from './kubernetes-upgrade/planned-steps.ts';
export { hopsHeadline, surveyHops, upgradeCluster } from './whole-upgrade/door.ts';
export type { PlannedHop } from './whole-upgrade/preview.ts';
export type { WholeUpgraded, WholeUpgradeOptions } from './whole-upgrade/run.ts';
export type { FollowOptions, PinContext } from './kubernetes-upgrade/follow-pins.ts';
export type { KubernetesUpgradeContext, KubernetesUpgraded, KubernetesUpgradeOptions } from './kubernetes-upgrade/run.ts';
export { type PinFailures, pinFailure } from './pins/failures.ts';
export type { PinEdit, PinPlan, WantedPins } from './pins/pins.ts';
export { defineGate, type GateDefinition, type GateQuestion, type GateVerdict } from './lifecycle/gates/define-gate.ts';
export { gates } from './lifecycle/gates/gates-of-config.ts';
export type {
  BlockedPod,
  ChosenImage,
  ClusterLease,
  CordonState,
  Disruption,
  DisruptionKind,
  DrainOutcome,
  DrainPolicy,
  DrainPreview,
  DrainProgress,
  EtcdMemberView,
  EtcdPicture,
  EtcdSnapshot,
  GateAnswer,
  GateName,
  Gates,
  ImageTarget,
  KubeNodeFacts,
  Lifecycle,
  LifecycleView,
  NodeFacts,
  Overrides,
  PodName,
  SurveyedNode,
  WantedBack,
  WantedImage,
} from './lifecycle/lifecycle.ts';
export { type Doctor, type DoctorArea, doctorAreas, type Finding } from './operations/doctor/finding.ts';
export {
  addNode,
  expectSuccessor,
  type MembershipFacts,
  membershipFacts,
  patientFacts,
  removalPlan,
  removeNode,
  successorProblems,
} from './operations/membership.ts';
export { memberIdText, type EtcdOperations, type EtcdOperationsView } from './operations/etcd.ts';
export { askEach, type Asked } from './operations/ask-each.ts';
export { bootedWith, type BootedWith } from './operations/booted-with.ts';
export {
  areStillDark,
  darkEvidence,
  gone,
  takeAway,
  takeAwayFacts,
  takeAwayPlan,
  type TakeAwayContext,
  type TakeAwayOptions,
  type TakenAway,
} from './operations/one-by-one.ts';
export { checkWiped, notePartitions, wipeEvidence } from './operations/wipe-evidence.ts';
export { type OperationFailures, operationFailure } from './operations/failures.ts';
export type { CpuUse, LogRequest, OperationsView } from './operations/operations.ts';
export { resourceYaml, type ResourceQuery, type Resources, type ShownResource, type ShownResourceEvent } from './operations/resources.ts';
export { namedNodesParams, nodesParams, type NodesSelector } from './operations/select-nodes.ts';
export type { EncryptOptions, Vault } from './vault.ts';
export type { ClusterParts, OpenedCluster } from './open.ts';
export { checkVersionPair, openCluster, openReleaseTree, planUpgradePath } from './open-cluster.ts';
export type { OpenedReleases } from './open-cluster.ts';
export type { ReleaseTree } from './releases.ts';
export type { HopReason, UpgradeHop, VersionPair } from './upgrade-path.ts';
