import type { HttpHandler } from '../base/index.ts';

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
}

export interface KubeHost {
  /** Whether etcd has a leader and quorum right now, from ground truth. */
  etcdHasQuorum(): boolean;
  /** Whether the static pod kube-apiserver runs on this control plane. */
  apiServerRuns(node: string): boolean;
  /** Names of the control planes whose API server runs. */
  apiServers(): readonly string[];
  /** PEM of the cluster's Kubernetes CA, that client certificates are checked against. */
  kubernetesCa(): string | undefined;
  /** What Talos' manifests put into a new cluster: coredns and kube-proxy unless disabled, flannel unless `cni: none`. */
  bootstrapManifests(): {
    readonly coreDns: boolean;
    readonly kubeProxy: boolean;
    readonly cni: 'flannel' | 'none' | 'custom';
    /** Whether machines let pods ask for Talos credentials, so that the kind `talos.dev/v1alpha1 ServiceAccount` exists. Default true. */
    readonly talosApiAccess?: boolean;
  };
}
