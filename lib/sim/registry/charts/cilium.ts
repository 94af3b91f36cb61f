import { account, anything, type ChartFolder, labels, workload } from '../chart-folder.ts';

/** Names and kinds of Cilium 1.19's chart; keys are elliptic ones here, because RSA takes a second each to make. Its definitions are made by the operator at run time, not by the chart. */
export const cilium: ChartFolder = {
  name: 'cilium',
  version: '1.19.6',
  description: 'Networking for the simulated cluster',
  files: {
    'values.yaml': `kubeProxyReplacement: "true"
k8sServiceHost: localhost
k8sServicePort: "7445"
routingMode: tunnel
ipam: { mode: kubernetes }
operator: { enabled: true, replicas: 2 }
envoy: { enabled: true }
hubble:
  enabled: true
  tls: { enabled: true, auto: { enabled: true, method: helm, certValidityDuration: 365 } }
  relay: { enabled: false }
  ui: { enabled: false }
tls: { ca: { certValidityDuration: 1095 } }
`,
    'templates/_ca.tpl': `{{- define "cilium.ca" -}}
{{- $kept := lookup "v1" "Secret" .Release.Namespace "cilium-ca" -}}
{{- if and $kept $kept.data -}}
{{- $_ := set . "ca" (buildCustomCert (index $kept.data "ca.crt") (index $kept.data "ca.key")) -}}
{{- else if not .ca -}}
{{- $_ := set . "ca" (genCAWithKey "Cilium CA" (.Values.tls.ca.certValidityDuration | int) (genPrivateKey "ecdsa")) -}}
{{- end -}}
{{- end -}}
`,
    'templates/cilium-ca-secret.yaml': `{{- include "cilium.ca" . -}}
apiVersion: v1
kind: Secret
metadata:
  name: cilium-ca
  namespace: {{ .Release.Namespace }}
data:
  ca.crt: {{ .ca.Cert | b64enc }}
  ca.key: {{ .ca.Key | b64enc }}
`,
    'templates/cilium-configmap.yaml': `apiVersion: v1
kind: ConfigMap
metadata:
  name: cilium-config
  namespace: {{ .Release.Namespace }}
data:
  kube-proxy-replacement: {{ .Values.kubeProxyReplacement | quote }}
  routing-mode: {{ .Values.routingMode | quote }}
  ipam: {{ .Values.ipam.mode | quote }}
  k8s-service-host: {{ .Values.k8sServiceHost | quote }}
  k8s-service-port: {{ .Values.k8sServicePort | quote }}
`,
    'templates/cilium-agent/account.yaml': account('cilium', 'cilium-agent', anything),
    'templates/cilium-agent/daemonset.yaml': workload({
      kind: 'DaemonSet',
      name: 'cilium',
      app: 'cilium-agent',
      image: 'quay.io/cilium/cilium:v{{ .Chart.Version }}',
      serviceAccount: 'cilium',
      selector: 'k8s-app: cilium',
      podSpec: '      hostNetwork: true\n      priorityClassName: system-node-critical\n      tolerations:\n        - operator: Exists\n',
    }),
    'templates/cilium-envoy/daemonset.yaml': `{{- if .Values.envoy.enabled }}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: cilium-envoy
  namespace: {{ .Release.Namespace }}
---
${workload({ kind: 'DaemonSet', name: 'cilium-envoy', app: 'cilium-envoy', image: 'quay.io/cilium/cilium-envoy:v1.36.0', serviceAccount: 'cilium-envoy', selector: 'k8s-app: cilium-envoy', podSpec: '      hostNetwork: true\n      tolerations:\n        - operator: Exists\n      volumes:\n        - name: envoy-config\n          configMap:\n            name: cilium-envoy-config\n            defaultMode: 0400\n' })}---
apiVersion: v1
kind: ConfigMap
metadata:
  name: cilium-envoy-config
  namespace: {{ .Release.Namespace }}
data:
  bootstrap-config.json: '{}'
{{- end }}
`,
    'templates/cilium-operator/account.yaml': account('cilium-operator', 'cilium-operator', anything),
    'templates/cilium-operator/deployment.yaml': workload({
      kind: 'Deployment',
      name: 'cilium-operator',
      app: 'cilium-operator',
      image: 'quay.io/cilium/operator-generic:v{{ .Chart.Version }}',
      serviceAccount: 'cilium-operator',
      replicas: '{{ .Values.operator.replicas }}',
      selector: 'io.cilium/app: operator',
      podSpec: '      hostNetwork: true\n      tolerations:\n        - operator: Exists\n',
    }),
    'templates/hubble/tls-secret.yaml': `{{- if and .Values.hubble.enabled .Values.hubble.tls.enabled (eq .Values.hubble.tls.auto.method "helm") }}
{{- include "cilium.ca" . }}
{{- $kept := lookup "v1" "Secret" .Release.Namespace "hubble-server-certs" }}
apiVersion: v1
kind: Secret
metadata:
  name: hubble-server-certs
  namespace: {{ .Release.Namespace }}
type: kubernetes.io/tls
data:
{{- if and $kept $kept.data }}
  ca.crt: {{ index $kept.data "ca.crt" }}
  tls.crt: {{ index $kept.data "tls.crt" }}
  tls.key: {{ index $kept.data "tls.key" }}
{{- else }}
{{- $name := "*.default.hubble-grpc.cilium.io" }}
{{- $cert := genSignedCertWithKey $name nil (list $name) (.Values.hubble.tls.auto.certValidityDuration | int) .ca (genPrivateKey "ecdsa") }}
  ca.crt: {{ .ca.Cert | b64enc }}
  tls.crt: {{ $cert.Cert | b64enc }}
  tls.key: {{ $cert.Key | b64enc }}
{{- end }}
{{- end }}
`,
    'templates/hubble/peer-service.yaml': `{{- if .Values.hubble.enabled }}
apiVersion: v1
kind: Service
metadata:
  name: hubble-peer
  namespace: {{ .Release.Namespace }}
  labels:
    ${labels('hubble-peer')}
spec:
  selector:
    k8s-app: cilium
  ports:
    - { name: peer-service, port: 443, protocol: TCP, targetPort: 4244 }
{{- end }}
`,
    'templates/hubble-relay/deployment.yaml': `{{- if and .Values.hubble.enabled .Values.hubble.relay.enabled }}
${workload({ kind: 'Deployment', name: 'hubble-relay', app: 'hubble-relay', image: 'quay.io/cilium/hubble-relay:v{{ .Chart.Version }}', selector: 'k8s-app: hubble-relay' })}---
apiVersion: v1
kind: Service
metadata:
  name: hubble-relay
  namespace: {{ .Release.Namespace }}
spec:
  selector:
    k8s-app: hubble-relay
  ports:
    - { port: 80, protocol: TCP, targetPort: grpc }
{{- end }}
`,
    'templates/hubble-ui/deployment.yaml': `{{- if and .Values.hubble.enabled .Values.hubble.ui.enabled }}
${workload({ kind: 'Deployment', name: 'hubble-ui', app: 'hubble-ui', image: 'quay.io/cilium/hubble-ui:v0.13.3', selector: 'k8s-app: hubble-ui' })}---
apiVersion: v1
kind: Service
metadata:
  name: hubble-ui
  namespace: {{ .Release.Namespace }}
spec:
  selector:
    k8s-app: hubble-ui
  ports:
    - { name: http, port: 80, protocol: TCP, targetPort: 8081 }
{{- end }}
`,
    'templates/NOTES.txt': 'The simulated Cilium {{ .Chart.Version }} runs in {{ .Release.Namespace }}.\n',
  },
};
