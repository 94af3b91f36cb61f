import { apiVersionOf, type Kind } from './kinds.ts';
import { child, isObj, listAt, type Obj, objAt, textAt, type Value } from './value.ts';

const put = (object: Obj, key: string, value: Value) => {
  if (object[key] === undefined || object[key] === null) object[key] = value;
};
const objects = (value: Value | undefined): Obj[] => (Array.isArray(value) ? value.filter(isObj) : []);

/**
 * What the API server fills in. Changes the draft.
 * Source: kubernetes pkg/apis/<group>/v1/defaults.go v1.37
 */
export function setDefaults(kind: Kind, draft: Obj): void {
  const spec = isObj(draft.spec) ? draft.spec : undefined;
  switch (`${apiVersionOf(kind)}/${kind.kind}`) {
    case 'v1/Namespace': {
      const labels = child(child(draft, 'metadata'), 'labels');
      labels['kubernetes.io/metadata.name'] = textAt(draft, 'metadata', 'name');
      return;
    }
    case 'v1/Secret': {
      put(draft, 'type', 'Opaque');
      return;
    }
    case 'v1/Pod':
      if (spec) {
        podDefaults(spec);
        put(spec, 'enableServiceLinks', true);
      }
      return;
    case 'v1/Service':
      serviceDefaults(child(draft, 'spec'));
      child(child(draft, 'status'), 'loadBalancer');
      return;
    case 'v1/Node':
      child(draft, 'spec');
      child(draft, 'status');
      return;
    case 'apps/v1/Deployment':
      if (!spec) return;
      put(spec, 'replicas', 1);
      put(spec, 'revisionHistoryLimit', 10);
      put(spec, 'progressDeadlineSeconds', 600);
      rollingDefaults(child(spec, 'strategy'), { maxUnavailable: '25%', maxSurge: '25%' });
      templateDefaults(spec);
      draft.status ??= {};
      return;
    case 'apps/v1/DaemonSet':
      if (!spec) return;
      put(child(child(draft, 'metadata'), 'annotations'), 'deprecated.daemonset.template.generation', '1');
      put(spec, 'revisionHistoryLimit', 10);
      rollingDefaults(child(spec, 'updateStrategy'), { maxUnavailable: 1, maxSurge: 0 });
      templateDefaults(spec);
      draft.status ??= { currentNumberScheduled: 0, numberMisscheduled: 0, desiredNumberScheduled: 0, numberReady: 0 };
      return;
    case 'apps/v1/StatefulSet':
      if (!spec) return;
      put(spec, 'replicas', 1);
      put(spec, 'revisionHistoryLimit', 10);
      put(spec, 'podManagementPolicy', 'OrderedReady');
      put(spec, 'persistentVolumeClaimRetentionPolicy', { whenDeleted: 'Retain', whenScaled: 'Retain' });
      rollingDefaults(child(spec, 'updateStrategy'), { partition: 0 });
      templateDefaults(spec);
      draft.status ??= { replicas: 0, availableReplicas: 0 };
      return;
    case 'apps/v1/ReplicaSet':
      if (!spec) return;
      put(spec, 'replicas', 1);
      templateDefaults(spec);
      draft.status ??= { replicas: 0 };
      return;
    case 'batch/v1/Job':
      if (!spec) return;
      for (const [key, value] of Object.entries({
        parallelism: 1,
        completions: 1,
        backoffLimit: 6,
        completionMode: 'NonIndexed',
        suspend: false,
        manualSelector: false,
        podReplacementPolicy: 'TerminatingOrFailed',
      }))
        put(spec, key, value);
      templateDefaults(spec);
      draft.status ??= {};
      return;
    case 'rbac.authorization.k8s.io/v1/ClusterRoleBinding':
    case 'rbac.authorization.k8s.io/v1/RoleBinding':
      for (const subject of objects(draft.subjects))
        if (subject.kind === 'User' || subject.kind === 'Group') put(subject, 'apiGroup', 'rbac.authorization.k8s.io');
      put(child(draft, 'roleRef'), 'apiGroup', 'rbac.authorization.k8s.io');
      return;
    case 'admissionregistration.k8s.io/v1/ValidatingWebhookConfiguration':
    case 'admissionregistration.k8s.io/v1/MutatingWebhookConfiguration':
      for (const webhook of objects(draft.webhooks)) webhookDefaults(webhook, kind.kind === 'MutatingWebhookConfiguration');
      return;
    case 'apiextensions.k8s.io/v1/CustomResourceDefinition': {
      const names = child(child(draft, 'spec'), 'names');
      put(names, 'singular', textAt(names, 'kind').toLowerCase());
      put(names, 'listKind', `${textAt(names, 'kind')}List`);
      put(child(draft, 'spec'), 'conversion', { strategy: 'None' });
      return;
    }
    case 'policy/v1/PodDisruptionBudget':
      draft.status ??= { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 };
      return;
    case 'networking.k8s.io/v1/NetworkPolicy':
      if (spec) put(spec, 'policyTypes', spec.egress === undefined ? ['Ingress'] : ['Ingress', 'Egress']);
      return;
    case 'scheduling.k8s.io/v1/PriorityClass':
      put(draft, 'preemptionPolicy', 'PreemptLowerPriority');
      return;
    case 'storage.k8s.io/v1/StorageClass':
      put(draft, 'reclaimPolicy', 'Delete');
      put(draft, 'volumeBindingMode', 'Immediate');
      return;
    default:
      return;
  }
}

