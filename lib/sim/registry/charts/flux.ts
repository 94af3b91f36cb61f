import { fluxKinds } from '../../flux/flux-kinds.ts';
import { account, anything, type ChartFolder, definition, labels, workload } from '../chart-folder.ts';

const group = 'fluxcd.controlplane.io';
const operatorKinds = [
  { group, kind: 'FluxInstance', plural: 'fluxinstances' },
  { group, kind: 'FluxReport', plural: 'fluxreports' },
  { group, kind: 'ResourceSet', plural: 'resourcesets', shortNames: ['rset'] },
  { group, kind: 'ResourceSetInputProvider', plural: 'resourcesetinputproviders', shortNames: ['rsip'] },
];

export const fluxOperator: ChartFolder = {
  name: 'flux-operator',
  version: '0.58.0',
  description: 'Installs the simulated Flux',
  files: {
    'values.yaml': 'installCRDs: true\nserviceMonitor: { create: false }\nweb: { enabled: true }\n',
    'templates/crds.yaml': `{{- if .Values.installCRDs }}\n${operatorKinds.map(definition).join('---\n')}{{- end }}\n`,
    'templates/account.yaml': account('flux-operator', 'flux-operator', anything),
    'templates/deployment.yaml': workload({
      kind: 'Deployment',
      name: 'flux-operator',
      app: 'flux-operator',
      image: 'ghcr.io/controlplaneio-fluxcd/flux-operator:v{{ .Chart.Version }}',
      serviceAccount: 'flux-operator',
    }),
    'templates/service.yaml': `apiVersion: v1
kind: Service
metadata:
  name: flux-operator
  namespace: {{ .Release.Namespace }}
  labels:
    ${labels('flux-operator')}
spec:
  selector: { app.kubernetes.io/name: flux-operator }
  ports: [{ name: http, port: 8080, protocol: TCP, targetPort: http }]
`,
  },
};

export const fluxInstance: ChartFolder = {
  name: 'flux-instance',
  version: '0.58.0',
  description: 'Asks for the simulated Flux',
  files: {
    'values.yaml': `fullnameOverride: ""
commonMetadata: { labels: {}, annotations: {} }
instance:
  distribution: { version: 2.x, registry: ghcr.io/fluxcd, artifact: "oci://ghcr.io/controlplaneio-fluxcd/flux-operator-manifests:latest" }
  components: [source-controller, kustomize-controller, helm-controller, notification-controller]
  cluster: { type: kubernetes, domain: cluster.local, networkPolicy: true, multitenant: false }
  sync: {}
  kustomize: { patches: [] }
`,
    'templates/instance.yaml': `apiVersion: fluxcd.controlplane.io/v1
kind: FluxInstance
metadata:
  name: {{ .Values.fullnameOverride | default "flux" }}
  namespace: {{ .Release.Namespace }}
  labels:
    ${labels('flux-instance')}
spec:
  distribution: {{ omit .Values.instance.distribution "artifactPullSecret" | toJson }}
  components: {{ .Values.instance.components | toJson }}
  cluster: {{ .Values.instance.cluster | toJson }}
  {{- with .Values.instance.sync }}
  sync: {{ toJson . }}
  {{- end }}
  kustomize: {{ .Values.instance.kustomize | toJson }}
`,
  },
};

const controllers = ['source-controller', 'kustomize-controller', 'helm-controller', 'notification-controller'];

/** Flux without an operator. */
export const flux2: ChartFolder = {
  name: 'flux2',
  version: '2.17.2',
  description: 'The simulated Flux',
  files: {
    'values.yaml': 'installCRDs: true\n',
    'templates/crds.yaml': `{{- if .Values.installCRDs }}\n${fluxKinds
      .map(([itsGroup, kind, plural, versions, short]) =>
        definition({ group: itsGroup, kind, plural, versions: versions.split(',').reverse(), shortNames: short === '' ? [] : [short] }),
      )
      .join('---\n')}{{- end }}\n`,
    ...Object.fromEntries(
      controllers.flatMap((name) => [
        [`templates/${name}-account.yaml`, account(name, name, anything)],
        [
          `templates/${name}.yaml`,
          workload({ kind: 'Deployment', name, app: name, image: `ghcr.io/fluxcd/${name}:v1.7.0`, serviceAccount: name }),
        ],
      ]),
    ),
  },
};

const tupprGroup = 'tuppr.home-operations.com';

export const tuppr: ChartFolder = {
  name: 'tuppr',
  version: '0.1.15',
  description: 'Upgrades the simulated Talos and Kubernetes',
  files: {
    'values.yaml': 'replicaCount: 1\nmonitoring: { serviceMonitor: { enabled: false } }\n',
    'crds/talosupgrades.yaml': definition({
      group: tupprGroup,
      kind: 'TalosUpgrade',
      plural: 'talosupgrades',
      scope: 'Cluster',
      versions: ['v1alpha1'],
    }),
    'crds/kubernetesupgrades.yaml': definition({
      group: tupprGroup,
      kind: 'KubernetesUpgrade',
      plural: 'kubernetesupgrades',
      scope: 'Cluster',
      versions: ['v1alpha1'],
    }),
    'templates/account.yaml': account('{{ .Release.Name }}', 'tuppr', anything),
    'templates/talos-serviceaccount.yaml': `apiVersion: talos.dev/v1alpha1
kind: ServiceAccount
metadata:
  name: {{ .Release.Name }}-talosconfig
  namespace: {{ .Release.Namespace }}
spec:
  roles: [os:admin]
`,
    'templates/deployment.yaml': workload({
      kind: 'Deployment',
      name: '{{ .Release.Name }}',
      app: 'tuppr',
      image: 'ghcr.io/home-operations/tuppr:{{ .Chart.Version }}',
      serviceAccount: '{{ .Release.Name }}',
      replicas: '{{ .Values.replicaCount }}',
    }),
  },
};
