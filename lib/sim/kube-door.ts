import type { HttpHandler, Json } from '../base/index.ts';

/**
 * The door between the simulated machines (`lib/sim/talos`, which implements `KubeHost`) and the simulated Kubernetes
 * (`lib/sim/kube`, which implements `KubeModel`).
 */
export interface KubeModel {
  /** The kube-apiserver that runs on this control plane, as an HTTPS handler. Answers 503 or refuses while the host says so. */
  apiServer(node: string): HttpHandler;
  /** The kubelet of a machine came up: the Node registers (NotReady until a CNI runs) or is refreshed. */
  kubeletUp(node: KubeletFacts): void;
  /** The machine went away or its kubelet stopped; the Node turns NotReady after the grace period. */
  kubeletDown(node: string): void;
  /** The static pods of this control plane are other ones now. */
  staticPodsChanged?(node: string): void;
  /** What Talos puts into a cluster of this configuration, as its Manifest resources show it. */
  manifests?(): readonly TalosManifest[];
  /** Talos marks the Node unschedulable, or takes back a mark of its own. */
  setCordoned(node: string, isCordoned: boolean): void;
  /** One round of Talos' own drain: evicts what can be evicted. Returns how many pods are still there. */
  drain(node: string): number;
  /** Whether the Node object says Ready; undefined while there is none. */
  nodeReady(node: string): boolean | undefined;
}

export interface KubeletFacts {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly role: 'controlplane' | 'worker';
  /** `v1.37.0` */
  readonly kubernetesVersion: string;
  /** `v1.14.1` */
  readonly talosVersion: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly { readonly key: string; readonly value?: string; readonly effect: string }[];
  /** Extended resources and runtime classes that a GPU worker brings, for example. */
  readonly podCidr?: string;
  /** Of the kernel that runs. */
  readonly bootId?: string;
  /** Only the kubelet came anew: what runs on the machine goes on running. */
  readonly keepsPods?: boolean;
}

/** One Manifest resource: objects as JSON. */
export interface TalosManifest {
  /** `10-kube-proxy` */
  readonly id: string;
  readonly objects: readonly { readonly [key: string]: Json }[];
}

/** A static pod as its machine runs it. */
export interface StaticPodFacts {
  /** `kube-apiserver` */
  readonly name: string;
  readonly image: string;
  /** Of the config resource that it was made from. */
  readonly configVersion: string;
  readonly isReady: boolean;
  readonly command: readonly string[];
}

export interface KubeHost {
  /** Whether etcd has a leader and quorum right now, from ground truth. */
  etcdHasQuorum(): boolean;
  /** Whether the static pod kube-apiserver runs on this control plane. */
  apiServerRuns(node: string): boolean;
  /** Names of the control planes whose API server runs. */
  apiServers(): readonly string[];
  /** What a control plane runs as static pods. Absent: all of them, of the kubelet's version. */
  staticPods?(node: string): readonly StaticPodFacts[];
  /** PEM of the cluster's Kubernetes CA, that client certificates are checked against. */
  kubernetesCa(): string | undefined;
  /** What Talos' manifests put into a new cluster: coredns and kube-proxy unless disabled, flannel unless `cni: none`. */
  bootstrapManifests(): {
    readonly coreDns: boolean;
    readonly kubeProxy: boolean;
    readonly cni: 'flannel' | 'none' | 'custom';
    /** Whether machines let pods ask for Talos credentials, so that the kind `talos.dev/v1alpha1 ServiceAccount` exists. Default true. */
    readonly talosApiAccess?: boolean;
    /** Absent: of the version of the first control plane's kubelet. */
    readonly proxyImage?: string;
    /** From 1.13 on machines keep an inventory of what they made. Default false. */
    readonly hasInventory?: boolean;
  };
}
