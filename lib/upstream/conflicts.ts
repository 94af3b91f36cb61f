import type { TalosMinor } from './machine-config-schema.ts';

/** A document that refuses to stand beside the field that it has taken over. */
export interface DocumentConflict {
  readonly kind: string;
  /** Of the document without a kind. `''` never occurs. */
  readonly field: string;
  /** The sentence of the node. */
  readonly message: string;
  /** Only while this field of the document is set. */
  readonly when?: string;
  /** Only documents of this name. */
  readonly names?: readonly string[];
}

/** Kinds that may not share a name. Source: ConflictsWithKinds of pkg/machinery/config/types, 1.12 to 1.14 */
export const exclusiveKinds: readonly (readonly string[])[] = [
  ['BondConfig', 'BridgeConfig', 'DummyLinkConfig', 'LinkConfig', 'VethConfig', 'VLANConfig', 'VRFConfig', 'WireguardConfig'],
  ['HCloudVIPConfig', 'Layer2VIPConfig'],
  ['ExistingVolumeConfig', 'UserVolumeConfig'],
];

const isSet = (field: string) => `${field} is already set in v1alpha1 config`;

/**
 * In upstream's order: the first that applies to a document is the one that is told.
 *
 * Source: V1Alpha1ConflictValidate of pkg/machinery/config/types, 1.12 to 1.14
 */
