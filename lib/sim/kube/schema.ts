import { isObj, listAt, objAt, type Obj, textAt, type Value } from './value.ts';

/**
 * How the fields of a type merge. Absent parts mean: maps are granular, lists are atomic, and a key that `fields` does not name
 * is an entry of a map.
 * Source: the `x-kubernetes-*` markers of k8s.io/api v0.37, staging/src/k8s.io/client-go/applyconfigurations/internal.
 */
export interface MergeType {
  readonly fields?: { readonly [name: string]: MergeType };
  /** Type of the entries of a map, or of the elements of a list. */
  readonly items?: MergeType;
  readonly list?: 'atomic' | 'set' | readonly string[];
  /** The whole map belongs to one manager. */
  readonly isAtomic?: boolean;
  /** Defaults of the keys of list elements that need not be written: `protocol: TCP`. */
  readonly keyDefaults?: { readonly [key: string]: Value };
  /** Nothing is known below: every map is granular and each of its keys a field of its own. */
  readonly isOpen?: boolean;
}

const leaf: MergeType = {};
const atomic: MergeType = { isAtomic: true };
const struct = (fields: { readonly [name: string]: MergeType }): MergeType => ({ fields });
/** Names of scalar (or atomic list) fields, so that they count as fields of a struct. */
const plain = (names: string): { [name: string]: MergeType } => Object.fromEntries(names.split(' ').map((name) => [name, leaf]));
const listOf = (keys: string, items: MergeType, keyDefaults?: { readonly [key: string]: Value }): MergeType => ({
  list: keys.split(' '),
  items,
  ...(keyDefaults === undefined ? {} : { keyDefaults }),
});
const setOf: MergeType = { list: 'set' };
const mapOf: MergeType = { items: leaf };

const metadata = struct({
  ...plain(
    'name namespace uid resourceVersion generation creationTimestamp deletionTimestamp deletionGracePeriodSeconds generateName selfLink managedFields',
  ),
  labels: mapOf,
  annotations: mapOf,
  finalizers: setOf,
  ownerReferences: listOf('uid', atomic),
});

const conditions = listOf(
  'type',
  struct(plain('type status reason message lastTransitionTime lastUpdateTime lastHeartbeatTime lastProbeTime observedGeneration')),
);

