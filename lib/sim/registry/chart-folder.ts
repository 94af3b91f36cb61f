/** A small chart of our own: the names, kinds, definitions and hooks of a real one, and nothing else of it. */
export interface ChartFolder {
  readonly name: string;
  /** The version that `tags/list` and `index.yaml` offer; any other is served too, under the number that is asked for. */
  readonly version: string;
  readonly description: string;
  /** Everything but Chart.yaml, by path inside of the chart. */
  readonly files: Readonly<Record<string, string>>;
}

export const labels = (name: string): string => `app.kubernetes.io/name: ${name}
    app.kubernetes.io/instance: {{ .Release.Name }}
    app.kubernetes.io/managed-by: {{ .Release.Service }}
    helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version | replace "+" "_" }}`;

export interface WorkloadFacts {
  readonly kind: 'Deployment' | 'DaemonSet' | 'StatefulSet';
  /** A template expression is fine. */
  readonly name: string;
  readonly app: string;
  readonly image: string;
  readonly serviceAccount?: string;
  /** A template expression; Deployments and StatefulSets only. Default: 1. */
  readonly replicas?: string;
  /** More lines of the pod's labels, indented by eight. */
  readonly podLabels?: string;
  /** Selector labels in place of the app's name. */
  readonly selector?: string;
  readonly podSpec?: string;
}

/** One workload with one container, as a template. */
export function workload({
  kind,
  name,
  app,
  image,
  serviceAccount,
  replicas = '1',
  podLabels = '',
  selector,
  podSpec = '',
}: WorkloadFacts): string {
  const match = selector ?? `app.kubernetes.io/name: ${app}`;
  return `apiVersion: apps/v1
kind: ${kind}
metadata:
  name: ${name}
  namespace: {{ .Release.Namespace }}
  labels:
    ${labels(app)}${selector === undefined ? '' : `\n    ${selector}`}
spec:
${kind === 'DaemonSet' ? '' : `  replicas: ${replicas}\n`}${kind === 'StatefulSet' ? `  serviceName: ${name}\n` : ''}  selector:
    matchLabels:
      ${match}
  template:
    metadata:
      labels:
        ${match}
${podLabels}    spec:
${serviceAccount === undefined ? '' : `      serviceAccountName: ${serviceAccount}\n`}${podSpec}      containers:
        - name: ${app}
          image: ${image}
`;
}

/** A ServiceAccount with a ClusterRole bound to it. `rules` is JSON, which is YAML too. */
export function account(name: string, app: string, rules: readonly object[]): string {
  return `apiVersion: v1
kind: ServiceAccount
metadata:
  name: ${name}
  namespace: {{ .Release.Namespace }}
  labels:
    ${labels(app)}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: ${name}
  labels:
    ${labels(app)}
rules: ${JSON.stringify(rules)}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: ${name}
  labels:
    ${labels(app)}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: ${name}
subjects:
  - kind: ServiceAccount
    name: ${name}
    namespace: {{ .Release.Namespace }}
`;
}

export interface DefinitionFacts {
  readonly group: string;
  readonly kind: string;
  readonly plural: string;
  readonly scope?: 'Namespaced' | 'Cluster';
  /** The last one is stored. Default: v1. */
  readonly versions?: readonly string[];
  readonly shortNames?: readonly string[];
}

/** A CustomResourceDefinition that takes any fields. */
export function definition({ group, kind, plural, scope = 'Namespaced', versions = ['v1'], shortNames = [] }: DefinitionFacts): string {
  const served = versions.map((name, index) => ({
    name,
    served: true,
    storage: index === versions.length - 1,
    subresources: { status: {} },
    schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
  }));
  return `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: ${plural}.${group}
spec:
  group: ${group}
  scope: ${scope}
  names:
    kind: ${kind}
    listKind: ${kind}List
    plural: ${plural}
    singular: ${kind.toLowerCase()}
    shortNames: ${JSON.stringify(shortNames)}
  versions: ${JSON.stringify(served)}
`;
}

export const anything = [{ apiGroups: ['*'], resources: ['*'], verbs: ['get', 'list', 'watch'] }];
