import { type TalosMinor, talosMinors } from './machine-config-schema.ts';

/**
 * What each contract switches on, by the first minor that does. A new Talos minor is one more table under `schema/` and the entries here
 * that changed.
 *
 * Source: pkg/machinery/config/contract.go; switches that every supported minor has are left out.
 */
export const contractSwitches = {
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

/** Kubernetes minors that a Talos minor runs, and the oldest Talos that may be upgraded to it. Source: pkg/machinery/compatibility */
export const compatibility: Readonly<
  Record<
    TalosMinor,
    { readonly kubernetes: readonly [string, string]; readonly upgradableFrom: string; readonly downgradableBelow: string }
  >
> = {
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