const probe = struct({
  ...plain('failureThreshold initialDelaySeconds periodSeconds successThreshold timeoutSeconds terminationGracePeriodSeconds'),
  exec: struct(plain('command')),
  httpGet: struct(plain('host httpHeaders path port scheme')),
  tcpSocket: struct(plain('host port')),
  grpc: struct(plain('port service')),
});
const lifecycleHook = struct({
  exec: struct(plain('command')),
  httpGet: struct(plain('host httpHeaders path port scheme')),
  tcpSocket: struct(plain('host port')),
  sleep: struct(plain('seconds')),
});
const resources = struct({ limits: mapOf, requests: mapOf, claims: listOf('name', struct(plain('name request'))) });
const container = struct({
  ...plain(
    'name image command args workingDir imagePullPolicy stdin stdinOnce tty terminationMessagePath terminationMessagePolicy restartPolicy envFrom resizePolicy restartPolicyRules targetContainerName',
  ),
  ports: listOf('containerPort protocol', struct(plain('containerPort hostIP hostPort name protocol')), { protocol: 'TCP' }),
  env: listOf(
    'name',
    struct({
      ...plain('name value'),
      valueFrom: struct({ fieldRef: atomic, resourceFieldRef: atomic, secretKeyRef: atomic, configMapKeyRef: atomic, fileKeyRef: atomic }),
    }),
  ),
  volumeMounts: listOf('mountPath', struct(plain('mountPath name readOnly subPath subPathExpr mountPropagation recursiveReadOnly'))),
  volumeDevices: listOf('devicePath', struct(plain('devicePath name'))),
  resources,
  livenessProbe: probe,
  readinessProbe: probe,
  startupProbe: probe,
  lifecycle: struct({ postStart: lifecycleHook, preStop: lifecycleHook, stopSignal: leaf }),
  securityContext: struct({
    ...plain('allowPrivilegeEscalation privileged procMount readOnlyRootFilesystem runAsGroup runAsNonRoot runAsUser'),
    capabilities: struct(plain('add drop')),
    seLinuxOptions: struct(plain('level role type user')),
    seccompProfile: struct(plain('type localhostProfile')),
    appArmorProfile: struct(plain('type localhostProfile')),
  }),
});
const volume = struct({
  name: leaf,
  configMap: struct(plain('name items defaultMode optional')),
  secret: struct(plain('secretName items defaultMode optional')),
  emptyDir: struct(plain('medium sizeLimit')),
  hostPath: struct(plain('path type')),
  projected: struct(plain('defaultMode sources')),
  downwardAPI: struct(plain('defaultMode items')),
  persistentVolumeClaim: struct(plain('claimName readOnly')),
  nfs: struct(plain('server path readOnly')),
  csi: struct({ ...plain('driver fsType readOnly'), volumeAttributes: mapOf, nodePublishSecretRef: atomic }),
});
const podSpec = struct({
  ...plain(
    'activeDeadlineSeconds automountServiceAccountToken dnsPolicy enableServiceLinks hostIPC hostNetwork hostPID hostUsers hostname nodeName preemptionPolicy priority priorityClassName readinessGates restartPolicy runtimeClassName schedulerName serviceAccount serviceAccountName setHostnameAsFQDN shareProcessNamespace subdomain terminationGracePeriodSeconds tolerations',
  ),
  containers: listOf('name', container),
  initContainers: listOf('name', container),
  ephemeralContainers: listOf('name', container),
  volumes: listOf('name', volume),
  imagePullSecrets: listOf('name', atomic),
  hostAliases: listOf('ip', struct(plain('ip hostnames'))),
  topologySpreadConstraints: listOf(
    'topologyKey whenUnsatisfiable',
    struct({
      ...plain('topologyKey whenUnsatisfiable maxSkew minDomains nodeAffinityPolicy nodeTaintsPolicy matchLabelKeys'),
      labelSelector: atomic,
    }),
  ),
  resourceClaims: listOf('name', struct(plain('name resourceClaimName resourceClaimTemplateName'))),
  schedulingGates: listOf('name', struct(plain('name'))),
  nodeSelector: atomic,
  overhead: mapOf,
  resources,
  os: struct(plain('name')),
  dnsConfig: struct(plain('nameservers searches options')),
  securityContext: struct({
    ...plain('fsGroup fsGroupChangePolicy runAsGroup runAsNonRoot runAsUser supplementalGroups supplementalGroupsPolicy sysctls'),
    seLinuxOptions: struct(plain('level role type user')),
    seccompProfile: struct(plain('type localhostProfile')),
    appArmorProfile: struct(plain('type localhostProfile')),
  }),
  affinity: struct({
    nodeAffinity: struct({ preferredDuringSchedulingIgnoredDuringExecution: leaf, requiredDuringSchedulingIgnoredDuringExecution: atomic }),
    podAffinity: struct(plain('preferredDuringSchedulingIgnoredDuringExecution requiredDuringSchedulingIgnoredDuringExecution')),
    podAntiAffinity: struct(plain('preferredDuringSchedulingIgnoredDuringExecution requiredDuringSchedulingIgnoredDuringExecution')),
  }),
});
const template = struct({ metadata, spec: podSpec });
const rollingUpdate = struct({ type: leaf, rollingUpdate: struct(plain('maxSurge maxUnavailable partition')) });
const workloadStatus = struct({
  ...plain(
    'availableReplicas collisionCount currentReplicas currentRevision observedGeneration readyReplicas replicas terminatingReplicas unavailableReplicas updateRevision updatedReplicas currentNumberScheduled desiredNumberScheduled numberAvailable numberMisscheduled numberReady numberUnavailable updatedNumberScheduled fullyLabeledReplicas',
  ),
  conditions,
});
const workload = (spec: { readonly [name: string]: MergeType }) => ({
  spec: struct({
    ...plain(
      'replicas minReadySeconds paused progressDeadlineSeconds revisionHistoryLimit serviceName podManagementPolicy volumeClaimTemplates',
    ),
    selector: atomic,
    template,
    ...spec,
  }),
  status: workloadStatus,
});
const jobSpec = struct({
  ...plain(
    'activeDeadlineSeconds backoffLimit backoffLimitPerIndex completionMode completions manualSelector maxFailedIndexes parallelism podReplacementPolicy suspend ttlSecondsAfterFinished managedBy',
  ),
  selector: atomic,
  template,
  podFailurePolicy: struct(plain('rules')),
  successPolicy: struct(plain('rules')),
});
const webhooks = listOf(
  'name',
  struct({
    ...plain('name admissionReviewVersions failurePolicy matchPolicy reinvocationPolicy rules sideEffects timeoutSeconds'),
    clientConfig: struct({ ...plain('caBundle url'), service: struct(plain('name namespace path port')) }),
    namespaceSelector: atomic,
    objectSelector: atomic,
    matchConditions: listOf('name', struct(plain('name expression'))),
  }),
);
const roleRef = { roleRef: atomic, ...plain('subjects') };