export const documentConflicts: readonly DocumentConflict[] = [
  {
    kind: 'UnattendedInstallConfig',
    field: 'machine.install',
    message: 'UnattendedInstallConfig config is incompatible with v1alpha1 config (.machine.install)',
  },
  { kind: 'KubeCoreDNSConfig', field: 'cluster.coreDNS', message: 'CoreDNS config is already set in v1alpha1 config (.cluster.coreDNS)' },
  { kind: 'KubeletConfig', field: 'machine.kubelet', message: 'kubelet config is already set in v1alpha1 config (.machine.kubelet)' },
  {
    kind: 'KubeAuditPolicyConfig',
    field: 'cluster.apiServer.auditPolicy',
    message: 'audit policy config is already set in v1alpha1 config',
  },
  {
    kind: 'KubeAggregatorCAConfig',
    field: 'cluster.aggregatorCA',
    message:
      'kube-apiserver aggregator CA is already set in v1alpha1 config (.cluster.aggregatorCA), please remove it and use the new KubeAggregatorCAConfig document instead',
  },
  {
    kind: 'KubeEtcdEncryptionConfig',
    field: 'cluster.secretboxEncryptionSecret',
    message: 'etcd encryption config is already set in v1alpha1 config',
  },
  {
    kind: 'KubeEtcdEncryptionConfig',
    field: 'cluster.aescbcEncryptionSecret',
    message: 'etcd encryption config is already set in v1alpha1 config',
  },
  {
    kind: 'KubeFlannelCNIConfig',
    field: 'cluster.network',
    message:
      "cluster network config in v1alpha1 config (.machine.cluster.network) can't be used with KubeFlannelCNIConfig document, please remove it to avoid conflicts",
  },
  {
    kind: 'KubeClusterConfig',
    field: 'cluster.clusterName',
    message:
      'cluster name is already set in the v1alpha1 config (.cluster.clusterName). Please remove it and use only the new KubeClusterConfig document to avoid conflicts',
  },
  {
    kind: 'KubeClusterConfig',
    field: 'cluster.controlPlane.endpoint',
    message:
      'cluster endpoint is already set in the v1alpha1 config (.cluster.controlPlane.endpoint). Please remove it and use only the new KubeClusterConfig document to avoid conflicts',
  },
  {
    kind: 'KubePrismConfig',
    field: 'machine.features.kubePrism',
    message:
      "KubePrism config in v1alpha1 config (.machine.features.kubePrism) can't be used with KubePrismConfig document, please remove it to avoid conflicts",
  },
  {
    kind: 'KubeCredentialProviderConfig',
    field: 'machine.kubelet',
    message: 'cannot use KubeCredentialProviderConfig with legacy kubelet configuration (.machine.kubelet)',
  },
  {
    kind: 'KubeNetworkConfig',
    field: 'cluster.network',
    message:
      'cluster network config is already set in the v1alpha1 config (.machine.cluster.network). Please remove it and use only the new KubeNetworkConfig document to avoid conflicts',
  },
  {
    kind: 'KubeControllerManagerConfig',
    field: 'cluster.controllerManager',
    message: 'kube-controller-manager config is already set in v1alpha1 config (.cluster.controllerManager)',
  },
  {
    kind: 'KubeControllerManagerConfig',
    field: 'machine.controlPlane.controllerManager',
    message: 'kube-controller-manager config is already set in v1alpha1 config (.machine.controlplane.controllerManager)',
  },
  { kind: 'KubeAPIServerCAConfig', field: 'cluster.ca', message: 'kube-apiserver CA is already set in v1alpha1 config (.cluster.ca)' },
  {
    kind: 'KubeAdmissionControlConfig',
    field: 'cluster.apiServer.admissionControl',
    message: 'admission control plugin config is already set in v1alpha1 config',
  },
  {
    kind: 'KubeServiceAccountConfig',
    field: 'cluster.serviceAccount',
    message: 'service account is already set in v1alpha1 config (.cluster.serviceAccount)',
  },
  {
    kind: 'KubeAuthorizerConfig',
    field: 'cluster.apiServer.admissionControl',
    message: 'admission control plugin config is already set in v1alpha1 config',
  },
  {
    kind: 'KubeAPIServerConfig',
    field: 'cluster.apiServer',
    message: 'kube-apiserver config is already set in v1alpha1 config (.cluster.apiServer)',
  },
  {
    kind: 'KubeAPIServerConfig',
    field: 'cluster.controlPlane.localAPIServerPort',
    message: 'kube-apiserver API port is already set in v1alpha1 config (.cluster.controlPlane.localAPIServerPort)',
  },
  {
    kind: 'KubeTalosAPIAccessConfig',
    field: 'machine.features.kubernetesTalosAPIAccess',
    message: isSet('.machine.features.kubernetesTalosAPIAccess'),
  },
  ...[
    'cluster.allowSchedulingOnControlPlanes',
    'cluster.allowSchedulingOnMasters',
    'machine.kubelet.skipNodeRegistration',
    'machine.kubelet.registerWithFQDN',
    'machine.kubelet.nodeIP',
    'machine.nodeLabels',
    'machine.nodeAnnotations',
    'machine.nodeTaints',
  ].map((field) => ({ kind: 'KubeNodeConfig', field, message: isSet(`.${field}`) })),
  {
    kind: 'KubeProxyConfig',
    field: 'cluster.proxy',
    message:
      "cluster proxy config in v1alpha1 config (.machine.cluster.proxy) can't be used with KubeProxyConfig document, please remove it to avoid conflicts",
  },
  {
    kind: 'KubeSchedulerConfig',
    field: 'cluster.scheduler',
    message: 'kube-scheduler config is already set in v1alpha1 config (.cluster.scheduler)',
  },
  {
    kind: 'KubeSchedulerConfig',
    field: 'machine.controlPlane.scheduler',
    message: 'kube-scheduler config is already set in v1alpha1 config (.machine.controlplane.scheduler)',
  },
  { kind: 'ResolverConfig', field: 'machine.network.searchDomains', message: isSet('.machine.network.searchDomains') },
  { kind: 'ResolverConfig', field: 'machine.network.nameservers', message: isSet('.machine.network.nameservers') },
  { kind: 'ResolverConfig', field: 'machine.network.disableSearchDomain', message: isSet('.machine.network.disableSearchDomain') },
  { kind: 'ResolverConfig', field: 'machine.features.hostDNS', message: isSet('.machine.features.hostDNS'), when: 'hostDNS' },
  {
    kind: 'TimeSyncConfig',
    field: 'machine.time.disabled',
    message: 'time sync cannot be disabled in both v1alpha1 and new-style configuration',
  },
  {
    kind: 'TimeSyncConfig',
    field: 'machine.time.servers',
    message: 'time servers cannot be specified in both v1alpha1 and new-style configuration',
  },
  {
    kind: 'TimeSyncConfig',
    field: 'machine.time.bootTimeout',
    message: 'boot timeout cannot be specified in both v1alpha1 and new-style configuration',
  },
  {
    kind: 'KubeSpanConfig',
    field: 'machine.network.kubespan',
    message: 'kubespan is already configured in v1alpha1 machine.network.kubespan',
  },
  { kind: 'HostnameConfig', field: 'machine.network.hostname', message: 'static hostname is already set in v1alpha1 config' },
  { kind: 'HostnameConfig', field: 'machine.features.stableHostname', message: 'stable hostname is already set in v1alpha1 config' },
  ...['STATE', 'EPHEMERAL'].map((name) => ({
    kind: 'VolumeConfig',
    field: `machine.systemDiskEncryption.${name.toLowerCase()}`,
    message: `system disk encryption for "${name}" is configured in both v1alpha1.Config and VolumeConfig`,
    when: 'encryption',
    names: [name],
  })),
  {
    kind: 'CRIBaseRuntimeSpecConfig',
    field: 'machine.baseRuntimeSpecOverrides',
    message: 'base runtime spec overrides are already set in v1alpha1 config',
  },
  { kind: 'ImageCacheConfig', field: 'machine.features.imageCache', message: 'image cache config is already set in v1alpha1 config' },
  {
    kind: 'DiscoveryIdentityConfig',
    field: 'cluster.id',
    message: 'cluster identity is already configured in .cluster.id/.cluster.secret of the v1alpha1 config',
  },
  {
    kind: 'DiscoveryIdentityConfig',
    field: 'cluster.secret',
    message: 'cluster identity is already configured in .cluster.id/.cluster.secret of the v1alpha1 config',
  },
  {
    kind: 'DiscoveryServiceConfig',
    field: 'cluster.discovery',
    message: 'discovery service is already configured in .cluster.discovery of the v1alpha1 config',
  },
];

