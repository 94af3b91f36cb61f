import type { Condition, Failure, Secret } from '../base/index.ts';
import type { ClusterModel, NodeModel } from '../config/index.ts';
import type { Evidence, StepHandle } from '../core/index.ts';
import type { KubeReader, KubeWriter } from '../kube/index.ts';
import type { TalosReader } from '../talos/index.ts';
import type { Gates, Lifecycle, LifecycleView } from './lifecycle/lifecycle.ts';
import type { KubernetesUpgrade, KubernetesUpgradeView } from './kubernetes-upgrade/kubernetes-upgrade.ts';
import type { Inventory, InventoryView } from './inventory.ts';
import type { Operations, OperationsView } from './operations/operations.ts';
import type { Pins, PinsView } from './pins/pins.ts';
import type { ShownValue } from './redact-config.ts';
import type { Settings } from './settings.ts';

/**
 * The cluster of the repository as far as one may look at it. Probes and plans get this: nothing in it changes a file, a machine
 * or an object.
 */
export interface ClusterView {
  readonly name: string;
  readonly model: ClusterModel;
  /** Of tasks.config.ts. */
  readonly settings: Settings;
  /** Whether the machines are simulated (`--sim`). */
  readonly isSandbox: boolean;
  /** In inventory order. */
  readonly nodes: readonly NodeModel[];
  readonly controlPlanes: readonly NodeModel[];
  readonly workers: readonly NodeModel[];
  /** The one node that is named. Failure: `cluster/unknown-node`, `cluster/node-not-named`, `cluster/nodes-disagree`. */
  find(selector: NodeSelector): NodeModel;
  readonly configuration: ConfigurationView;
  readonly machineConfigs: MachineConfigsView;
  readonly machines: MachinesView;
  readonly etcd: EtcdView;
  readonly kubeconfig: KubeconfigView;
  readonly kubernetes: KubernetesView;
  readonly releases: ReleasesView;
  readonly health: Health;
  /** What is true of the machines, and what taking one away would mean. */
  readonly lifecycle: LifecycleView;
  /** Whether a machine may be taken away now. */
  readonly gates: Gates;
  readonly operations: OperationsView;
  readonly inventory: InventoryView;
  readonly kubernetesUpgrade: KubernetesUpgradeView;
  /** Where the repository writes which versions run. */
  readonly pins: PinsView;
}

/** The same with the methods that change something. Only running bodies get it. */
export interface Cluster extends ClusterView {
  readonly configuration: Configuration;
  readonly machineConfigs: MachineConfigs;
  readonly machines: Machines;
  readonly etcd: Etcd;
  readonly kubeconfig: Kubeconfig;
  readonly kubernetes: Kubernetes;
  readonly releases: Releases;
  readonly lifecycle: Lifecycle;
  readonly operations: Operations;
  readonly inventory: Inventory;
  readonly kubernetesUpgrade: KubernetesUpgrade;
  readonly pins: Pins;
}

/** `IP=`, `NODE=`, `HOSTNAME=`: any of them names a node; two that disagree are an error. */
export interface NodeSelector {
  readonly ip?: string | undefined;
  readonly node?: string | undefined;
  readonly hostname?: string | undefined;
}

// --- files of the repository ---------------------------------------------------------------------------------------

export interface FileChange {
  /** Relative to the repository. */
  readonly path: string;
  readonly change: 'create' | 'update' | 'delete';
}

export interface ConfigurationPlan {
  readonly changes: readonly FileChange[];
  /** How many rendered files are equal to what is there. */
  readonly equal: number;
  /** Of those that change: what somebody has changed by hand since it was rendered here. `apply` copies it to `.tk/overwritten` first. */
  readonly edited: readonly string[];
  /** Encrypted files that were kept without looking inside, because no key is here. */
  readonly notVerified: readonly string[];
  readonly warnings: readonly Failure[];
  /** Names of secrets that the sandbox made up for the templates that ask for them. */
  readonly placeholders: readonly string[];
  /** Absent when the repository has nothing to render (a talhelper repository). */
  readonly renders: boolean;
}

export interface ConfigurationView {
  /** Validates, renders and compares. Failure: every problem of the inputs and templates at once. */
  plan(signal: AbortSignal): Promise<ConfigurationPlan>;
}

export interface Configuration extends ConfigurationView {
  /** Writes what `plan` found, atomically file by file, secrets encrypted; touches nothing that tk has not written before. */
  apply(plan: ConfigurationPlan, signal: AbortSignal): Promise<void>;
}

export interface GeneratedFile {
  readonly node?: NodeModel;
  /** Relative to the repository. */
  readonly path: string;
  readonly text: Secret<string>;
  readonly isEqual: boolean;
}

