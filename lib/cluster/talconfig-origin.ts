import type { Place } from '../base/index.ts';
import { type Talconfig, talconfigPlace } from '../config/index.ts';

/** Kind of document, what its path begins with, and the key of the talconfig that decides it. The first that fits counts. */
const keys: readonly (readonly [kind: string, path: string, key: string])[] = [
  ['v1alpha1', 'machine.install.diskSelector', 'installDiskSelector'],
  ['v1alpha1', 'machine.install.disk', 'installDisk'],
  ['v1alpha1', 'machine.install.image', 'talosImageURL'],
  ['v1alpha1', 'machine.install.image', 'schematic'],
  ['v1alpha1', 'machine.install.image', 'talosVersion'],
  ['v1alpha1', 'machine.install.extraKernelArgs', 'schematic'],
  ['v1alpha1', 'machine.install', 'installDisk'],
  ['v1alpha1', 'machine.install', 'installDiskSelector'],
  ['v1alpha1', 'machine.nodeLabels', 'nodeLabels'],
  ['v1alpha1', 'machine.nodeAnnotations', 'nodeAnnotations'],
  ['v1alpha1', 'machine.nodeTaints', 'nodeTaints'],
  ['v1alpha1', 'machine.disks', 'machineDisks'],
  ['v1alpha1', 'machine.files', 'machineFiles'],
  ['v1alpha1', 'machine.kernel', 'kernelModules'],
  ['v1alpha1', 'machine.certSANs', 'certSANs'],
  ['v1alpha1', 'machine.certSANs', 'additionalMachineCertSans'],
  ['v1alpha1', 'machine.network.hostname', 'hostname'],
  ['v1alpha1', 'machine.network.nameservers', 'nameservers'],
  ['v1alpha1', 'machine.network.disableSearchDomain', 'disableSearchDomain'],
  ['v1alpha1', 'machine.network.interfaces', 'networkInterfaces'],
  ['v1alpha1', 'machine.kubelet.image', 'kubernetesVersion'],
  ['v1alpha1', 'machine.type', 'controlPlane'],
  ['v1alpha1', 'cluster.clusterName', 'clusterName'],
  ['v1alpha1', 'cluster.controlPlane', 'endpoint'],
  ['v1alpha1', 'cluster.network.dnsDomain', 'domain'],
  ['v1alpha1', 'cluster.network.podSubnets', 'clusterPodNets'],
  ['v1alpha1', 'cluster.network.serviceSubnets', 'clusterSvcNets'],
  ['v1alpha1', 'cluster.network.cni', 'cniConfig'],
  ['v1alpha1', 'cluster.apiServer.certSANs', 'additionalApiServerCertSans'],
  ...['apiServer', 'controllerManager', 'proxy', 'scheduler'].map(
    (name) => ['v1alpha1', `cluster.${name}.image`, 'kubernetesVersion'] as const,
  ),
  ['v1alpha1', 'cluster.inlineManifests', 'inlineManifests'],
  ['v1alpha1', 'cluster.allowSchedulingOnControlPlanes', 'allowSchedulingOnControlPlanes'],
  ['v1alpha1', 'cluster.allowSchedulingOnControlPlanes', 'allowSchedulingOnMasters'],
  ['HostnameConfig', 'auto', 'ignoreHostname'],
  ['HostnameConfig', '', 'hostname'],
  ['ResolverConfig', 'searchDomains', 'disableSearchDomain'],
  ['ResolverConfig', '', 'nameservers'],
  ['UnattendedInstallConfig', 'installer', 'talosImageURL'],
  ['UnattendedInstallConfig', 'installer', 'schematic'],
  ['UnattendedInstallConfig', 'provisioning', 'installDiskSelector'],
  ['UnattendedInstallConfig', '', 'installDisk'],
  ['UnattendedInstallConfig', '', 'installDiskSelector'],
  ['KubeNodeConfig', 'labels', 'nodeLabels'],
  ['KubeNodeConfig', 'annotations', 'nodeAnnotations'],
  ['KubeNodeConfig', 'taints', 'nodeTaints'],
  ['KubeNodeConfig', 'taints', 'allowSchedulingOnControlPlanes'],
  ['KubeNodeConfig', 'taints', 'allowSchedulingOnMasters'],
  ['KubeClusterConfig', 'clusterName', 'clusterName'],
  ['KubeClusterConfig', 'endpoint', 'endpoint'],
  ['KubeNetworkConfig', 'dnsDomain', 'domain'],
  ['KubeNetworkConfig', 'podSubnets', 'clusterPodNets'],
  ['KubeNetworkConfig', 'serviceSubnets', 'clusterSvcNets'],
  ['KubeAPIServerConfig', 'certExtraSANs', 'additionalApiServerCertSans'],
  ...['KubeletConfig', 'KubeAPIServerConfig', 'KubeControllerManagerConfig', 'KubeSchedulerConfig', 'KubeProxyConfig'].map(
    (kind) => [kind, 'image', 'kubernetesVersion'] as const,
  ),
  ['KubeFlannelCNIConfig', '', 'cniConfig'],
  ['KubeExternalManifestConfig', '', 'cniConfig'],
  ['KubeInlineManifestConfig', '', 'inlineManifests'],
  ['KernelModuleConfig', '', 'kernelModules'],
  ['NetworkDefaultActionConfig', '', 'ingressFirewall'],
  ['NetworkRuleConfig', '', 'ingressFirewall'],
  ['ExtensionServiceConfig', '', 'extensionServices'],
  ['VolumeConfig', '', 'volumes'],
  ['UserVolumeConfig', '', 'userVolumes'],
  ...[
    'LinkAliasConfig',
    'LinkConfig',
    'BondConfig',
    'BridgeConfig',
    'VLANConfig',
    'WireguardConfig',
    'DHCPv4Config',
    'DHCPv6Config',
    'Layer2VIPConfig',
    'HCloudVIPConfig',
    'DummyLinkConfig',
  ].map((kind) => [kind, '', 'networkInterfaces'] as const),
];

export interface SettingAsked {
  readonly node: string;
  /** `v1alpha1`, `UserVolumeConfig data`. */
  readonly document: string;
  readonly path: string;
  /** `cluster`: what the generator was told for all of them, before it looked at the node. */
  readonly scope: 'cluster' | 'node';
}

/**
 * Where a talconfig decides a field of a node's machine config: at the node, in its group, or for the cluster. Undefined for what the
 * generator writes by itself.
 */
export function originInTalconfig(talconfig: Talconfig, { node: nodeName, document, path, scope }: SettingAsked): Place | undefined {
  const index = talconfig.nodes.findIndex(({ hostname }) => hostname === nodeName);
  const group = talconfig.nodes[index]?.controlPlane ? 'controlPlane' : 'worker';
  const kind = document.split(' ')[0] ?? '';
  for (const [wantedKind, prefix, key] of keys) {
    if (kind !== wantedKind || !(prefix === '' || path === prefix || path.startsWith(`${prefix}.`) || path.startsWith(`${prefix}[`)))
      continue;
    // `controlPlane` is a node's word and a group's name.
    const ofNode =
      key === 'controlPlane'
        ? [['nodes', index, key]]
        : [
            ['nodes', index, key],
            [group, key],
          ];
    const places = [...(scope === 'node' || key === 'controlPlane' ? ofNode : []), ...(key === 'controlPlane' ? [] : [[key]])];
    for (const at of places) {
      const place = talconfigPlace(talconfig, at);
      if (place) return place;
    }
  }
  return undefined;
}
