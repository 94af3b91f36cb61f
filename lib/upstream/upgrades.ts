/**
 * What upstream's table knows of Talos minors before the oldest that tk generates configs for: a machine may still run one.
 * Source: pkg/machinery/compatibility at v1.14.1
 */
export const olderCompatibility = {
  '1.2': { kubernetes: ['1.23', '1.25'], upgradableFrom: '1.0.0', downgradableBelow: '1.3.0' },
  '1.3': { kubernetes: ['1.24', '1.26'], upgradableFrom: '1.0.0', downgradableBelow: '1.5.0' },
  '1.4': { kubernetes: ['1.25', '1.27'], upgradableFrom: '1.0.0', downgradableBelow: '1.6.0' },
  '1.5': { kubernetes: ['1.26', '1.28'], upgradableFrom: '1.2.0', downgradableBelow: '1.7.0' },
  '1.6': { kubernetes: ['1.24', '1.29'], upgradableFrom: '1.3.0', downgradableBelow: '1.8.0' },
  '1.7': { kubernetes: ['1.25', '1.30'], upgradableFrom: '1.4.0', downgradableBelow: '1.9.0' },
  '1.8': { kubernetes: ['1.26', '1.31'], upgradableFrom: '1.5.0', downgradableBelow: '1.10.0' },
} as const satisfies Readonly<
  Record<string, { readonly kubernetes: readonly [string, string]; readonly upgradableFrom: string; readonly downgradableBelow: string }>
>;

/** Minors of Kubernetes between which upstream's client upgrades. Source: go-kubernetes v0.2.41 kubernetes/upgrade/path.go */
export const kubernetesPaths = { oldestMinor: 19, newestMinor: 37 } as const;

export interface KubernetesRemovals {
  /** Of every part; one that sets it does not start. */
  readonly featureGates?: readonly string[];
  /** `plural.version.group` that is no longer served. */
  readonly apiResources?: readonly string[];
  readonly admissionPlugins?: readonly string[];
  readonly flags?: Readonly<
    Partial<Record<'kube-apiserver' | 'kube-controller-manager' | 'kube-scheduler' | 'kubelet', readonly string[]>>
  >;
}

/**
 * What a minor of Kubernetes no longer has, by that minor: what upstream's client looks for before it upgrades to it from the one
 * before. Source: go-kubernetes v0.2.41 kubernetes/upgrade/checks.go
 */
