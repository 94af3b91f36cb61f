import type { KubeletFacts } from '../../../lib/sim/index.ts';

/** The newest Kubernetes of each Talos, and the kubectl that belongs to it. */
export const generations = {
  '1.35': { kubernetesVersion: 'v1.35.2', talosVersion: 'v1.12.11', kubectl: 'v1.35.2' },
  '1.36': { kubernetesVersion: 'v1.36.3', talosVersion: 'v1.13.9', kubectl: 'v1.36.3' },
  '1.37': { kubernetesVersion: 'v1.37.0', talosVersion: 'v1.14.1', kubectl: 'v1.37.1' },
} as const;
export type Generation = keyof typeof generations;

/** The machines of the recorded cluster. */
export function factsOf(generation: Generation): readonly KubeletFacts[] {
  const { kubernetesVersion, talosVersion } = generations[generation];
  const common = { kubernetesVersion, talosVersion, labels: {}, taints: [] };
  const taints = [{ key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' }];
  return [
    { ...common, name: 'cp-1', addresses: ['10.0.0.11'], role: 'controlplane', taints },
    { ...common, name: 'worker-1', addresses: ['10.0.0.21'], role: 'worker' },
    { ...common, name: 'worker-2', addresses: ['10.0.0.22'], role: 'worker' },
  ];
}

export const manifest = `apiVersion: v1
kind: Namespace
metadata: { name: demo }
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: widgets.example.org }
spec:
  group: example.org
  scope: Namespaced
  names: { kind: Widget, plural: widgets, singular: widget }
  versions:
    - name: v1
      served: true
      storage: true
      schema: { openAPIV3Schema: { type: object, x-kubernetes-preserve-unknown-fields: true } }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: demo, labels: { app: web } }
spec:
  replicas: 2
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      containers:
        - { name: web, image: "nginx:1.29", ports: [{ containerPort: 80 }] }
`;

export const settings = `apiVersion: v1
kind: ConfigMap
metadata: { name: settings, namespace: demo }
data: { a: "1" }
`;

/** In this order, on one cluster. */
export const commands: readonly (readonly string[])[] = [
  ['version'],
  ['get', 'nodes', '-o', 'wide'],
  ['get', 'pods', '--all-namespaces', '-o', 'wide'],
  ['get', 'all', '-n', 'kube-system'],
  ['get', 'namespaces', '-o', 'name'],
  ['apply', '--server-side', '-f', 'demo.yaml'],
  ['wait', '--for=condition=Established', 'crd/widgets.example.org', '--timeout=30s'],
  ['wait', '-n', 'demo', '--for=condition=Available', 'deployment/web', '--timeout=60s'],
  ['rollout', 'status', '-n', 'demo', 'deployment/web', '--timeout=60s'],
  ['get', 'deployments,replicasets,pods', '-n', 'demo', '-o', 'wide'],
  ['get', 'deployment', 'web', '-n', 'demo', '-o', 'jsonpath={.status.readyReplicas}'],
  ['apply', '--server-side', '-f', 'demo.yaml'],
  ['apply', '--server-side', '--field-manager=other', '-f', 'demo.yaml'],
  ['diff', '--server-side', '-f', 'demo.yaml'],
  ['scale', '-n', 'demo', 'deployment/web', '--replicas=3'],
  ['label', 'node', 'worker-1', 'zone=a'],
  ['annotate', 'namespace', 'demo', 'note=x'],
  ['drain', 'worker-1', '--ignore-daemonsets', '--timeout=60s'],
  ['uncordon', 'worker-1'],
  ['create', '-f', 'settings.yaml'],
  ['create', '-f', 'settings.yaml'],
  ['apply', '-f', 'settings.yaml'],
  ['patch', 'configmap', 'settings', '-n', 'demo', '--type=merge', '-p', '{"data":{"b":"2"}}'],
  ['get', 'configmap', 'settings', '-n', 'demo', '-o', 'jsonpath={.data}'],
  ['get', 'widgets', '-n', 'demo'],
  ['get', 'nothing'],
  ['get', 'pod', 'nothing', '-n', 'demo'],
  ['describe', 'node', 'cp-1'],
  ['api-resources', '--api-group=apps'],
  ['delete', 'configmap', 'settings', '-n', 'demo'],
  ['delete', 'namespace', 'demo', '--timeout=60s'],
];