/** By `group/Kind`; the core group is empty. */
const builtInTypes: Readonly<Record<string, { readonly [name: string]: MergeType }>> = {
  '/ConfigMap': { data: mapOf, binaryData: mapOf, immutable: leaf },
  '/Secret': { data: mapOf, stringData: mapOf, type: leaf, immutable: leaf },
  '/Namespace': { spec: struct(plain('finalizers')), status: struct({ phase: leaf, conditions }) },
  '/Node': {
    spec: struct({ ...plain('configSource externalID podCIDR providerID taints unschedulable'), podCIDRs: setOf }),
    status: struct({
      ...plain('images phase volumesInUse volumesAttached runtimeHandlers'),
      addresses: listOf('type', struct(plain('type address'))),
      allocatable: mapOf,
      capacity: mapOf,
      conditions,
      daemonEndpoints: struct({ kubeletEndpoint: struct(plain('Port')) }),
      nodeInfo: struct(
        plain(
          'architecture bootID containerRuntimeVersion kernelVersion kubeProxyVersion kubeletVersion machineID operatingSystem osImage systemUUID',
        ),
      ),
    }),
  },
  '/Pod': {
    spec: podSpec,
    status: struct({
      ...plain(
        'phase reason message hostIP podIP startTime qosClass nominatedNodeName containerStatuses initContainerStatuses ephemeralContainerStatuses hostIPs resize observedGeneration',
      ),
      conditions,
      podIPs: listOf('ip', struct(plain('ip'))),
    }),
  },
  '/Service': {
    spec: struct({
      ...plain(
        'allocateLoadBalancerNodePorts clusterIP clusterIPs externalIPs externalName externalTrafficPolicy healthCheckNodePort internalTrafficPolicy ipFamilies ipFamilyPolicy loadBalancerClass loadBalancerIP loadBalancerSourceRanges publishNotReadyAddresses sessionAffinity trafficDistribution type',
      ),
      selector: atomic,
      ports: listOf('port protocol', struct(plain('appProtocol name nodePort port protocol targetPort')), { protocol: 'TCP' }),
      sessionAffinityConfig: struct({ clientIP: struct(plain('timeoutSeconds')) }),
    }),
    status: struct({ conditions, loadBalancer: struct(plain('ingress')) }),
  },
  '/ServiceAccount': {
    ...plain('automountServiceAccountToken imagePullSecrets'),
    secrets: listOf('name', struct(plain('apiVersion fieldPath kind name namespace resourceVersion uid'))),
  },
  '/Endpoints': plain('subsets'),
  '/PersistentVolumeClaim': {
    spec: struct({
      ...plain('accessModes storageClassName volumeMode volumeName'),
      selector: atomic,
      resources,
      dataSource: atomic,
      dataSourceRef: struct(plain('apiGroup kind name namespace')),
    }),
    status: struct({ ...plain('accessModes phase'), capacity: mapOf, conditions }),
  },
  'discovery.k8s.io/EndpointSlice': plain('addressType endpoints ports'),
  'apps/Deployment': workload({ strategy: rollingUpdate }),
  'apps/DaemonSet': workload({ updateStrategy: rollingUpdate }),
  'apps/StatefulSet': workload({
    updateStrategy: rollingUpdate,
    persistentVolumeClaimRetentionPolicy: struct(plain('whenDeleted whenScaled')),
    ordinals: struct(plain('start')),
  }),
  'apps/ReplicaSet': workload({}),
  'batch/Job': {
    spec: jobSpec,
    status: struct({
      ...plain('active completedIndexes completionTime failed failedIndexes ready startTime succeeded terminating conditions'),
      uncountedTerminatedPods: struct({ succeeded: setOf, failed: setOf }),
    }),
  },
  'batch/CronJob': {
    spec: struct({
      ...plain('concurrencyPolicy failedJobsHistoryLimit schedule startingDeadlineSeconds successfulJobsHistoryLimit suspend timeZone'),
      jobTemplate: struct({ metadata, spec: jobSpec }),
    }),
    status: struct(plain('active lastScheduleTime lastSuccessfulTime')),
  },
  'rbac.authorization.k8s.io/ClusterRole': { rules: leaf, aggregationRule: struct(plain('clusterRoleSelectors')) },
  'rbac.authorization.k8s.io/Role': plain('rules'),
  'rbac.authorization.k8s.io/ClusterRoleBinding': roleRef,
  'rbac.authorization.k8s.io/RoleBinding': roleRef,
  'apiextensions.k8s.io/CustomResourceDefinition': {
    spec: struct({
      ...plain('group scope preserveUnknownFields versions'),
      names: struct(plain('categories kind listKind plural shortNames singular')),
      conversion: struct({
        strategy: leaf,
        webhook: struct({
          conversionReviewVersions: leaf,
          clientConfig: struct({ ...plain('caBundle url'), service: struct(plain('name namespace path port')) }),
        }),
      }),
    }),
    status: struct({
      acceptedNames: struct(plain('categories kind listKind plural shortNames singular')),
      conditions,
      storedVersions: leaf,
      observedGeneration: leaf,
    }),
  },
  'apiregistration.k8s.io/APIService': {
    spec: struct({
      ...plain('caBundle group groupPriorityMinimum insecureSkipTLSVerify version versionPriority'),
      service: struct(plain('name namespace port')),
    }),
    status: struct({ conditions }),
  },
  'admissionregistration.k8s.io/ValidatingWebhookConfiguration': { webhooks },
  'admissionregistration.k8s.io/MutatingWebhookConfiguration': { webhooks },
  'networking.k8s.io/NetworkPolicy': { spec: struct({ ...plain('egress ingress policyTypes'), podSelector: atomic }) },
  'networking.k8s.io/Ingress': {
    spec: struct({
      ...plain('ingressClassName rules tls'),
      defaultBackend: struct({ resource: atomic, service: struct({ name: leaf, port: atomic }) }),
    }),
    status: struct({ loadBalancer: struct(plain('ingress')) }),
  },
  'networking.k8s.io/IngressClass': { spec: struct({ controller: leaf, parameters: struct(plain('apiGroup kind name namespace scope')) }) },
  'policy/PodDisruptionBudget': {
    spec: struct({ ...plain('maxUnavailable minAvailable unhealthyPodEvictionPolicy'), selector: atomic }),
    status: struct({
      ...plain('currentHealthy desiredHealthy disruptionsAllowed expectedPods observedGeneration'),
      conditions,
      disruptedPods: mapOf,
    }),
  },
  'coordination.k8s.io/Lease': {
    spec: struct(plain('acquireTime holderIdentity leaseDurationSeconds leaseTransitions preferredHolder renewTime strategy')),
  },
  'storage.k8s.io/StorageClass': {
    ...plain('allowVolumeExpansion mountOptions provisioner reclaimPolicy volumeBindingMode'),
    allowedTopologies: leaf,
    parameters: mapOf,
  },
  'scheduling.k8s.io/PriorityClass': plain('description globalDefault preemptionPolicy value'),
  'node.k8s.io/RuntimeClass': {
    handler: leaf,
    overhead: struct({ podFixed: mapOf }),
    scheduling: struct({ nodeSelector: atomic, tolerations: leaf }),
  },
};