function rollingDefaults(strategy: Obj, rolling: Obj): void {
  put(strategy, 'type', 'RollingUpdate');
  if (strategy.type !== 'RollingUpdate') return;
  const update = child(strategy, 'rollingUpdate');
  for (const [key, value] of Object.entries(rolling)) put(update, key, value);
}

function templateDefaults(spec: Obj): void {
  const template = child(spec, 'template');
  child(template, 'metadata');
  podDefaults(child(template, 'spec'));
}

export function podDefaults(spec: Obj): void {
  put(spec, 'restartPolicy', 'Always');
  put(spec, 'terminationGracePeriodSeconds', 30);
  put(spec, 'dnsPolicy', 'ClusterFirst');
  put(spec, 'securityContext', {});
  put(spec, 'schedulerName', 'default-scheduler');
  if (textAt(spec, 'serviceAccountName') !== '') put(spec, 'serviceAccount', textAt(spec, 'serviceAccountName'));
  for (const list of ['containers', 'initContainers'])
    for (const container of objects(spec[list])) containerDefaults(container, spec.hostNetwork === true);
  for (const volume of objects(spec.volumes)) volumeDefaults(volume);
}

function containerDefaults(container: Obj, usesHostNetwork: boolean): void {
  put(container, 'terminationMessagePath', '/dev/termination-log');
  put(container, 'terminationMessagePolicy', 'File');
  const image = textAt(container, 'image');
  const tag = image.includes('@') ? 'digest' : (/:([^/]+)$/.exec(image)?.[1] ?? 'latest');
  put(container, 'imagePullPolicy', tag === 'latest' ? 'Always' : 'IfNotPresent');
  put(container, 'resources', {});
  const resources = child(container, 'resources');
  for (const [key, value] of Object.entries(objAt(resources, 'limits'))) put(child(resources, 'requests'), key, value);
  for (const port of objects(container.ports)) {
    put(port, 'protocol', 'TCP');
    if (usesHostNetwork) put(port, 'hostPort', port.containerPort ?? 0);
  }
  for (const item of objects(container.env)) {
    const field = objAt(item, 'valueFrom').fieldRef;
    if (isObj(field)) put(field, 'apiVersion', 'v1');
  }
  for (const name of ['livenessProbe', 'readinessProbe', 'startupProbe']) {
    const probe = container[name];
    if (!isObj(probe)) continue;
    for (const [key, value] of Object.entries({ timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 }))
      put(probe, key, value);
    if (isObj(probe.httpGet)) {
      put(probe.httpGet, 'path', '/');
      put(probe.httpGet, 'scheme', 'HTTP');
    }
  }
}

function volumeDefaults(volume: Obj): void {
  for (const source of ['configMap', 'secret', 'projected', 'downwardAPI'])
    if (isObj(volume[source])) put(volume[source], 'defaultMode', 420);
  if (isObj(volume.hostPath)) put(volume.hostPath, 'type', '');
  for (const source of objects(objAt(volume, 'projected').sources))
    if (isObj(source.serviceAccountToken)) put(source.serviceAccountToken, 'expirationSeconds', 3600);
}

function serviceDefaults(spec: Obj): void {
  put(spec, 'sessionAffinity', 'None');
  put(spec, 'type', 'ClusterIP');
  put(spec, 'internalTrafficPolicy', 'Cluster');
  for (const port of objects(spec.ports)) {
    put(port, 'protocol', 'TCP');
    put(port, 'targetPort', port.port ?? 0);
  }
  if (spec.type === 'NodePort' || spec.type === 'LoadBalancer') put(spec, 'externalTrafficPolicy', 'Cluster');
  if (spec.type === 'LoadBalancer') put(spec, 'allocateLoadBalancerNodePorts', true);
}

function webhookDefaults(webhook: Obj, isMutating: boolean): void {
  put(webhook, 'failurePolicy', 'Fail');
  put(webhook, 'matchPolicy', 'Equivalent');
  put(webhook, 'namespaceSelector', {});
  put(webhook, 'objectSelector', {});
  put(webhook, 'timeoutSeconds', 10);
  if (isMutating) put(webhook, 'reinvocationPolicy', 'Never');
  for (const rule of objects(webhook.rules)) put(rule, 'scope', '*');
  const service = objAt(webhook, 'clientConfig').service;
  if (isObj(service)) put(service, 'port', 443);
}

export function qosClass(spec: Obj): string {
  const all = [...listAt(spec, 'containers'), ...listAt(spec, 'initContainers')].map((container) => objAt(container, 'resources'));
  if (
    all.every((resources) => Object.keys(objAt(resources, 'limits')).length === 0 && Object.keys(objAt(resources, 'requests')).length === 0)
  )
    return 'BestEffort';
  const isGuaranteed = all.every((resources) => {
    const limits = objAt(resources, 'limits');
    const requests = objAt(resources, 'requests');
    return ['cpu', 'memory'].every((name) => limits[name] !== undefined && (requests[name] ?? limits[name]) === limits[name]);
  });
  return isGuaranteed ? 'Guaranteed' : 'Burstable';
}
