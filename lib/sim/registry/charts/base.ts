import { account, anything, type ChartFolder, labels, workload } from '../chart-folder.ts';

/** What every cluster needs besides its network. */
export const coredns: ChartFolder = {
  name: 'coredns',
  version: '1.45.0',
  description: 'Names for the simulated cluster',
  files: {
    'values.yaml': `fullnameOverride: ""
replicaCount: 1
k8sAppLabelOverride: ""
image: { repository: coredns/coredns, tag: "" }
service: { name: "", clusterIP: "" }
serviceAccount: { create: false, name: "" }
servers: []
`,
    'templates/_names.tpl': `{{- define "coredns.name" -}}{{ .Values.fullnameOverride | default (ternary .Release.Name (printf "%s-coredns" .Release.Name) (contains "coredns" .Release.Name)) }}{{- end -}}
{{- define "coredns.app" -}}{{ .Values.k8sAppLabelOverride | default "coredns" }}{{- end -}}
`,
    'templates/account.yaml': account('{{ include "coredns.name" . }}', 'coredns', anything),
    'templates/configmap.yaml': `apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ include "coredns.name" . }}
  namespace: {{ .Release.Namespace }}
data:
  Corefile: |-
    {{- range .Values.servers }}
    {{ range .zones }}{{ .scheme | default "" }}{{ .zone }}{{ end }}:{{ .port }} {
        {{- range .plugins }}
        {{ .name }} {{ .parameters | default "" }}
        {{- end }}
    }
    {{- else }}
    .:53 { errors }
    {{- end }}
`,
    'templates/deployment.yaml': workload({
      kind: 'Deployment',
      name: '{{ include "coredns.name" . }}',
      app: 'coredns',
      image: '{{ .Values.image.repository }}:{{ .Values.image.tag | default "1.14.0" }}',
      serviceAccount: '{{ include "coredns.name" . }}',
      replicas: '{{ .Values.replicaCount }}',
      selector: 'k8s-app: {{ include "coredns.app" . }}',
    }),
    'templates/service.yaml': `apiVersion: v1
kind: Service
metadata:
  name: {{ .Values.service.name | default (include "coredns.name" .) }}
  namespace: {{ .Release.Namespace }}
  labels:
    ${labels('coredns')}
    k8s-app: {{ include "coredns.app" . }}
    kubernetes.io/name: CoreDNS
spec:
  selector:
    k8s-app: {{ include "coredns.app" . }}
  {{- with .Values.service.clusterIP }}
  clusterIP: {{ . }}
  {{- end }}
  ports:
    - { name: udp-53, port: 53, protocol: UDP }
    - { name: tcp-53, port: 53, protocol: TCP }
`,
  },
};

export const spegel: ChartFolder = {
  name: 'spegel',
  version: '0.7.2',
  description: 'Mirrors images between the simulated nodes',
  files: {
    'values.yaml':
      'spegel: { containerdSock: /run/containerd/containerd.sock, containerdRegistryConfigPath: /etc/cri/conf.d/hosts }\nservice: { registry: { hostPort: 29999 } }\n',
    'templates/account.yaml': account('spegel', 'spegel', anything),
    'templates/daemonset.yaml': workload({
      kind: 'DaemonSet',
      name: 'spegel',
      app: 'spegel',
      image: 'ghcr.io/spegel-org/spegel:v{{ .Chart.Version }}',
      serviceAccount: 'spegel',
      podSpec: '      tolerations:\n        - operator: Exists\n',
    }),
    'templates/service.yaml': `apiVersion: v1
kind: Service
metadata:
  name: spegel-registry
  namespace: {{ .Release.Namespace }}
  labels:
    ${labels('spegel')}
spec:
  selector:
    app.kubernetes.io/name: spegel
  ports:
    - { name: registry, port: 5000, protocol: TCP }
`,
    'templates/post-delete-hook.yaml': `apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: spegel-cleanup
  namespace: {{ .Release.Namespace }}
  annotations:
    helm.sh/hook: post-delete
    helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
    helm.sh/hook-weight: "0"
spec:
  selector:
    matchLabels: { app.kubernetes.io/name: spegel-cleanup }
  template:
    metadata:
      labels: { app.kubernetes.io/name: spegel-cleanup }
    spec:
      containers: [{ name: cleanup, image: 'ghcr.io/spegel-org/spegel:v{{ .Chart.Version }}' }]
`,
  },
};

export const talosCcm: ChartFolder = {
  name: 'talos-cloud-controller-manager',
  version: '0.6.0',
  description: 'Approves kubelet certificates of the simulated nodes',
  files: {
    'values.yaml': 'replicaCount: 1\nfeatures: { approveNodeCSR: true }\nenabledControllers: [cloud-node, node-csr-approval]\n',
    'templates/account.yaml': account('{{ .Release.Name }}', 'talos-cloud-controller-manager', anything),
    'templates/serviceaccount.yaml': `apiVersion: talos.dev/v1alpha1
kind: ServiceAccount
metadata:
  name: {{ .Release.Name }}-talos-secrets
  namespace: {{ .Release.Namespace }}
spec:
  roles: [os:reader]
`,
    'templates/deployment.yaml': workload({
      kind: 'Deployment',
      name: '{{ .Release.Name }}',
      app: 'talos-cloud-controller-manager',
      image: 'ghcr.io/siderolabs/talos-cloud-controller-manager:v1.12.0',
      serviceAccount: '{{ .Release.Name }}',
      replicas: '{{ .Values.replicaCount }}',
    }),
  },
};

export const talosBackup: ChartFolder = {
  name: 'talos-backup',
  version: '0.1.2',
  description: 'Sends etcd snapshots of the simulated cluster to a bucket',
  files: {
    'values.yaml': 'schedule: "0 * * * *"\nenv: {}\n',
    'templates/serviceaccount.yaml': `apiVersion: talos.dev/v1alpha1
kind: ServiceAccount
metadata:
  name: {{ .Release.Name }}
  namespace: {{ .Release.Namespace }}
spec:
  roles: [os:etcd:backup]
`,
    'templates/cronjob.yaml': `apiVersion: batch/v1
kind: CronJob
metadata:
  name: {{ .Release.Name }}
  namespace: {{ .Release.Namespace }}
  labels:
    ${labels('talos-backup')}
spec:
  schedule: {{ .Values.schedule | quote }}
  concurrencyPolicy: Forbid
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: OnFailure
          containers:
            - name: talos-backup
              image: ghcr.io/siderolabs/talos-backup:v0.1.0
              env: {{ .Values.env | default list | toJson }}
`,
  },
};
