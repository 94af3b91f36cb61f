import { setDefaults } from './defaults.ts';
import { apiVersionOf, builtIn, type Kind } from './kinds.ts';
import { kubeletOf } from './kubelets.ts';
import { isMirror } from './pods.ts';
import { makeObject } from './lifecycle.ts';
import { ensureDefinition, talosServiceAccount } from './operators.ts';
import type { KubeState } from './state.ts';
import { type Obj, objAt, textAt } from './value.ts';

const namespaces = builtIn('v1', 'Namespace');
const clusterRoles = builtIn('rbac.authorization.k8s.io/v1', 'ClusterRole');
const clusterBindings = builtIn('rbac.authorization.k8s.io/v1', 'ClusterRoleBinding');
const services = builtIn('v1', 'Service');
const pods = builtIn('v1', 'Pod');

/** What the first API server that starts writes by itself. Does nothing when it is there. */
export function ensureSystemObjects(state: KubeState): void {
  if (state.kernel.store.get('kube/bootstrapped')) return;
  state.kernel.store.set('kube/bootstrapped', true);
  for (const name of ['default', 'kube-node-lease', 'kube-public', 'kube-system']) create(state, namespaces, { name });
  makeObject(
    state,
    clusterRoles,
    { name: 'cluster-admin', labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults' } },
    {
      rules: [
        { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
        { verbs: ['*'], nonResourceURLs: ['*'] },
      ],
    },
  );
  makeObject(
    state,
    clusterBindings,
    { name: 'cluster-admin', labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults' } },
    {
      subjects: [{ kind: 'Group', apiGroup: 'rbac.authorization.k8s.io', name: 'system:masters' }],
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
    },
  );
  create(
    state,
    services,
    { name: 'kubernetes', namespace: 'default', labels: { component: 'apiserver', provider: 'kubernetes' } },
    {
      spec: {
        clusterIP: '10.96.0.1',
        clusterIPs: ['10.96.0.1'],
        ipFamilies: ['IPv4'],
        ipFamilyPolicy: 'SingleStack',
        ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: 6443 }],
      },
    },
  );
}

function create(state: KubeState, kind: Kind, metadata: Obj, rest: Obj = {}): void {
  const name = textAt(metadata, 'name');
  if (state.get(kind, textAt(metadata, 'namespace'), name)) return;
  const draft: Obj = {
    apiVersion: apiVersionOf(kind),
    kind: kind.kind,
    metadata: {
      ...metadata,
      uid: state.newUid(),
      creationTimestamp: state.timestamp(),
      ...(kind.group === 'apps' ? { generation: 1 } : {}),
    },
    ...rest,
  };
  setDefaults(kind, draft);
  state.put(kind, draft);
}

const everywhere: Obj[] = [{ operator: 'Exists' }];

/** What Talos puts into a new cluster. Source: Talos internal/app/machined/pkg/controllers/k8s/manifest.go */
export function applyTalosManifests(state: KubeState): void {
  const { coreDns, kubeProxy, cni, talosApiAccess } = state.host.bootstrapManifests();
  if (talosApiAccess !== false) ensureDefinition(state, talosServiceAccount);
  const version = state.host.apiServers().map((node) => kubeletOf(state, node)?.kubernetesVersion)[0] ?? 'v1.37.0';
  const apps = (kind: string) => builtIn('apps/v1', kind);
  const system = (name: string): Obj => ({ name, namespace: 'kube-system' });
  if (coreDns) {
    const labels: Obj = { 'k8s-app': 'kube-dns' };
    create(
      state,
      services,
      { ...system('kube-dns'), labels: { ...labels, 'kubernetes.io/cluster-service': 'true', 'kubernetes.io/name': 'CoreDNS' } },
      {
        spec: {
          clusterIP: '10.96.0.10',
          clusterIPs: ['10.96.0.10'],
          ipFamilies: ['IPv4'],
          ipFamilyPolicy: 'SingleStack',
          selector: labels,
          ports: [
            { name: 'dns', port: 53, protocol: 'UDP', targetPort: 53 },
            { name: 'dns-tcp', port: 53, protocol: 'TCP', targetPort: 53 },
          ],
        },
      },
    );
    create(
      state,
      apps('Deployment'),
      { ...system('coredns'), labels: { ...labels, 'kubernetes.io/name': 'CoreDNS' } },
      {
        spec: {
          replicas: 2,
          selector: { matchLabels: labels },
          template: {
            metadata: { labels },
            spec: {
              serviceAccountName: 'coredns',
              tolerations: [{ key: 'node-role.kubernetes.io/control-plane', operator: 'Exists', effect: 'NoSchedule' }],
              containers: [{ name: 'coredns', image: 'registry.k8s.io/coredns/coredns:v1.14.2', args: ['-conf', '/etc/coredns/Corefile'] }],
            },
          },
        },
      },
    );
  }
  if (kubeProxy) {
    const labels: Obj = { tier: 'node', 'k8s-app': 'kube-proxy' };
    create(
      state,
      apps('DaemonSet'),
      { ...system('kube-proxy'), labels },
      {
        spec: {
          selector: { matchLabels: labels },
          template: {
            metadata: { labels },
            spec: {
              hostNetwork: true,
              serviceAccountName: 'kube-proxy',
              tolerations: everywhere,
              containers: [{ name: 'kube-proxy', image: `registry.k8s.io/kube-proxy:${version}` }],
            },
          },
        },
      },
    );
  }
  if (cni === 'flannel') {
    const labels: Obj = { tier: 'node', 'k8s-app': 'flannel' };
    create(
      state,
      apps('DaemonSet'),
      { ...system('kube-flannel'), labels },
      {
        spec: {
          selector: { matchLabels: labels },
          template: {
            metadata: { labels },
            spec: {
              hostNetwork: true,
              serviceAccountName: 'flannel',
              tolerations: everywhere,
              containers: [{ name: 'kube-flannel', image: 'ghcr.io/siderolabs/flannel:v0.28.1' }],
              volumes: [{ name: 'cni', hostPath: { path: '/etc/cni/net.d' } }],
            },
          },
        },
      },
    );
  }
}

const controlPlaneParts = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler'];

/**
 * The mirror pods of a control plane, Ready while its API server runs. `health` of talosctl counts them by label and node.
 * Source: Talos internal/app/machined/pkg/controllers/k8s/control_plane_static_pod.go
 */
export function syncStaticPods(state: KubeState, node: string): 'done' | 'wait' {
  const kubelet = kubeletOf(state, node);
  if (!kubelet?.isUp) return 'done';
  if (!state.host.apiServerRuns(node) || !state.host.etcdHasQuorum()) return 'wait';
  const address = kubelet.addresses[0] ?? '';
  for (const part of controlPlaneParts) {
    const name = `${part}-${node}`;
    const before = state.get(pods, 'kube-system', name);
    const now = state.timestamp();
    const image = `registry.k8s.io/${part}:${kubelet.kubernetesVersion}`;
    const hash = `${kubelet.boots}-${kubelet.kubernetesVersion}`;
    if (before && isMirror(before) && objAt(before, 'metadata', 'annotations')['kubernetes.io/config.hash'] === hash) continue;
    const condition = (type: string): Obj => ({ type, status: 'True', lastProbeTime: null, lastTransitionTime: now });
    if (before) state.remove(pods, before);
    state.put(pods, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name,
        namespace: 'kube-system',
        uid: state.newUid(),
        creationTimestamp: now,
        generation: 1,
        labels: {
          tier: 'control-plane',
          'k8s-app': part,
          component: part,
          'app.kubernetes.io/name': part,
          'app.kubernetes.io/managed-by': 'Talos',
        },
        annotations: {
          'kubernetes.io/config.mirror': hash,
          'kubernetes.io/config.hash': hash,
          'kubernetes.io/config.source': 'file',
          'kubernetes.io/config.seen': now,
        },
      },
      spec: {
        nodeName: node,
        hostNetwork: true,
        priorityClassName: 'system-cluster-critical',
        restartPolicy: 'Always',
        tolerations: [{ operator: 'Exists', effect: 'NoExecute' }],
        containers: [{ name: part, image }],
      },
      status: {
        phase: 'Running',
        hostIP: address,
        hostIPs: [{ ip: address }],
        podIP: address,
        podIPs: [{ ip: address }],
        startTime: now,
        qosClass: 'Burstable',
        conditions: ['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map(condition),
        containerStatuses: [
          {
            name: part,
            state: { running: { startedAt: now } },
            lastState: {},
            ready: true,
            restartCount: 0,
            image,
            imageID: image,
            started: true,
          },
        ],
      },
    });
  }
  return 'done';
}
