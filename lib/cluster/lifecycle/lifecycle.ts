import type { Condition, Failure } from '../../base/index.ts';
import type { NodeModel } from '../../config/index.ts';
import type { MachineStage, RebootMode, ResetOptions } from '../../talos/index.ts';

/**
 * What is true of a machine, what may be done to it now, and the acts that take it away for a while or for good.
 *
 * How a task uses it: never call an act of `Lifecycle` on its own. Hand the act to `disrupt` (see `disrupt.ts`), which is the order
 * that keeps a cluster whole: gates, cordon, drain, volumes, gates again on fresh data, the act as a `once` step, the proof that
 * the machine is back, uncordon. `disrupt` is exported by the public entry, so that a task of a user's can do the same:
 *
 *     const before = await cluster.lifecycle.facts(node, signal);
 *     await disrupt(context, {
 *       disruption: { node, kind: 'reboot', etcd: 'away' },
 *       title: 'reboot', key: `reboot ${node.name}`,
 *       drain: { how: 'evict', deadlineMs: minutes(5) }, overrides: params.override,
 *       act: (handle) => cluster.lifecycle.reboot(node, 'default', handle.signal),
 *       comesBack: (bootId) => cluster.lifecycle.back(node, { afterBoot: bootId }),
 *     });
 *
 * Whoever disrupts nothing but wants the same answers (upgrade-k8s before a component, doctor) asks `cluster.gates.check` itself
 * and hands the answers to `passGates`.
 */
export interface LifecycleView {
  /** Asks the machine itself and the API server. Failure: `talos/*` when the machine cannot be asked; Kubernetes may be absent. */
  facts(node: NodeModel, signal: AbortSignal): Promise<NodeFacts>;
  /** The same of many, side by side; one that cannot be asked is told, not thrown. Shape: in the order of `nodes`. */
  survey(nodes: readonly NodeModel[], signal: AbortSignal): Promise<readonly SurveyedNode[]>;
  /** Only what tells one boot from another; cheap enough to poll. `atMs` is wall time here. */
  boot(node: NodeModel, signal: AbortSignal): Promise<BootSeen>;
  /** What every control plane says of etcd, read at this moment. */
  etcd(signal: AbortSignal): Promise<EtcdPicture>;
  /**
   * Another boot, the wanted version and schematic, finished to boot, etcd healthy, Node Ready.
   *
   * Failure: `node/rolled-back` as soon as it is certain; a wait that runs out is told by `disrupt` as `node/not-returned`.
   */
  back(node: NodeModel, wanted: WantedBack): Condition<NodeFacts>;
  /** No VolumeAttachment of this node is left, except those of pods that stay (DaemonSets, static pods). */
  volumesDetached(node: NodeModel): Condition<number>;
  /** What a drain would do. */
  drainPreview(node: NodeModel, signal: AbortSignal): Promise<DrainPreview>;
  /**
   * The installer image of a node, derived from the inventory and from what runs.
   *
   * Failure: `gate/image` naming both sides of every disagreement: schematic, extensions, secure boot, platform, version. With an
   * override of `image` a disagreement about the schematic is told in the answer instead; what would not boot is always refused.
   */
  image(facts: NodeFacts, wanted: WantedImage, overrides: Overrides, signal: AbortSignal): Promise<ChosenImage>;
}