export interface GeneratedConfigs {
  readonly files: readonly GeneratedFile[];
  /** A new bundle of secrets was made, and has to be kept: its file. */
  readonly newSecrets?: GeneratedFile;
  readonly warnings: readonly Failure[];
}

export type ConfigDifferences =
  | { readonly state: 'compared'; readonly differences: readonly ConfigDifference[] }
  /** There is nothing to compare with: not generated yet, or a machine in maintenance mode. */
  | { readonly state: 'missing'; readonly because: string }
  | { readonly state: 'unknown'; readonly because: string };

/** Values are redacted. */
export interface ConfigDifference {
  /** `v1alpha1`, `HostnameConfig`, `UserVolumeConfig data`. */
  readonly document: string;
  /** Empty: the whole document. */
  readonly path: string;
  readonly change: 'added' | 'removed' | 'changed';
  readonly before?: ShownValue;
  readonly after?: ShownValue;
}

/** What a field of one node's config is, and who said so. Values are redacted. */
export interface ExplainedField {
  readonly node: NodeModel;
  readonly document: string;
  /** The question, where nothing ever set it; empty: the whole document. */
  readonly path: string;
  /** Absent: nothing is set. */
  readonly value?: ShownValue;
  /** Oldest first; each but the last is shadowed by the one after it. */
  readonly layers: readonly ExplainedFieldLayer[];
  /** Documents of this config that have taken the field over from the old document. */
  readonly movedTo: readonly string[];
}

export interface ExplainedFieldLayer {
  /** `generated`, `node cp-1`, `cluster patch`. */
  readonly origin: string;
  /** `talos/patches/cp.yaml:3:5`; absent for what tk generates from the cluster's own facts. */
  readonly where?: string;
  /** Absent: this layer deleted it. */
  readonly value?: ShownValue;
}

export interface TalosconfigRequest {
  /** Default: `os:admin`. */
  readonly roles?: readonly string[];
  /** Default: one year. A kept certificate keeps its own. */
  readonly validityMs?: number;
  /** A new certificate, also where the one that is there would do. Default false. */
  readonly rotate?: boolean;
}

export interface GeneratedTalosconfigFile {
  /** What `write` takes. */
  readonly generated: GeneratedConfigs;
  readonly path: string;
  readonly isEqual: boolean;
  readonly certificateKept: boolean;
  /** Wall time, milliseconds. */
  readonly notAfterMs: number;
}

export interface GenerateRequest {
  /** Path of the secrets bundle, from the root of the repository; default: the one beside the talconfig. */
  readonly secrets?: string | undefined;
  /** Folder for the configs and the talosconfig, likewise; default: `clusterconfig` beside the talconfig. */
  readonly out?: string | undefined;
}

export interface MachineConfigsView {
  /**
   * Failure: everything that is wrong with talconfig, patches and the result; `cluster/secrets-lost` when there is no bundle but
   * traces of a cluster.
   */
  generate(signal: AbortSignal, places?: GenerateRequest): Promise<GeneratedConfigs>;
  /** The generated config of one node as it lies in the repository, or as it would be generated. */
  of(node: NodeModel, signal: AbortSignal): Promise<Secret<string>>;
  /** The talosconfig alone. Failure: `cluster/secrets-lost`. */
  talosconfig(request: TalosconfigRequest): Promise<GeneratedTalosconfigFile>;
  /** A generated config against the file that was generated last. */
  differences(generated: GeneratedFile): Promise<ConfigDifferences>;
  /**
   * What a field is on these nodes. Shape: one answer a node and document of the asked kind, in the order of the nodes.
   * Failure: as `generate`; `talos-config/no-such-field` when the target version knows no such field; `talos-config/no-such-document`
   * when no node's config has the document.
   */
  explain(nodes: readonly NodeModel[], question: string, signal: AbortSignal): Promise<readonly ExplainedField[]>;
}

export interface MachineConfigs extends MachineConfigsView {
  /** 0600, and ignored by git before they are written. */
  write(generated: GeneratedConfigs, signal: AbortSignal): Promise<void>;
}

// --- machines ------------------------------------------------------------------------------------------------------

export type NodeState =
  | { readonly state: 'unreachable'; readonly reason: string }
  | { readonly state: 'maintenance'; readonly spkiSha256: string; readonly talosVersion?: string }
  | {
      readonly state: 'configured';
      readonly talosVersion: string;
      readonly stage: string;
      readonly isReady: boolean;
      readonly unmet: readonly UnmetCondition[];
    }
  /** Configured, and its certificate is not of this cluster. */
  | { readonly state: 'foreign'; readonly spkiSha256?: string };

