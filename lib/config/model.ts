import type { NodeName, Span } from '../base/index.ts';

/** The repository's cluster as one object, from whichever input it was read. Versions carry their `v`. */
export interface ClusterModel {
  readonly name: string;
  readonly source: 'cluster.yaml' | 'talconfig.yaml';
  /** `https://192.168.42.120:6443` */
  readonly endpoint: string;
  /** The floating address of the control planes, when there is one. Never used as a Talos endpoint. */
  readonly vip?: string;
  readonly talosVersion: string;
  readonly kubernetesVersion: string;
  readonly podSubnets: readonly string[];
  readonly serviceSubnets: readonly string[];
  /** In inventory order; names and addresses are unique. */
  readonly nodes: readonly NodeModel[];
  readonly paths: ClusterPaths;
}

export interface NodeModel {
  readonly name: NodeName;
  /** The one that tk dials: the first of `addresses`. */
  readonly address: string;
  readonly addresses: readonly string[];
  readonly role: 'controlplane' | 'worker';
  readonly disk: DiskChoice;
  /** Lower case, colons. Empty when the inventory names none. */
  readonly macAddresses: readonly string[];
  readonly talosVersion: string;
  readonly schematicId?: string;
  readonly secureBoot: boolean;
  /** `amd64`, `arm64`; absent when the inventory does not say. */
  readonly arch?: string;
  /** `metal`, `nocloud`, …; absent when the inventory does not say. */
  readonly platform?: string;
  readonly declaredAt: Span;
}

export type DiskChoice =
  | { readonly by: 'path'; readonly path: string }
  /** Fields of Talos' InstallDiskSelector: `serial`, `model`, `size` ("<= 1TB"), `wwid`, `type`, `busPath`, `name`, `uuid`, `modalias`. */
  | { readonly by: 'selector'; readonly selector: Readonly<Record<string, string>> }
  | { readonly by: 'nothing' };

/** Absolute paths. */
export interface ClusterPaths {
  readonly root: string;
  /** The talconfig that the generator reads; for `cluster.yaml` repositories `configure` renders it. */
  readonly talconfig: string;
  /** The secrets bundle, encrypted or not; absent when there is none yet. */
  readonly secrets?: string;
  /** Where generated machine configs and the talosconfig go. */
  readonly clusterConfig: string;
  readonly talosconfig: string;
  readonly kubeconfig: string;
  /** The Flux tree; absent when the repository has none. */
  readonly kubernetes?: string;
}