export const kubernetesRemovals: Readonly<Record<string, KubernetesRemovals>> = {
  '1.25': {
    featureGates: ['CSIVolumeFSGroupPolicy', 'ConfigurableFSGroupPolicy', 'PodDisruptionBudget', 'SelectorIndex'],
    apiResources: ['podsecuritypolicies.v1beta1.policy'],
    admissionPlugins: ['PodSecurityPolicy'],
    flags: {
      'kube-apiserver': ['service-account-api-audiences'],
      'kube-controller-manager': ['deleting-pods-qps', 'deleting-pods-burst', 'register-retry-count'],
    },
  },
  '1.26': {
    featureGates: ['DynamicKubeletConfig'],
    flags: { 'kube-apiserver': ['master-service-namespace'] },
  },
  '1.27': {
    featureGates: [
      'ExpandCSIVolumes',
      'ExpandInUsePersistentVolumes',
      'ExpandPersistentVolumes',
      'ControllerManagerLeaderMigration',
      'CSIMigration',
      'CSIInlineVolume',
      'EphemeralContainers',
      'LocalStorageCapacityIsolation',
      'NetworkPolicyEndPort',
      'StatefulSetMinReadySeconds',
      'IdentifyPodOS',
      'DaemonSetUpdateSurge',
    ],
    flags: {
      'kube-controller-manager': ['enable-taint-manager', 'pod-eviction-timeout'],
      kubelet: ['container-runtime', 'master-service-namespace'],
    },
  },
  '1.28': {
    featureGates: [
      'AdvancedAuditing',
      'DelegateFSGroupToCSIDriver',
      'DevicePlugins',
      'DisableAcceleratorUsageMetrics',
      'EndpointSliceTerminatingCondition',
      'CSIStorageCapacity',
      'CSIMigrationGCE',
      'KubeletCredentialProviders',
      'MixedProtocolLBService',
      'ServiceInternalTrafficPolicy',
      'ServiceIPStaticSubrange',
      'WindowsHostProcessContainers',
    ],
  },
  '1.29': {
    apiResources: ['clustercidrs.v1alpha1.networking.k8s.io'],
  },
  '1.30': {
    featureGates: [
      'ExpandedDNSConfig',
      'ExperimentalHostUserNamespaceDefaultingGate',
      'IPTablesOwnershipCleanup',
      'KubeletPodResources',
      'KubeletPodResourcesGetAllocatable',
      'MinimizeIPTablesRestore',
      'ProxyTerminatingEndpoints',
      'RemoveSelfLink',
    ],
    admissionPlugins: ['SecurityContextDeny'],
  },
  '1.31': {
    featureGates: [
      'APIPriorityAndFairness',
      'CSINodeExpandSecret',
      'ConsistentHTTPGetHandlers',
      'DefaultHostNetworkHostPortsInPodTemplates',
      'ServiceNodePortStaticSubrange',
      'SkipReadOnlyValidationGCE',
    ],
    flags: {
      'kube-controller-manager': [
        'volume-host-cidr-denylist',
        'volume-host-allow-local-loopback',
        'horizontal-pod-autoscaler-upscale-delay',
        'horizontal-pod-autoscaler-downscale-delay',
      ],
      kubelet: ['keep-terminated-pod-volumes', 'iptables-masquerade-bit', 'iptables-drop-bit'],
    },
  },
  '1.32': {
    featureGates: [
      'AllowServiceLBStatusOnNonLB',
      'CloudDualStackNodeIPs',
      'DRAControlPlaneController',
      'HPAContainerMetrics',
      'KMSv2',
      'KMSv2KDF',
      'LegacyServiceAccountTokenCleanUp',
      'MinDomainsInPodTopologySpread',
      'NewVolumeManagerReconstruction',
      'NodeOutOfServiceVolumeDetach',
      'ServerSideApply',
      'ServerSideFieldValidation',
      'StableLoadBalancerNodeSet',
      'ValidatingAdmissionPolicy',
      'ZeroLimitedNominalConcurrencyShares',
    ],
    apiResources: ['podschedulingcontexts.v1alpha3.resource.k8s.io'],
  },
  '1.33': {
    featureGates: [
      'AppArmor',
      'AppArmorFields',
      'CPUManager',
      'DisableCloudProviders',
      'DisableKubeletCloudCredentialProviders',
      'JobPodFailurePolicy',
      'KubeProxyDrainingTerminatingNodes',
      'PDBUnhealthyPodEvictionPolicy',
      'PersistentVolumeLastPhaseTransitionTime',
      'VolumeCapacityPriority',
    ],
    flags: { 'kube-apiserver': ['cloud-config'] },
  },
  '1.34': {
    featureGates: ['DevicePluginCDIDevices', 'LegacySidecarContainers', 'PodDisruptionConditions'],
    flags: { kubelet: ['cloud-config'] },
  },
  '1.35': {
    featureGates: ['SizeMemoryBackedVolumes', 'UserNamespacesHostNetworkSupport'],
    flags: { kubelet: ['pod-infra-container-image'] },
  },
  '1.36': {
    featureGates: [
      'CSIMigrationPortworx',
      'HonorPVReclaimPolicy',
      'InTreePluginPortworxUnregister',
      'WatchFromStorageWithoutResourceVersion',
    ],
  },
  '1.37': {
    featureGates: [
      'AnyVolumeDataSource',
      'DeclarativeValidationTakeover',
      'GangScheduling',
      'PreventStaticPodAPIReferences',
      'WorkloadAwarePreemption',
    ],
    apiResources: ['workloads.v1alpha2.scheduling.k8s.io', 'podgroups.v1alpha2.scheduling.k8s.io'],
    flags: {
      kubelet: [
        'application-metrics-count-limit',
        'boot-id-file',
        'container-hints',
        'containerd',
        'containerd-namespace',
        'enable-load-reader',
        'event-storage-age-limit',
        'event-storage-event-limit',
        'global-housekeeping-interval',
        'log-cadvisor-usage',
        'machine-id-file',
        'storage-driver-user',
        'storage-driver-password',
        'storage-driver-host',
        'storage-driver-db',
        'storage-driver-table',
        'storage-driver-secure',
        'storage-driver-buffer-duration',
      ],
    },
  },
};
