import { type TalosMinor, talosMinors } from './machine-config-schema.ts';

/**
 * What each contract switches on, by the first minor that does. A new Talos minor is one more table under `schema/` and the entries here
 * that changed.
 *
 * Source: pkg/machinery/config/contract.go; switches that every minor from 1.2 on has are left out.
 */
export const contractSwitches = {
  // What came one by one before 1.9.
  apiServerAuditPolicy: '1.3',
  apidChecksKeyUsage: '1.3',
  disablesManifestsDirectory: '1.3',
  secretboxEncryption: '1.3',
  ownKubernetesRegistry: '1.3',
  diskQuota: '1.5',
  kubePrism: '1.6',
  hostDns: '1.7',
  rsaServiceAccountKey: '1.7',
  hostDnsForKubernetes: '1.8',
  clusterNameForWorkers: '1.8',
  excludesControlPlanesFromLoadBalancers: '1.8',
  // What moved into documents of its own.
  networkDocuments: '1.12',
  kubeSpanDocument: '1.13',
  hostDnsDocument: '1.14',
  discoveryDocuments: '1.14',
  unattendedInstallDocument: '1.14',
  kubernetesDocuments: '1.14',
  sysctlDocument: '1.14',
  kernelModuleDocuments: '1.14',
  // What is on for new clusters.
  grubUsesUkiCommandLine: '1.12',
  filesystemTrim: '1.14',
  workloadIsolation: '1.14',
  // What is no longer written because it is always so.
  hidesRbacAndKeyUsage: '1.12',
  hidesDisabledPodSecurityPolicy: '1.12',
  leavesEndpointOutOfApiServerSans: '1.12',
} as const satisfies Readonly<Record<string, TalosMinor>>;

export type ContractSwitch = keyof typeof contractSwitches;

/** Kubernetes minors that a Talos minor runs, and the oldest Talos that may be upgraded to it. Source: pkg/machinery/compatibility at v1.14.1 */
export const compatibility: Readonly<
  Record<
    TalosMinor,
    { readonly kubernetes: readonly [string, string]; readonly upgradableFrom: string; readonly downgradableBelow: string }
  >
> = {
  '1.2': { kubernetes: ['1.23', '1.25'], upgradableFrom: '1.0.0', downgradableBelow: '1.3.0' },
  '1.3': { kubernetes: ['1.24', '1.26'], upgradableFrom: '1.0.0', downgradableBelow: '1.5.0' },
  '1.4': { kubernetes: ['1.25', '1.27'], upgradableFrom: '1.0.0', downgradableBelow: '1.6.0' },
  '1.5': { kubernetes: ['1.26', '1.28'], upgradableFrom: '1.2.0', downgradableBelow: '1.7.0' },
  '1.6': { kubernetes: ['1.24', '1.29'], upgradableFrom: '1.3.0', downgradableBelow: '1.8.0' },
  '1.7': { kubernetes: ['1.25', '1.30'], upgradableFrom: '1.4.0', downgradableBelow: '1.9.0' },
  '1.8': { kubernetes: ['1.26', '1.31'], upgradableFrom: '1.5.0', downgradableBelow: '1.10.0' },
  '1.9': { kubernetes: ['1.27', '1.32'], upgradableFrom: '1.8.0', downgradableBelow: '1.11.0' },
  '1.10': { kubernetes: ['1.28', '1.33'], upgradableFrom: '1.8.0', downgradableBelow: '1.12.0' },
  '1.11': { kubernetes: ['1.29', '1.34'], upgradableFrom: '1.9.0', downgradableBelow: '1.13.0' },
  '1.12': { kubernetes: ['1.30', '1.35'], upgradableFrom: '1.10.0', downgradableBelow: '1.14.0' },
  '1.13': { kubernetes: ['1.31', '1.36'], upgradableFrom: '1.11.0', downgradableBelow: '1.15.0' },
  '1.14': { kubernetes: ['1.32', '1.37'], upgradableFrom: '1.12.0', downgradableBelow: '1.16.0' },
};

/** Source: pkg/machinery/constants/constants.go */
export const talosDefaults = {
  dnsDomain: 'cluster.local',
  podSubnet: '10.244.0.0/16',
  serviceSubnet: '10.96.0.0/12',
  podSubnetV6: 'fc00:db8:10::/56',
  serviceSubnetV6: 'fc00:db8:20::/112',
  kubePrismPort: 7445,
  discoveryEndpoint: 'https://discovery.talos.dev/',
  trimInterval: '168h0m0s',
  flannelBackend: 'vxlan',
  flannelPort: 4789,
  factory: 'factory.talos.dev',
  /** Where Kubernetes' images were until they moved, and from where they are taken instead. */
  oldKubernetesRegistry: { host: 'k8s.gcr.io', endpoints: ['https://registry.k8s.io', 'https://k8s.gcr.io'] },
  /** Of a schematic without any customization. */
  emptySchematic: '376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba',
  installDisk: '/dev/sda',
  images: {
    kubelet: 'ghcr.io/siderolabs/kubelet',
    proxy: 'registry.k8s.io/kube-proxy',
    apiServer: 'registry.k8s.io/kube-apiserver',
    controllerManager: 'registry.k8s.io/kube-controller-manager',
    scheduler: 'registry.k8s.io/kube-scheduler',
    installer: 'ghcr.io/siderolabs/installer',
  },
} as const;

/** The Kubernetes version that talosctl writes unless told. Source: constants.go of the newest patch release of each minor that we looked at */
export const defaultKubernetesVersion: Readonly<Record<TalosMinor, string>> = {
  '1.2': '1.25.5',
  '1.3': '1.26.3',
  '1.4': '1.27.4',
  '1.5': '1.28.3',
  '1.6': '1.29.7',
  '1.7': '1.30.5',
  '1.8': '1.31.4',
  '1.9': '1.32.4',
  '1.10': '1.33.6',
  '1.11': '1.34.1',
  '1.12': '1.35.2',
  '1.13': '1.36.3',
  '1.14': '1.37.0',
};

export function isSwitchedOn(name: ContractSwitch, minor: TalosMinor): boolean {
  return talosMinors.indexOf(minor) >= talosMinors.indexOf(contractSwitches[name]);
}
