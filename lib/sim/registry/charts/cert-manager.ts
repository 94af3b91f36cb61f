import { account, anything, type ChartFolder, definition, labels, workload } from '../chart-folder.ts';

const app = 'cert-manager';
const kinds = [
  { group: 'cert-manager.io', kind: 'Certificate', plural: 'certificates', shortNames: ['cert', 'certs'] },
  { group: 'cert-manager.io', kind: 'CertificateRequest', plural: 'certificaterequests', shortNames: ['cr', 'crs'] },
  { group: 'cert-manager.io', kind: 'ClusterIssuer', plural: 'clusterissuers', scope: 'Cluster' as const, shortNames: ['ciss'] },
  { group: 'cert-manager.io', kind: 'Issuer', plural: 'issuers', shortNames: ['iss'] },
  { group: 'acme.cert-manager.io', kind: 'Challenge', plural: 'challenges' },
  { group: 'acme.cert-manager.io', kind: 'Order', plural: 'orders' },
];

const image = (component: string) => `quay.io/jetstack/cert-manager-${component}:{{ .Chart.Version }}`;
const hook = (weight: number) => `annotations:
    helm.sh/hook: post-install
    helm.sh/hook-weight: "${weight}"
    helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded`;

const webhook = (kind: string, list: string) => `apiVersion: admissionregistration.k8s.io/v1
kind: ${kind}
metadata:
  name: cert-manager-webhook
  labels:
    ${labels(app)}
  annotations:
    cert-manager.io/inject-ca-from-secret: {{ .Release.Namespace }}/cert-manager-webhook-ca
webhooks:
  - name: webhook.cert-manager.io
    admissionReviewVersions: [v1]
    sideEffects: None
    failurePolicy: Fail
    timeoutSeconds: 30
    rules: ${list}
    clientConfig:
      service: { name: cert-manager-webhook, namespace: '{{ .Release.Namespace }}', path: /${kind.startsWith('Mutating') ? 'mutate' : 'validate'} }
`;

/** Names, definitions, webhooks and post-install hooks of cert-manager 1.20's chart. */
export const certManager: ChartFolder = {
  name: app,
  version: 'v1.20.4',
  description: 'Certificates for the simulated cluster',
  files: {
    'values.yaml': `installCRDs: false
crds: { enabled: false, keep: true }
replicaCount: 1
webhook: { replicaCount: 1 }
cainjector: { enabled: true, replicaCount: 1 }
startupapicheck: { enabled: true, timeout: 1m, backoffLimit: 4 }
`,
    'templates/crds.yaml': `{{- if or .Values.crds.enabled .Values.installCRDs }}
${kinds.map((facts) => definition(facts).replace('metadata:\n', 'metadata:\n  annotations:\n    helm.sh/resource-policy: keep\n')).join('---\n')}{{- end }}
`,
    'templates/account.yaml': account('cert-manager', app, anything),
    'templates/webhook-account.yaml': account('cert-manager-webhook', 'webhook', anything),
    'templates/cainjector-account.yaml': `{{- if .Values.cainjector.enabled }}\n${account('cert-manager-cainjector', 'cainjector', anything)}{{- end }}\n`,
    'templates/deployment.yaml': workload({
      kind: 'Deployment',
      name: 'cert-manager',
      app,
      image: image('controller'),
      serviceAccount: 'cert-manager',
      replicas: '{{ .Values.replicaCount }}',
    }),
    'templates/webhook-deployment.yaml': workload({
      kind: 'Deployment',
      name: 'cert-manager-webhook',
      app: 'webhook',
      image: image('webhook'),
      serviceAccount: 'cert-manager-webhook',
      replicas: '{{ .Values.webhook.replicaCount }}',
    }),
    'templates/cainjector-deployment.yaml': `{{- if .Values.cainjector.enabled }}\n${workload({ kind: 'Deployment', name: 'cert-manager-cainjector', app: 'cainjector', image: image('cainjector'), serviceAccount: 'cert-manager-cainjector', replicas: '{{ .Values.cainjector.replicaCount }}' })}{{- end }}\n`,
    'templates/webhook-service.yaml': `apiVersion: v1
kind: Service
metadata:
  name: cert-manager-webhook
  namespace: {{ .Release.Namespace }}
spec:
  selector: { app.kubernetes.io/name: webhook }
  ports: [{ name: https, port: 443, protocol: TCP, targetPort: https }]
`,
    'templates/webhook-mutating-webhook.yaml': webhook(
      'MutatingWebhookConfiguration',
      '[{ apiGroups: [cert-manager.io], apiVersions: [v1], operations: [CREATE], resources: [certificaterequests] }]',
    ),
    'templates/webhook-validating-webhook.yaml': webhook(
      'ValidatingWebhookConfiguration',
      '[{ apiGroups: [cert-manager.io, acme.cert-manager.io], apiVersions: [v1], operations: [CREATE, UPDATE], resources: ["*/*"] }]',
    ),
    'templates/startupapicheck.yaml': `{{- if .Values.startupapicheck.enabled }}
apiVersion: v1
kind: ServiceAccount
automountServiceAccountToken: true
metadata:
  name: cert-manager-startupapicheck
  namespace: {{ .Release.Namespace }}
  ${hook(-5)}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: cert-manager-startupapicheck:create-cert
  namespace: {{ .Release.Namespace }}
  ${hook(-5)}
rules: [{ apiGroups: [cert-manager.io], resources: [certificaterequests], verbs: [create] }]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: cert-manager-startupapicheck:create-cert
  namespace: {{ .Release.Namespace }}
  ${hook(-5)}
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: 'cert-manager-startupapicheck:create-cert' }
subjects: [{ kind: ServiceAccount, name: cert-manager-startupapicheck, namespace: '{{ .Release.Namespace }}' }]
---
apiVersion: batch/v1
kind: Job
metadata:
  name: cert-manager-startupapicheck
  namespace: {{ .Release.Namespace }}
  ${hook(1)}
spec:
  backoffLimit: {{ .Values.startupapicheck.backoffLimit }}
  template:
    metadata:
      labels: { app.kubernetes.io/name: startupapicheck }
    spec:
      restartPolicy: OnFailure
      serviceAccountName: cert-manager-startupapicheck
      containers:
        - name: cert-manager-startupapicheck
          image: ${image('startupapicheck')}
          args: [check, api, '--wait={{ .Values.startupapicheck.timeout }}']
{{- end }}
`,
  },
};
