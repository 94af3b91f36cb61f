/** One kind that API servers serve, built in or from a CustomResourceDefinition. */
export interface Kind {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly isNamespaced: boolean;
  readonly subresources: readonly string[];
  /** Reviews: answered, never stored. */
  readonly isVirtual: boolean;
  /** The CustomResourceDefinition that brings it. */
  readonly definition?: string;
}

export const apiVersionOf = ({ group, version }: { readonly group: string; readonly version: string }): string =>
  group === '' ? version : `${group}/${version}`;

/** `deployments.apps`, `pods`: how messages name a resource. */
export const resourceName = ({ group, plural }: Kind): string => (group === '' ? plural : `${plural}.${group}`);

/**
 * Source: discovery of kube-apiserver 1.37, recorded in test/conformance/kube/discovery.json.
 * `plural kind short,names flags subresources`; n: namespaced, a: category all, v: virtual, g: category api-extensions.
 */
const rows: Readonly<Record<string, readonly string[]>> = {
  v1: [
    'bindings Binding - nv',
    'componentstatuses ComponentStatus cs -',
    'configmaps ConfigMap cm n',
    'endpoints Endpoints ep n',
    'events Event ev n',
    'limitranges LimitRange limits n',
    'namespaces Namespace ns - status,finalize',
    'nodes Node no - status',
    'persistentvolumeclaims PersistentVolumeClaim pvc n status',
    'persistentvolumes PersistentVolume pv - status',
    'pods Pod po na status,eviction,binding,log,ephemeralcontainers,resize',
    'podtemplates PodTemplate - n',
    'replicationcontrollers ReplicationController rc na status,scale',
    'resourcequotas ResourceQuota quota n status',
    'secrets Secret - n',
    'serviceaccounts ServiceAccount sa n token',
    'services Service svc na status',
  ],
  'apiregistration.k8s.io/v1': ['apiservices APIService - g status'],
  'apps/v1': [
    'controllerrevisions ControllerRevision - n',
    'daemonsets DaemonSet ds na status',
    'deployments Deployment deploy na status,scale',
    'replicasets ReplicaSet rs na status,scale',
    'statefulsets StatefulSet sts na status,scale',
  ],
  'events.k8s.io/v1': ['events Event ev n'],
  'authentication.k8s.io/v1': ['selfsubjectreviews SelfSubjectReview - v', 'tokenreviews TokenReview - v'],
  'authorization.k8s.io/v1': [
    'localsubjectaccessreviews LocalSubjectAccessReview - nv',
    'selfsubjectaccessreviews SelfSubjectAccessReview - v',
    'selfsubjectrulesreviews SelfSubjectRulesReview - v',
    'subjectaccessreviews SubjectAccessReview - v',
  ],
  'autoscaling/v2': ['horizontalpodautoscalers HorizontalPodAutoscaler hpa na status'],
  'autoscaling/v1': ['horizontalpodautoscalers HorizontalPodAutoscaler hpa na status'],
  'batch/v1': ['cronjobs CronJob cj na status', 'jobs Job - na status'],
  'certificates.k8s.io/v1': [
    'certificatesigningrequests CertificateSigningRequest csr - status,approval',
    'clustertrustbundles ClusterTrustBundle - -',
    'podcertificaterequests PodCertificateRequest - n status',
  ],
  'networking.k8s.io/v1': [
    'ingressclasses IngressClass - -',
    'ingresses Ingress ing n status',
    'ipaddresses IPAddress ip -',
    'networkpolicies NetworkPolicy netpol n',
    'servicecidrs ServiceCIDR - - status',
  ],
  'policy/v1': ['poddisruptionbudgets PodDisruptionBudget pdb n status'],
  'rbac.authorization.k8s.io/v1': [
    'clusterrolebindings ClusterRoleBinding - -',
    'clusterroles ClusterRole - -',
    'rolebindings RoleBinding - n',
    'roles Role - n',
  ],
  'storage.k8s.io/v1': [
    'csidrivers CSIDriver - -',
    'csinodes CSINode - - status',
    'csistoragecapacities CSIStorageCapacity - n',
    'storageclasses StorageClass sc -',
    'volumeattachments VolumeAttachment - - status',
    'volumeattributesclasses VolumeAttributesClass vac -',
  ],
  'admissionregistration.k8s.io/v1': [
    'mutatingadmissionpolicies MutatingAdmissionPolicy - g',
    'mutatingadmissionpolicybindings MutatingAdmissionPolicyBinding - g',
    'mutatingwebhookconfigurations MutatingWebhookConfiguration - g',
    'validatingadmissionpolicies ValidatingAdmissionPolicy - g status',
    'validatingadmissionpolicybindings ValidatingAdmissionPolicyBinding - g',
    'validatingwebhookconfigurations ValidatingWebhookConfiguration - g',
  ],
  'apiextensions.k8s.io/v1': ['customresourcedefinitions CustomResourceDefinition crd,crds g status'],
  'scheduling.k8s.io/v1': ['priorityclasses PriorityClass pc -'],
  'coordination.k8s.io/v1': ['leases Lease - n'],
  'node.k8s.io/v1': ['runtimeclasses RuntimeClass - -'],
  'discovery.k8s.io/v1': ['endpointslices EndpointSlice - n'],
  'flowcontrol.apiserver.k8s.io/v1': [
    'flowschemas FlowSchema - - status',
    'prioritylevelconfigurations PriorityLevelConfiguration - - status',
  ],
  'storagemigration.k8s.io/v1': ['storageversionmigrations StorageVersionMigration - - status'],
  'resource.k8s.io/v1': [
    'deviceclasses DeviceClass - -',
    'devicetaintrules DeviceTaintRule - - status',
    'resourceclaims ResourceClaim - n status',
    'resourceclaimtemplates ResourceClaimTemplate - n',
    'resourceslices ResourceSlice - -',
  ],
};

function parseRow(apiVersion: string, row: string): Kind {
  const [plural = '', kind = '', short = '-', flags = '', subresources = ''] = row.split(' ');
  const slash = apiVersion.indexOf('/');
  return {
    group: slash === -1 ? '' : apiVersion.slice(0, slash),
    version: apiVersion.slice(slash + 1),
    kind,
    plural,
    singular: kind.toLowerCase(),
    shortNames: short === '-' ? [] : short.split(','),
    categories: flags.includes('a') ? ['all'] : flags.includes('g') ? ['api-extensions'] : [],
    isNamespaced: flags.includes('n'),
    subresources: subresources === '' ? [] : subresources.split(','),
    isVirtual: flags.includes('v'),
  };
}

/** In the order in which discovery lists the groups. */
export const builtInKinds: readonly Kind[] = Object.entries(rows).flatMap(([apiVersion, list]) =>
  list.map((row) => parseRow(apiVersion, row)),
);

const byKind = new Map(builtInKinds.map((kind) => [`${apiVersionOf(kind)}/${kind.kind}`, kind]));

/** A built-in kind that the model itself works with. */
export function builtIn(apiVersion: string, kind: string): Kind {
  const found = byKind.get(`${apiVersion}/${kind}`);
  if (!found) throw new RangeError(`${apiVersion} ${kind} is not in the table`);
  return found;
}
