/** Releases of the simulator's own charts, as bootstrap installs them, in their order. */
export interface TakeoverCase {
  readonly chart: string;
  readonly namespace: string;
  readonly values: Readonly<Record<string, unknown>>;
}

export const takeoverCases: readonly TakeoverCase[] = [
  { chart: 'cilium', namespace: 'kube-system', values: { hubble: { relay: { enabled: true } }, operator: { replicas: 1 } } },
  { chart: 'coredns', namespace: 'kube-system', values: { replicaCount: 2 } },
  { chart: 'spegel', namespace: 'kube-system', values: {} },
  { chart: 'cert-manager', namespace: 'cert-manager', values: { crds: { enabled: true } } },
  { chart: 'flux-operator', namespace: 'flux-system', values: {} },
];