export interface UnmetCondition {
  readonly name: string;
  readonly reason: string;
}

export interface NodeReport {
  readonly node: NodeModel;
  readonly state: NodeState;
  /** The one disk that the config names. */
  readonly disk?: { readonly path: string; readonly sizeBytes: number; readonly serial?: string; readonly model?: string };
  readonly problems: readonly Failure[];
  readonly warnings: readonly Failure[];
}

export type ApplyMode = 'auto' | 'no-reboot' | 'staged' | 'try' | 'reboot';

export type ConfigComparison =
  | { readonly state: 'equal' }
  | { readonly state: 'differs'; readonly changed: readonly string[] }
  | { readonly state: 'unknown'; readonly because: string };

export interface MachinesView {
  /** The nodes that a selector names; all of them when it names none. Failure: as `find`. */
  select(selector: NodeSelector): readonly NodeModel[];
  /** Opens a port that may only look at one configured machine, and closes it. Failure: `talos/*`, `cluster/no-credentials`. */
  read<T>(node: NodeModel, use: (machine: TalosReader) => Promise<T>): Promise<T>;
  state(node: NodeModel, signal: AbortSignal): Promise<NodeState>;
  /** Reads everything that has to be right before the first change to this machine. */
  preflight(node: NodeModel, signal: AbortSignal): Promise<NodeReport>;
  /** What belongs to no single machine: VIP and endpoint not taken by somebody else, clocks. */
  preflightCluster(reports: readonly NodeReport[], signal: AbortSignal): Promise<readonly Failure[]>;
  /** The running config against the generated one, document by document. */
  compareConfig(node: NodeModel, signal: AbortSignal): Promise<ConfigComparison>;
  /** The running config against `wanted`, field by field. */
  differences(node: NodeModel, wanted: Secret<string>, signal: AbortSignal): Promise<ConfigDifferences>;
  /**
   * What the machine itself says that it would do with the generated config. Undefined in maintenance mode: a config holds the
   * cluster's keys, and is not shown to a machine that nobody has pinned.
   */
  dryRun(node: NodeModel, mode: ApplyMode, signal: AbortSignal): Promise<ApplyResult | undefined>;
  /** The config is there, the machine has left maintenance, and as far as it can come without etcd it has come. */
  installed(node: NodeModel): Condition<NodeState>;
}

export interface Machines extends MachinesView {
  /** Checks the machine's identity on the very connection that carries the config. */
  apply(node: NodeModel, mode: ApplyMode, signal: AbortSignal, options?: { readonly tryForMs?: number }): Promise<ApplyResult>;
}

export interface ApplyResult {
  readonly mode: string;
  readonly warnings: readonly string[];
}

// --- etcd ----------------------------------------------------------------------------------------------------------

export interface EtcdView {
  /** The control plane that etcd is bootstrapped on: the lowest address, as upstream's own provisioner picks it. */
  target(): NodeModel;
  /** Looks at every control plane, or at those given: members, service, data. `undecidable` when one that may hold data cannot be asked. */
  evidence(signal: AbortSignal, among?: readonly NodeModel[]): Promise<Evidence>;
  /** The target runs etcd, healthy, and is its member. */
  started(node: NodeModel): Condition<number>;
  /** Every control plane, or every one of those given, is a started, voting member in the view of each. */
  joined(among?: readonly NodeModel[]): Condition<number>;
}

export interface Etcd extends EtcdView {
  /**
   * Asks until the machine takes it, and tells what it is still waiting for. The first Ctrl-C ends the waiting, never a call.
   *
   * Failure: `wait/timeout`, `talos/*`.
   */
  bootstrap(node: NodeModel, step: Pick<StepHandle, 'signal' | 'wait'>): Promise<void>;
}

// --- Kubernetes ----------------------------------------------------------------------------------------------------

export type KubeconfigState =
  | { readonly state: 'right'; readonly server: string }
  | { readonly state: 'missing' }
  | { readonly state: 'wrong'; readonly because: string };

export interface KubeconfigView {
  /** Offline: is there one, does it trust this cluster's CA, does it name this endpoint, is its certificate valid. */
  state(): Promise<KubeconfigState>;
  /** `/readyz` of the API server on one control plane, dialled directly. */
  apiServerReady(node: NodeModel): Condition<void>;
  /** `/readyz` through the kubeconfig as it is on disk. */
  answers(): Condition<string>;
}

export interface Kubeconfig extends KubeconfigView {
  /** Fetches from the first control plane that gives one, checks its CA against the bundle, writes it 0600. */
  fetch(signal: AbortSignal): Promise<{ readonly path: string; readonly server: string }>;
  /**
   * Puts the repository's kubeconfig into the user's own: the first other file of KUBECONFIG, else `~/.kube/config`. Contexts of other
   * clusters stay as they are. Failure: `cluster/no-kubeconfig`, `kube/kubeconfig-malformed`.
   */
  merge(options: { readonly activate: boolean }): Promise<{ readonly path: string; readonly isChanged: boolean }>;
}

