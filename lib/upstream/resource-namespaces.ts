import type { TalosApiMinor } from './api/services.ts';

export interface ResourceNamespace {
  readonly name: string;
  readonly description: string;
}

interface Row extends ResourceNamespace {
  readonly minors: readonly TalosApiMinor[];
}

const all: readonly TalosApiMinor[] = ['1.12', '1.13', '1.14'];
const from = (...minors: readonly TalosApiMinor[]) => minors;

/**
 * Source: Talos v1.12.6, v1.13.9, v1.14.0-rc.1 internal/app/machined/pkg/runtime/v1alpha2/v1alpha2_state.go; of `meta` cosi-project/runtime
 * pkg/state/registry/namespace.go
 */
const rows: readonly Row[] = [
  { minors: all, name: 'meta', description: 'Metadata namespace which contains resource and namespace definitions.' },
  { minors: all, name: 'runtime', description: 'Talos v1alpha1 subsystems glue resources.' },
  { minors: all, name: 'cluster', description: 'Cluster configuration and discovery resources.' },
  { minors: all, name: 'cluster-raw', description: 'Cluster unmerged raw resources.' },
  { minors: all, name: 'config', description: 'Talos node configuration.' },
  { minors: all, name: 'etcd', description: 'etcd resources.' },
  { minors: all, name: 'files', description: 'Files and file-like resources.' },
  { minors: all, name: 'hardware', description: 'Hardware resources.' },
  { minors: all, name: 'k8s', description: 'Kubernetes all node types resources.' },
  { minors: all, name: 'controlplane', description: 'Kubernetes control plane resources.' },
  { minors: all, name: 'kubespan', description: 'KubeSpan resources.' },
  { minors: all, name: 'network', description: 'Networking resources.' },
  { minors: all, name: 'network-config', description: 'Networking configuration resources.' },
  { minors: all, name: 'cri', description: 'CRI Seccomp resources.' },
  { minors: from('1.14'), name: 'containers', description: 'Talos-managed container resources.' },
  { minors: all, name: 'secrets', description: 'Resources with secret material.' },
  { minors: from('1.13', '1.14'), name: 'security', description: 'Security resources.' },
  { minors: all, name: 'perf', description: 'Stats resources.' },
  { minors: from('1.14'), name: 'storage', description: 'Storage resources.' },
];

/** Every namespace that a machine of that generation registers: of any other it says that it is not supported. */
export function resourceNamespaces(minor: TalosApiMinor): readonly ResourceNamespace[] {
  return rows.filter((row) => row.minors.includes(minor));
}