const top = plain('apiVersion kind');
const openType: MergeType = { isOpen: true };

/** Maps that Go writes even when nothing is set in them: an update does not "add" them. Paths with dots. */
const alwaysThere: Readonly<Record<string, readonly string[]>> = {
  '/Service': ['spec', 'status', 'status.loadBalancer'],
  'apps/Deployment': [
    'spec',
    'spec.strategy',
    'spec.template',
    'spec.template.metadata',
    'spec.template.spec',
    'spec.template.spec.containers',
    'status',
  ],
  'apps/DaemonSet': [
    'spec',
    'spec.updateStrategy',
    'spec.template',
    'spec.template.metadata',
    'spec.template.spec',
    'spec.template.spec.containers',
    'status',
  ],
  'apps/StatefulSet': [
    'spec',
    'spec.updateStrategy',
    'spec.template',
    'spec.template.metadata',
    'spec.template.spec',
    'spec.template.spec.containers',
    'status',
  ],
  'apps/ReplicaSet': ['spec', 'spec.template', 'spec.template.metadata', 'spec.template.spec', 'status'],
  'batch/Job': ['spec', 'spec.template', 'spec.template.metadata', 'spec.template.spec', 'spec.template.spec.containers', 'status'],
  '/Pod': ['spec', 'spec.containers', 'status'],
  'apiextensions.k8s.io/CustomResourceDefinition': ['spec', 'spec.names', 'status', 'status.acceptedNames'],
};
const plainSpecStatus = ['spec', 'status'];