export interface KubernetesView {
  /** Failure: `cluster/no-kubeconfig`. */
  reader(): Promise<KubeReader>;
  /** One reader for each control plane's own API server. */
  eachApiServer(): Promise<readonly { readonly node: string; readonly kube: KubeReader }[]>;
  /** Whether an API server answers through the kubeconfig; false while there is none. */
  isReachable(signal: AbortSignal): Promise<boolean>;
  /** Directories of `kubernetes/apps`, sorted. */
  namespaces(): Promise<readonly string[]>;
  /** The Secrets that Flux needs before it runs. Decrypted in memory. Failure: `secrets/*` when the key does not fit. */
  bootstrapSecrets(): Promise<readonly BootstrapSecret[]>;
  /** Templates beside them that another program fills in. Warnings, of the last `bootstrapSecrets`. */
  secretsLeftOut(): readonly Failure[];
  /** What of `kubernetes/flux/config` and its variables starts Flux on the repository; empty where a FluxInstance does. */
  fluxRoot(signal: AbortSignal): Promise<readonly FluxRootObject[]>;
  nodesRegistered(): Condition<number>;
  nodesReady(): Condition<number>;
  /** The source has an artifact and every Kustomization up to the root is reconciled. */
  fluxReconciled(): Condition<string>;
  /** Established, and served by every API server. */
  crdsServed(names: readonly string[]): Condition<number>;
}

/** One object of those that let Flux follow the repository where no FluxInstance does. */
export interface FluxRootObject {
  readonly kind: string;
  /** Name of the CustomResourceDefinition of its kind. */
  readonly definition: string;
  readonly namespace: string;
  readonly name: string;
  isApplied(signal: AbortSignal): Promise<boolean>;
}

export interface BootstrapSecret {
  /** Default: Secret. A ConfigMap that Flux' start substitutes from is planted with them. */
  readonly kind?: string;
  readonly namespace: string;
  readonly name: string;
  /** Relative to the repository; absent when made from the age key itself. */
  readonly path?: string;
  isApplied(signal: AbortSignal): Promise<boolean>;
}

export interface Kubernetes extends KubernetesView {
  writer(): Promise<KubeWriter>;
  applyNamespace(name: string, signal: AbortSignal): Promise<void>;
  applySecret(secret: BootstrapSecret, signal: AbortSignal): Promise<void>;
  applyFluxRoot(object: FluxRootObject, signal: AbortSignal): Promise<void>;
  /** As `fluxReconciled`, and lets Flux look again at what had failed before something else came up, which it does hours later itself. */
  reconcileFlux(): Condition<string>;
}

// --- releases ------------------------------------------------------------------------------------------------------

export interface ReleaseView {
  readonly name: string;
  readonly namespace: string;
  readonly chart: string;
  readonly version: string;
  readonly needs: readonly string[];
}

export type ReleaseState =
  | { readonly state: 'equal'; readonly revision: number }
  | { readonly state: 'absent' }
  | { readonly state: 'differs'; readonly because: string };

export interface ReleasesView {
  /** What bootstrap installs, in the order of needs. Empty when the repository has no Flux tree. */
  forBootstrap(): Promise<readonly ReleaseView[]>;
  state(release: ReleaseView, signal: AbortSignal): Promise<ReleaseState>;
  /** Names of the CustomResourceDefinitions that these releases bring. */
  crds(signal: AbortSignal): Promise<readonly Crd[]>;
}

export interface Crd {
  readonly name: string;
  readonly release: string;
  isServed(signal: AbortSignal): Promise<boolean>;
}

export interface Releases extends ReleasesView {
  applyCrds(crds: readonly Crd[], signal: AbortSignal): Promise<void>;
  /** Applies, runs hooks, waits, writes the record last. */
  install(release: ReleaseView, observe: (seen: string) => void, signal: AbortSignal): Promise<InstalledRelease>;
}

export interface InstalledRelease {
  readonly state: 'installed' | 'upgraded' | 'equal';
  readonly revision: number;
  readonly objects: number;
}

// --- health --------------------------------------------------------------------------------------------------------

/** The 16 checks of upstream's client, in its order and under its names (pkg/cluster/check/default.go). */
export interface Health {
  checks(): readonly Condition<HealthAnswer>[];
}

export type HealthAnswer = { readonly state: 'ok' } | { readonly state: 'skipped'; readonly because: string };