/**
 * Old fields beside which new documents may stand, and take precedence or add up.
 *
 * Source: the documents of pkg/machinery/config/types that read the same settings as the field
 */
export const movedFields: readonly { readonly field: string; readonly kinds: readonly string[] }[] = [
  {
    field: 'machine.network.interfaces',
    kinds: ['LinkConfig', 'LinkAliasConfig', 'BondConfig', 'BridgeConfig', 'VLANConfig', 'DHCPv4Config', 'Layer2VIPConfig'],
  },
  { field: 'machine.network.extraHostEntries', kinds: ['StaticHostConfig'] },
  { field: 'machine.registries', kinds: ['RegistryMirrorConfig', 'RegistryAuthConfig', 'RegistryTLSConfig'] },
  { field: 'machine.time', kinds: ['TimeSyncConfig'] },
  { field: 'machine.env', kinds: ['EnvironmentConfig'] },
  { field: 'machine.sysctls', kinds: ['SysctlConfig'] },
  { field: 'machine.sysfs', kinds: ['SysfsConfig'] },
  { field: 'machine.udev', kinds: ['UdevRulesConfig'] },
  { field: 'machine.kernel.modules', kinds: ['KernelModuleConfig'] },
  { field: 'machine.pods', kinds: ['KubeStaticPodConfig'] },
  { field: 'machine.files', kinds: ['EtcFileConfig', 'CRICustomizationConfig'] },
  { field: 'cluster.inlineManifests', kinds: ['KubeInlineManifestConfig'] },
  { field: 'cluster.extraManifests', kinds: ['KubeExternalManifestConfig'] },
];

/** Old fields that still count, what takes their place, and from which version on a node says so. */
export const deprecatedFields: readonly { readonly field: string; readonly replacement: string; readonly since: TalosMinor }[] = [
  { field: 'machine.files', replacement: 'dedicated configuration documents', since: '1.14' },
  { field: 'machine.baseRuntimeSpecOverrides', replacement: 'a CRIBaseRuntimeSpecConfig document', since: '1.14' },
  { field: 'machine.install.extensions', replacement: 'a schematic of the image factory', since: '1.9' },
];

/**
 * Parts of the document without a kind that a running node takes over without a reboot, 1.12 and 1.13. Documents with a kind always do,
 * and from 1.14 on everything does.
 *
 * Source: internal/app/machined/pkg/runtime/v1alpha1, CanApplyImmediate
 */
export const appliesWithoutReboot: readonly string[] = [
  'debug',
  'cluster',
  ...[
    'ca',
    'acceptedCAs',
    'time',
    'certSANs',
    'install',
    'network',
    'sysfs',
    'sysctls',
    'logging',
    'controlPlane',
    'kubelet',
    'kernel',
  ].map((name) => `machine.${name}`),
  ...['registries', 'pods', 'seccompProfiles', 'nodeAnnotations', 'nodeLabels', 'nodeTaints'].map((name) => `machine.${name}`),
  ...['kubernetesTalosAPIAccess', 'kubePrism', 'hostDNS', 'imageCache', 'nodeAddressSortAlgorithm'].map(
    (name) => `machine.features.${name}`,
  ),
];