export function presentWhenEmpty(group: string, kind: string): ReadonlySet<string> {
  const key = `${group}/${kind}`;
  return new Set(['metadata', ...(key in builtInTypes ? (alwaysThere[key] ?? plainSpecStatus) : [])]);
}

export function builtInType(group: string, kind: string): MergeType {
  const known = builtInTypes[`${group}/${kind}`];
  return known ? struct({ ...top, metadata, ...known }) : { ...struct({ ...top, metadata }), items: openType };
}

/** The type of a custom resource, from the OpenAPI schema of its version. */
export function customType(schema: Value | undefined): MergeType {
  const converted = isObj(schema) ? fromOpenApi(schema) : openType;
  return converted.isOpen === true
    ? { ...struct({ ...top, metadata }), items: openType }
    : { ...converted, fields: { ...converted.fields, ...top, metadata } };
}

function fromOpenApi(schema: Obj): MergeType {
  if (schema['x-kubernetes-preserve-unknown-fields'] === true && !isObj(schema.properties)) return openType;
  if (textAt(schema, 'type') === 'array') {
    const items = fromOpenApi(objAt(schema, 'items'));
    switch (textAt(schema, 'x-kubernetes-list-type')) {
      case 'map':
        return {
          list: listAt(schema, 'x-kubernetes-list-map-keys').map(String),
          items,
          keyDefaults: defaultsOf(objAt(schema, 'items', 'properties')),
        };
      case 'set':
        return { list: 'set', items };
      default:
        return { list: 'atomic' };
    }
  }
  if (textAt(schema, 'x-kubernetes-map-type') === 'atomic') return atomic;
  const fields = Object.fromEntries(Object.entries(objAt(schema, 'properties')).map(([name, value]) => [name, fromOpenApi(objAt(value))]));
  const additional = schema.additionalProperties;
  return {
    ...(isObj(schema.properties) ? { fields } : {}),
    ...(isObj(additional)
      ? { items: fromOpenApi(additional) }
      : schema['x-kubernetes-preserve-unknown-fields'] === true
        ? { items: openType }
        : {}),
  };
}

function defaultsOf(properties: Obj): { [key: string]: Value } {
  const found: { [key: string]: Value } = {};
  for (const [name, property] of Object.entries(properties)) {
    const value = objAt(property).default;
    if (value !== undefined) found[name] = value;
  }
  return found;
}

/** The type of the value at `key` of a map of this type, and whether the key is a field that the type names. */
export function fieldType(type: MergeType, key: string): { readonly type: MergeType; readonly isNamed: boolean } {
  const named = type.fields?.[key];
  if (named) return { type: named, isNamed: true };
  return { type: type.isOpen === true ? openType : (type.items ?? leaf), isNamed: false };
}
