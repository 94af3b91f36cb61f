import { type DefinitionFacts, definition } from './chart-folder.ts';

const gateway = 'gateway.networking.k8s.io';
const envoy = 'gateway.envoyproxy.io';
const prometheus = 'monitoring.coreos.com';
const secrets = 'external-secrets.io';
const snapshots = 'snapshot.storage.k8s.io';
const grafana = 'grafana.integreatly.org';

const monitoring: readonly DefinitionFacts[] = [
  { group: prometheus, kind: 'ServiceMonitor', plural: 'servicemonitors' },
  { group: prometheus, kind: 'PodMonitor', plural: 'podmonitors' },
  { group: prometheus, kind: 'Probe', plural: 'probes' },
  { group: prometheus, kind: 'PrometheusRule', plural: 'prometheusrules' },
  { group: prometheus, kind: 'Prometheus', plural: 'prometheuses' },
  { group: prometheus, kind: 'Alertmanager', plural: 'alertmanagers' },
  { group: prometheus, kind: 'AlertmanagerConfig', plural: 'alertmanagerconfigs', versions: ['v1alpha1'] },
  { group: prometheus, kind: 'ScrapeConfig', plural: 'scrapeconfigs', versions: ['v1alpha1'] },
];
const gateways: readonly DefinitionFacts[] = [
  { group: gateway, kind: 'GatewayClass', plural: 'gatewayclasses', scope: 'Cluster', versions: ['v1beta1', 'v1'] },
  { group: gateway, kind: 'Gateway', plural: 'gateways', versions: ['v1beta1', 'v1'] },
  { group: gateway, kind: 'HTTPRoute', plural: 'httproutes', versions: ['v1beta1', 'v1'] },
  { group: gateway, kind: 'GRPCRoute', plural: 'grpcroutes' },
  { group: gateway, kind: 'TLSRoute', plural: 'tlsroutes', versions: ['v1alpha2', 'v1alpha3'] },
  { group: gateway, kind: 'TCPRoute', plural: 'tcproutes', versions: ['v1alpha2'] },
  { group: gateway, kind: 'UDPRoute', plural: 'udproutes', versions: ['v1alpha2'] },
  { group: gateway, kind: 'ReferenceGrant', plural: 'referencegrants', versions: ['v1beta1'] },
  { group: gateway, kind: 'BackendTLSPolicy', plural: 'backendtlspolicies', versions: ['v1alpha3', 'v1'] },
];
const envoys: readonly DefinitionFacts[] = [
  { group: envoy, kind: 'EnvoyProxy', plural: 'envoyproxies', versions: ['v1alpha1'] },
  { group: envoy, kind: 'ClientTrafficPolicy', plural: 'clienttrafficpolicies', versions: ['v1alpha1'] },
  { group: envoy, kind: 'BackendTrafficPolicy', plural: 'backendtrafficpolicies', versions: ['v1alpha1'] },
  { group: envoy, kind: 'SecurityPolicy', plural: 'securitypolicies', versions: ['v1alpha1'] },
  { group: envoy, kind: 'EnvoyPatchPolicy', plural: 'envoypatchpolicies', versions: ['v1alpha1'] },
  { group: envoy, kind: 'Backend', plural: 'backends', versions: ['v1alpha1'] },
];

/**
 * Definitions that widely used charts bring, because the trees of repositories hold objects of these kinds. Only names: a stand-in
 * takes whatever stands in such an object.
 *
 * Source: the charts' crds/ folders: envoy gateway-helm 1.7, kube-prometheus-stack 83, external-dns 1.20, external-secrets 1,
 * grafana-operator 5, keda 2, snapshot-controller 4, kube-vip and Gateway API 1.4
 */
