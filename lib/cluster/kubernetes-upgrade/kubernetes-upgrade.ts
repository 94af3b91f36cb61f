import type { Condition, Failure } from '../../base/index.ts';
import type { NodeModel } from '../../config/index.ts';
import type { Evidence } from '../../core/index.ts';
import type { UpgradeHop, VersionPair } from '../upgrade-path.ts';

/** The parts of Kubernetes whose version a machine config names, in the order in which they are upgraded. */
export const kubernetesParts = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kube-proxy', 'kubelet'] as const;
export type KubernetesPart = (typeof kubernetesParts)[number];

/** Those that a control plane runs as static pods. */
export const staticPodParts = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler'] as const;
export type StaticPodPart = (typeof staticPodParts)[number];

/** What one machine runs of one part. */
export interface PartFacts {
  /** As the machine has it, whatever its config says: the image of its own release when the config names none. */
  readonly image: string;
  /** With its `v`, without `-fat` and `-slim`. Absent: the image has no tag that is a version. */
  readonly version?: string;
  /** Of the process. Empty for kube-proxy: its flags come from a manifest. */
  readonly flags: readonly string[];
}

export interface NodeKubernetes {
  readonly node: NodeModel;
  /** With its `v`. */
  readonly talosVersion: string;
  /** Absent: this machine does not run it, or it is switched off. Workers have a kubelet alone. */
  readonly parts: Readonly<Partial<Record<KubernetesPart, PartFacts>>>;
  /** Feature gates of the kubelet's own config file. */
  readonly kubeletFeatureGates: readonly string[];
  /** What the Node object says of the kubelet that runs, with its `v`. Absent: Kubernetes was not asked or has no such node. */
  readonly kubeletRuns?: string;
}

export type SurveyedKubernetes =
  | { readonly state: 'answered'; readonly facts: NodeKubernetes }
  | { readonly state: 'silent'; readonly node: NodeModel; readonly failure: Failure };

/** What a whole cluster runs. Shape: nodes in inventory order. */
export interface KubernetesFacts {
  readonly nodes: readonly SurveyedKubernetes[];
  /** Lowest over all parts of all control planes; kubelets may lag behind. Absent: no control plane told. */
  readonly lowest?: string;
}

/** One image of one machine that has to become another one. */
export interface PartChange {
  readonly node: NodeModel;
  readonly part: KubernetesPart;
  readonly from: string;
  readonly to: string;
}

export interface PullTarget {
  readonly node: NodeModel;
  readonly image: string;
  /** Where the machine looks for it: images of pods, or of its own services. */
  readonly namespace: 'cri' | 'system';
}

/** What is to be done for one version. Shape: in order; a later list is begun when the one before has ended. */
export interface KubernetesPlan {
  /** With its `v`. */
  readonly to: string;
  readonly pulls: readonly PullTarget[];
  readonly staticPods: readonly PartChange[];
  readonly proxies: readonly PartChange[];
  readonly kubelets: readonly PartChange[];
  /** Every part of every machine with the image that it has to end with: what is waited for, changed or not. */
  readonly wanted: readonly PartChange[];
  /** From 1.13 on everywhere: server-side apply with an inventory, as upstream's client does. */
  readonly manifests: 'server-side-apply' | 'update';
}

/** One object of Talos' own manifests, and what a sync would do with it. */
export interface ManifestChange {
  /** `apps/v1 DaemonSet kube-system/kube-proxy` */
  readonly object: string;
  readonly action: 'create' | 'change' | 'prune';
}

export interface ManifestSync {
  readonly changes: readonly ManifestChange[];
  readonly unchanged: number;
}

/** What one machine answered to the dry run of its new config. */
export interface NodeRehearsal {
  readonly node: string;
  /** What it would warn of, and what speaks for waiting. Empty: it takes the config without a word. */
  readonly notes: readonly string[];
}

export interface KubernetesUpgradeView {
  /** Asks every machine, and the API server for what only it knows. Never throws for one that cannot be asked. */
  facts(signal: AbortSignal): Promise<KubernetesFacts>;
  /**
   * Everything that speaks against it, at once: path, Talos of every machine, flags and feature gates that are gone, objects of API
   * versions that are gone. Shape: empty when nothing does.
   */
  problems(facts: KubernetesFacts, to: string, signal: AbortSignal): Promise<readonly Failure[]>;
  /** Pure. Failure: `upgrade-k8s/node-silent`: a machine that could not be asked cannot be planned for. */
  plan(facts: KubernetesFacts, to: string): KubernetesPlan;
  /**
   * The hops of Talos and Kubernetes to these versions; what is left out stays. Pure.
   * Failure: `upgrade/*` before the first hop; `upgrade-k8s/node-silent`.
   */
  hops(facts: KubernetesFacts, to: Partial<VersionPair>): readonly UpgradeHop[];
  /** Whether the machine's config has this image, and no other config waits on the machine. */
  configured(change: PartChange, signal: AbortSignal): Promise<Evidence>;
  /** The pod, or the kubelet, that runs is the one of this image. Polled, not announced. */
  follows(change: PartChange): Condition<string>;
  /** The control plane's other static pods, and those of the other control planes, are ready. */
  othersReady(node: NodeModel): Condition<number>;
  /**
   * Asks every machine that changes for its dry run of the whole new config; nothing is applied. Shape: in inventory order.
   * Failure: what each of them refuses, all at once: `upgrade-k8s/config-waits`, `upgrade-k8s/config-unreadable`, `talos/*`.
   */
  rehearse(plan: KubernetesPlan, signal: AbortSignal): Promise<readonly NodeRehearsal[]>;
  /** What a sync would change; nothing is written. */
  manifestChanges(plan: KubernetesPlan, signal: AbortSignal): Promise<ManifestSync>;
}

export interface KubernetesUpgrade extends KubernetesUpgradeView {
  pull(target: PullTarget, signal: AbortSignal): Promise<void>;
  /**
   * Changes this one image in this one machine's config and applies it without a reboot. Everything else of the config stays byte for
   * byte. Content when it is there already.
   *
   * Failure: `upgrade-k8s/config-waits` when a trial or a staged config would become permanent with it; `gate/identity`; `talos/*`.
   */
  change(change: PartChange, signal: AbortSignal): Promise<void>;
  /**
   * Brings Talos' own manifests (kube-proxy, CoreDNS, flannel, extra manifests) into the cluster as upstream's client does, and waits
   * until they run; `waiting` ends only that wait.
   *
   * Failure: `upgrade-k8s/manifest-refused` for each object that the API server does not take, after all others were done.
   */
  syncManifests(plan: KubernetesPlan, observe: (seen: string) => void, signal: AbortSignal, waiting?: AbortSignal): Promise<ManifestSync>;
}
