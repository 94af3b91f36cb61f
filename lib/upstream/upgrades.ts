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