const kinds: Readonly<Record<string, readonly DefinitionFacts[]>> = {
  'gateway-helm': [...gateways, ...envoys],
  'gateway-crds-helm': [...gateways, ...envoys],
  'gateway-api': gateways,
  'gateway-api-crds': gateways,
  'kube-prometheus-stack': monitoring,
  'prometheus-operator-crds': monitoring,
  'external-dns': [{ group: 'externaldns.k8s.io', kind: 'DNSEndpoint', plural: 'dnsendpoints', versions: ['v1alpha1'] }],
  'external-secrets': [
    { group: secrets, kind: 'ExternalSecret', plural: 'externalsecrets', versions: ['v1beta1', 'v1'] },
    { group: secrets, kind: 'SecretStore', plural: 'secretstores', versions: ['v1beta1', 'v1'] },
    { group: secrets, kind: 'ClusterSecretStore', plural: 'clustersecretstores', scope: 'Cluster', versions: ['v1beta1', 'v1'] },
    { group: secrets, kind: 'PushSecret', plural: 'pushsecrets', versions: ['v1alpha1'] },
  ],
  'grafana-operator': [
    { group: grafana, kind: 'Grafana', plural: 'grafanas', versions: ['v1beta1'] },
    { group: grafana, kind: 'GrafanaDashboard', plural: 'grafanadashboards', versions: ['v1beta1'] },
    { group: grafana, kind: 'GrafanaDatasource', plural: 'grafanadatasources', versions: ['v1beta1'] },
    { group: grafana, kind: 'GrafanaFolder', plural: 'grafanafolders', versions: ['v1beta1'] },
    { group: grafana, kind: 'GrafanaAlertRuleGroup', plural: 'grafanaalertrulegroups', versions: ['v1beta1'] },
    { group: grafana, kind: 'GrafanaContactPoint', plural: 'grafanacontactpoints', versions: ['v1beta1'] },
    { group: grafana, kind: 'GrafanaNotificationPolicy', plural: 'grafananotificationpolicies', versions: ['v1beta1'] },
  ],
  keda: [
    { group: 'keda.sh', kind: 'ScaledObject', plural: 'scaledobjects', versions: ['v1alpha1'] },
    { group: 'keda.sh', kind: 'ScaledJob', plural: 'scaledjobs', versions: ['v1alpha1'] },
    { group: 'keda.sh', kind: 'TriggerAuthentication', plural: 'triggerauthentications', versions: ['v1alpha1'] },
    {
      group: 'keda.sh',
      kind: 'ClusterTriggerAuthentication',
      plural: 'clustertriggerauthentications',
      scope: 'Cluster',
      versions: ['v1alpha1'],
    },
    { group: 'eventing.keda.sh', kind: 'CloudEventSource', plural: 'cloudeventsources', versions: ['v1alpha1'] },
  ],
  'snapshot-controller': [
    { group: snapshots, kind: 'VolumeSnapshot', plural: 'volumesnapshots' },
    { group: snapshots, kind: 'VolumeSnapshotClass', plural: 'volumesnapshotclasses', scope: 'Cluster' },
    { group: snapshots, kind: 'VolumeSnapshotContent', plural: 'volumesnapshotcontents', scope: 'Cluster' },
  ],
};

/** Charts that bring no definitions. */
const bringNone = new Set(
  'app-template ingress-nginx metrics-server reloader k8s-gateway grafana loki descheduler kubelet-csr-approver csi-driver-nfs csi-driver-smb redis postgresql cloudflare-tunnel'.split(
    ' ',
  ),
);

/** Whether all that a chart defines is known here. */
export const isKnownChart = (chart: string): boolean => bringNone.has(chart) || Object.hasOwn(kinds, chart);

/** Groups whose kinds come from charts that are known here. */
export const knownGroups: ReadonlySet<string> = new Set([
  ...Object.values(kinds).flatMap((all) => all.map((facts) => facts.group)),
  'cert-manager.io',
  'acme.cert-manager.io',
  'cilium.io',
  'fluxcd.controlplane.io',
]);

/** The `crds/` folder of a stand-in, by path. Empty for charts that bring none, or that are not known. */
export const standInDefinitions = (chart: string): Readonly<Record<string, string>> =>
  Object.fromEntries((kinds[chart] ?? []).map((facts) => [`crds/${facts.plural}.yaml`, definition(facts)]));
