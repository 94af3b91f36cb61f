import { failuresOf } from '../../base/index.ts';

export type KubernetesUpgradeFailures = {
  /** Machines that could not be asked; the cause says why of the first. */
  'upgrade-k8s/node-silent': { nodes: readonly string[] };
  /** More than one minor, a minor down, or out of upstream's table. */
  'upgrade-k8s/path': { from: string; to: string };
  'upgrade-k8s/talos': { node: string; talos: string; to: string; lowest?: string; highest?: string };
  /** A kubelet is never newer than the API server. */
  'upgrade-k8s/kubelet-newer': { node: string; kubelet: string; to: string };
  'upgrade-k8s/flag-removed': { node: string; part: string; flag: string; minor: string };
  'upgrade-k8s/feature-gate-removed': { node: string; part: string; gate: string; minor: string };
  'upgrade-k8s/admission-plugin-removed': { node: string; plugin: string; minor: string };
  'upgrade-k8s/api-removed': { resource: string; objects: number; minor: string };
  /** The active config is not the one on disk: a trial is running, or a staged config waits for a reboot. */
  'upgrade-k8s/config-waits': { node: string };
  'upgrade-k8s/config-unreadable': { node: string; part: string; reason: string };
  'upgrade-k8s/not-upgraded': { parts: readonly string[]; to: string };
  'manifests/refused': { object: string };
  /** It carries the mark of somebody else's inventory. */
  'manifests/foreign': { object: string; inventory: string };
};

export const kubernetesUpgradeFailure = failuresOf<KubernetesUpgradeFailures>();
