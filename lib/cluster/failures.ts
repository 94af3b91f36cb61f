import { failuresOf } from '../base/index.ts';

export type ClusterFailures = {
  'cluster/unknown-node': { asked: string; by: 'ip' | 'node' | 'hostname'; suggestion?: string; known: readonly string[]; isVip?: boolean };
  'cluster/node-not-named': { known: readonly string[] };
  /** Two of IP, NODE, HOSTNAME name different nodes. */
  'cluster/nodes-disagree': { asked: readonly string[] };
  'cluster/no-credentials': { path: string };
  /** A warning. */
  'cluster/template-left-out': { path: string };
  'cluster/no-age-key': { needed: string };
  'cluster/wrong-age-key': { path: string };
  'cluster/no-kubeconfig': { path: string };
  'cluster/kubeconfig-foreign': { path: string; server: string };
  /** No bundle of secrets, and something that only exists when there is a cluster. */
  'cluster/secrets-lost': { wanted: string; traces: readonly string[] };
  /** A bundle that was named and is not there. */
  'cluster/no-such-bundle': { path: string; isFolder: boolean };
  /** Two files beside the talconfig hold different secrets. */
  'cluster/two-bundles': { paths: readonly string[] };
  'cluster/plaintext-secret': { path: string };
  /** Something has to be encrypted, and nothing says for whom. */
  'cluster/no-recipient': { path: string };
  /** There are inputs, and neither templates nor what they once made. */
  'cluster/no-templates': { missing: string; manifest: string };
  /** It is rendered anew all the same; `kept` has what it was. */
  'cluster/edited-by-hand': { path: string; kept: string };
  /** What `makejinja.toml`, or a file that its plugin reads, asks for cannot be had. */
  'cluster/makejinja': { key: string; value: string; expected: string };
  /** A key file that the next commit would take. */
  'cluster/secret-not-ignored': { path: string };
  'cluster/unknown-release': { release: string; known: readonly string[] };
  'preflight/unreachable': { node: string; address: string; reason: string };
  'preflight/foreign': { node: string; address: string };
  'preflight/no-disk': { node: string; wanted: string; found: readonly string[] };
  'preflight/two-disks': { node: string; wanted: string; found: readonly string[] };
  'preflight/wrong-machine': { node: string; address: string; wanted: readonly string[]; found: readonly string[] };
  'preflight/version': { node: string; running: string; wanted: string };
  'preflight/clock': { node: string; offsetMs: number };
  'preflight/address-taken': { address: string; role: 'vip' | 'endpoint' };
  /** It took its config, restarted, and waits for one again. `to`: the disk. */
  'node/install-failed': { node: string; version: string; to: string };
  'gate/identity': { node: string; wanted: string; found: string };
  'gate/unpinned': { node: string };
  /** Upstream's merge would have dropped the value; ours keeps it. */
  'machine-config/value-kept': { node: string; document: string; path: string };
  /** No document of the target version can carry the setting. */
  'machine-config/setting-lost': { node: string; path: string; reason: string };
  'upgrade/downgrade': { what: 'Talos' | 'Kubernetes'; from: string; to: string };
  'upgrade/unknown-talos': { version: string; oldest: string; newest: string };
  /** Talos does not run this Kubernetes: at the target, or on the way because the cluster is far outside of the table already. */
  'upgrade/unsupported-pair': { talos: string; kubernetes: string; lowest: string; highest: string; at: 'target' | 'hop' };
};

export const clusterFailure = failuresOf<ClusterFailures>();