export interface Lifecycle extends LifecycleView {
  /** Sets our mark with the cordon, in one write. A cordon that is there already and is not ours is left as it is. */
  cordon(node: NodeModel, run: string, signal: AbortSignal): Promise<CordonState>;
  /** Takes our own cordon back; a user's never. False: nothing of ours was there. */
  uncordon(node: NodeModel, signal: AbortSignal): Promise<boolean>;
  /** Failure: `drain/blocked` with every pod and budget, `drain/timeout`. The cordon stays: whoever set it decides. */
  drain(node: NodeModel, policy: DrainPolicy, observe: (seen: DrainProgress) => void, signal: AbortSignal): Promise<DrainOutcome>;
  /** Returns the name under which the machine has the image. Progress only where the machine tells it (from 1.13). */
  pull(node: NodeModel, image: string, signal: AbortSignal): Promise<string>;
  /**
   * From 1.13: the installer without a reboot.
   *
   * Shape: `inBoot` is the one in which the machine was found to need it.
   * Failure: `talos/installer-failed`; `node/restarted`, and nothing was installed: it may run the image by now, and its other slot is
   * what it goes back to.
   */
  install(
    node: NodeModel,
    options: { readonly image: string; readonly inBoot: string; readonly observe: (line: string) => void },
    signal: AbortSignal,
  ): Promise<void>;
  /** Up to 1.12, and for `isStaged`: one call that installs and reboots. Failure: `node/restarted`. */
  upgradeLegacy(
    node: NodeModel,
    options: {
      readonly image: string;
      readonly inBoot: string;
      readonly isStaged: boolean;
      readonly rebootMode: 'default' | 'powercycle';
      /** The machine refuses two members, and a member that is not well, by itself: that was agreed to. */
      readonly isForced?: boolean;
    },
    signal: AbortSignal,
  ): Promise<void>;
  reboot(node: NodeModel, mode: RebootMode, signal: AbortSignal): Promise<void>;
  shutdown(node: NodeModel, options: { readonly isForced: boolean }, signal: AbortSignal): Promise<void>;
  reset(node: NodeModel, options: ResetOptions, signal: AbortSignal): Promise<void>;
  rollback(node: NodeModel, signal: AbortSignal): Promise<void>;
  /** Asks the leader to hand over until another member leads. Returns the new leader; undefined when this node was none. */
  moveLeadership(node: NodeModel, signal: AbortSignal): Promise<string | undefined>;
  /**
   * A snapshot that was looked into: whole (its SHA-256 trailer fits), not empty, with revision and hash; 0600, git-ignored.
   *
   * Shape: from a healthy member that is in sync. `path` default: `talos/backups/etcd-<UTC>.db`. With `reuseForMs` one that was taken
   * there so recently, and is still whole, will do.
   * Failure: `etcd/snapshot-invalid`; then no file is left.
   */
  snapshot(options: SnapshotOptions, signal: AbortSignal): Promise<EtcdSnapshot>;
  /** Its Node. Undefined: Kubernetes knows none, or does not answer. */
  kubeNode(node: NodeModel, signal: AbortSignal): Promise<KubeNodeFacts | undefined>;
  /**
   * While `work` goes on, a change of this machine that does not leave at once looks again first: this computer may sleep in between.
   *
   * Failure: that of the look; nothing was sent then.
   */
  whileLooking<T>(node: NodeModel, look: (signal: AbortSignal) => Promise<void>, work: () => Promise<T>): Promise<T>;
  /** Takes the cluster's lease for this run. Failure: `gate/lease` while somebody else holds it. */
  lease(run: string, signal: AbortSignal): Promise<ClusterLease>;
}

// --- facts ---------------------------------------------------------------------------------------------------------

export interface NodeFacts {
  readonly node: NodeModel;
  /** Monotonic clock: gates refuse to decide on what is older than five seconds. */
  readonly observedAtMs: number;
  /** With its `v`. */
  readonly talosVersion: string;
  /** `amd64`, `arm64` */
  readonly arch: string;
  /** `metal`, `nocloud`, … Absent where the machine does not say. */
  readonly platform?: string;
  /** From the virtual extension `schematic`. Absent: an image that no factory made. */
  readonly schematicId?: string;
  /** Names of system extensions, sorted; without the virtual ones. */
  readonly extensions: readonly string[];
  readonly secureBoot: boolean;
  /** Changes with each boot. */
  readonly bootId: string;
  readonly stage: MachineStage;
  readonly isReady: boolean;
  readonly unmet: readonly { readonly name: string; readonly reason: string }[];
  /** What the active machine config names as installer; absent when it names none. */
  readonly configuredImage?: string;
  /** Control planes whose etcd answers. */
  readonly etcd?: { readonly memberId: bigint; readonly isLeader: boolean; readonly isLearner: boolean; readonly isHealthy: boolean };
  /** Absent: Kubernetes was not asked, did not answer, or has no such node. */
  readonly kube?: KubeNodeFacts;
}

/** What tells how far a machine has come back. */
export type Glance = Pick<NodeFacts, 'observedAtMs' | 'bootId' | 'talosVersion' | 'schematicId' | 'stage' | 'isReady' | 'unmet' | 'etcd'>;

export interface KubeNodeFacts {
  readonly name: string;
  readonly isReady: boolean;
  /** What the kubelet says while it is not. */
  readonly notReadyBecause?: string;
  readonly cordon: CordonState;
  /** `v1.37.0` */
  readonly kubeletVersion: string;
  readonly bootId: string;
}

/** `ours`: the mark says which run set it. */
export type CordonState = { readonly state: 'none' } | { readonly state: 'ours'; readonly run: string } | { readonly state: 'foreign' };

export type SurveyedNode =
  | { readonly state: 'answered'; readonly node: NodeModel; readonly facts: NodeFacts }
  | { readonly state: 'silent'; readonly node: NodeModel; readonly failure: Failure };

/** What one control plane says about etcd. */
export type EtcdView =
  | {
      readonly state: 'answered';
      readonly node: NodeModel;
      readonly stage: MachineStage;
      readonly isCordoned: boolean;
      /** Of the service, as the machine's own health check says. */
      readonly isHealthy: boolean;
      readonly bootedForMs?: number;
      readonly memberId: bigint;
      readonly leader: bigint;
      readonly raftTerm: bigint;
      readonly raftIndex: bigint;
      readonly raftAppliedIndex: bigint;
      readonly errors: readonly string[];
      readonly members: readonly EtcdMemberView[];
      readonly alarms: readonly { readonly memberId: bigint; readonly alarm: string }[];
    }
  | { readonly state: 'silent'; readonly node: NodeModel; readonly because: string };

export interface EtcdMemberView {
  readonly id: bigint;
  /** Empty: the member was added and has not started. */
  readonly hostname: string;
  readonly isLearner: boolean;
}

export interface EtcdPicture {
  readonly observedAtMs: number;
  readonly views: readonly EtcdView[];
}

// --- disruption and gates ------------------------------------------------------------------------------------------

export type DisruptionKind = 'upgrade' | 'reboot' | 'rollback' | 'shutdown' | 'reset' | 'remove';

/** What is about to happen to one machine. */
export interface Disruption {
  readonly node: NodeModel;
  readonly kind: DisruptionKind;
  /**
   * What etcd loses. `away`: the voter comes back after a while. `for-good`: it leaves the member list first or with the act.
   * `none`: a worker, or an act that leaves etcd running.
   */
  readonly etcd: 'none' | 'away' | 'for-good';
  /** With its `v`; makes the gate `version-path` look. */
  readonly toVersion?: string;
  /** How many workers may be away at once, this one included. Default 1. Control planes: always one. */
  readonly parallel?: number;
  /** One or two members: etcd, and with it Kubernetes, stands still meanwhile, and the user has said that it may. */
  readonly acceptsDowntime?: boolean;
  /** Pods were meant to be moved away: attached volumes are looked at. */
  readonly isDrained?: boolean;
  /** Taken down by this very run, and meant to stay so: they are away, and nothing is wrong with that. */
  readonly alsoDown?: readonly NodeModel[];
  /** Too few control planes stay for etcd, and with it Kubernetes, to go on, and the user has said so: nothing is kept going any more. */
  readonly endsEtcd?: boolean;
  /** The lease that this run holds; checked again by `other-driver`. */
  readonly lease?: ClusterLease;
}

/**
 * A gate's name, as `--override` takes it: `identity`, `kubernetes`, `version-path`, `other-driver`, `one-at-a-time`, `ceph`,
 * `longhorn`, `cnpg`, `volsync`, `volumes`, `etcd-quorum`, or that of a gate of tasks.config.ts. `image` is asked by `image()`.
 */
export type GateName = string;

export type GateAnswer =
  | { readonly gate: GateName; readonly state: 'passed'; readonly seen: string }
  /** Does not apply: a worker has no etcd. */
  | { readonly gate: GateName; readonly state: 'skipped'; readonly because: string }
  | { readonly gate: GateName; readonly state: 'refused'; readonly failures: readonly [Failure, ...Failure[]] }
  | {
      readonly gate: GateName;
      readonly state: 'overridden';
      readonly reason: string;
      readonly failures: readonly [Failure, ...Failure[]];
    };

export interface Gates {
  /** Built-in gates and those of tasks.config.ts, in the order in which they are asked. */
  readonly names: readonly GateName[];
  /**
   * Reads every member live and judges. Never throws for what it found; a member that cannot be asked is a refusal.
   *
   * Shape: one answer a gate, in the order of `names`. Ask before the drain and again right before the call.
   */
  check(disruption: Disruption, overrides: Overrides, signal: AbortSignal): Promise<readonly GateAnswer[]>;
  /** `etcd-quorum` alone, without overrides: to wait until a member that was away has settled. */
  quorum(disruption: Disruption, signal: AbortSignal): Promise<Exclude<GateAnswer, { readonly state: 'overridden' }>>;
  /**
   * `--override etcd-quorum="cp-3 is in the workshop"`.
   *
   * Failure: `usage/override-unknown`, `usage/override-reason`.
   */
  overridesFrom(words: readonly string[]): Overrides;
}

/** Gate → reason. */
export type Overrides = ReadonlyMap<GateName, string>;

export interface ClusterLease {
  readonly holder: string;
  /** Reads the lease again. Failure: `gate/lease` when somebody else has taken it meanwhile. */
  verify(signal: AbortSignal): Promise<void>;
  release(signal: AbortSignal): Promise<void>;
}

// --- drain ---------------------------------------------------------------------------------------------------------

export type DrainPolicy =
  | { readonly how: 'evict'; readonly deadlineMs: number }
  /** Pods that a budget still holds back after `afterMs` are deleted. */
  | { readonly how: 'delete-after'; readonly afterMs: number; readonly deadlineMs: number }
  /** Neither cordoned nor drained. */
  | { readonly how: 'skip' };

export interface PodName {
  readonly namespace: string;
  readonly name: string;
}

export interface BlockedPod extends PodName {
  /** The budget's name; absent when the API server did not say. */
  readonly budget?: string;
  /** The API server's own words. */
  readonly message: string;
}

export interface DrainProgress {
  /** Once, before the first pod is moved. */
  readonly preview?: DrainPreview;
  readonly left: number;
  readonly blocked: readonly BlockedPod[];
}

export interface DrainPreview {
  readonly evict: readonly PodName[];
  /** Of DaemonSets and the kubelet's own: they stay. */
  readonly stay: readonly PodName[];
  /** Nobody makes them anew. */
  readonly unmanaged: readonly PodName[];
  /** Their emptyDir volumes go with them. */
  readonly emptyDir: readonly PodName[];
}

export interface DrainOutcome {
  readonly evicted: number;
  /** By force, after a budget had held them back for long enough. */
  readonly deleted: readonly PodName[];
}

// --- image, snapshot, return ---------------------------------------------------------------------------------------

export interface WantedImage {
  /** With its `v`. Default: the node's version of the inventory. */
  readonly version?: string;
  /** As given with `--image`; checked against what runs all the same. */
  readonly image?: string;
}

export interface ImageTarget {
  readonly image: string;
  readonly version: string;
  /** Absent: an installer that no factory made. */
  readonly schematicId?: string;
}

export interface ChosenImage {
  readonly target: ImageTarget;
  /** What was overridden, to be kept in the journal. */
  readonly overridden?: Failure;
}

export interface BootSeen {
  readonly bootId: string;
  readonly stage: MachineStage;
  /** `v1.14.1`. Absent: it does not tell. */
  readonly talosVersion?: string;
  /** By this computer's clock. */
  readonly atMs: number;
}

export interface WantedBack {
  /** The boot that has to be over. */
  readonly afterBoot: string;
  readonly version?: string;
  /** Of a boot that installs nothing: it may start what was installed before and waited for a boot, and must not fall back. */
  readonly noOlderThan?: string | undefined;
  readonly schematicId?: string;
  /** Conditions that were not met before either: nobody waits long for what was broken already. */
  readonly unmetBefore?: readonly string[];
  /** A staged upgrade boots the old version once more, and installs then. */
  readonly isStaged?: boolean;
  /** Default 30 minutes, as upstream's client waits. */
  readonly deadlineMs?: number;
}

export interface SnapshotOptions {
  readonly from?: NodeModel;
  /** Absolute, or relative to the repository. */
  readonly path?: string;
  readonly reuseForMs?: number;
}

export interface EtcdSnapshot {
  /** Relative to the repository when it lies in it. */
  readonly path: string;
  /** Absent when it was there already. */
  readonly from?: string;
  readonly sizeBytes: number;
  readonly revision: bigint;
  readonly keys: number;
  /** As etcd's own tool prints it: eight hex digits. */
  readonly hash: string;
}
