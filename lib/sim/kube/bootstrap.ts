import { setDefaults } from './defaults.ts';
import { apiVersionOf, builtIn, type Kind } from './kinds.ts';
import type { StaticPodFacts } from '../kube-door.ts';
import { kubeletOf } from './kubelets.ts';
import { isPodReady } from './eviction.ts';
import { isMirror } from './pods.ts';
import { makeObject } from './make-object.ts';
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

/** Field manager and inventory of what machines from 1.13 on make. Source: Talos pkg/machinery/constants/constants.go */
const inventory = { manager: 'talos', namespace: 'kube-system', name: 'talos-bootstrap-manifests-inventory' } as const;

/**
 * What Talos puts into a new cluster, and nothing that is there already; from 1.13 on with an inventory of it.
 * Source: Talos internal/app/machined/pkg/controllers/k8s/manifest_apply.go
 */
export function applyTalosManifests(state: KubeState): void {
  const { talosApiAccess, hasInventory } = state.host.bootstrapManifests();
  if (talosApiAccess !== false) ensureDefinition(state, talosServiceAccount);
  const data: Obj = {};
  for (const object of talosManifests(state).flatMap(({ objects }) => objects)) {
    const { apiVersion, kind: kindName, metadata, ...rest } = object;
    const kind = builtIn(String(apiVersion), String(kindName));
    const marked: Obj = hasInventory
      ? { ...objAt(metadata), annotations: { ...objAt(metadata, 'annotations'), 'config.k8s.io/owning-inventory': inventory.name } }
      : objAt(metadata);
    create(state, kind, marked, rest);
    data[`${textAt(metadata, 'namespace')}_${textAt(metadata, 'name')}_${kind.group}_${kind.kind}`] = '';
  }
  if (hasInventory) create(state, builtIn('v1', 'ConfigMap'), { name: inventory.name, namespace: inventory.namespace }, { data });
}

/** The Manifest resources of a control plane, by id. */
export function talosManifests(state: KubeState): readonly { readonly id: string; readonly objects: readonly Obj[] }[] {
  const { coreDns, kubeProxy, cni, proxyImage } = state.host.bootstrapManifests();
  const version = state.host.apiServers().map((node) => kubeletOf(state, node)?.kubernetesVersion)[0] ?? 'v1.37.0';
  return [
    ...(cni === 'flannel' ? [{ id: '05-flannel', objects: [flannel()] }] : []),
    ...(kubeProxy ? [{ id: '10-kube-proxy', objects: [kubeProxySet(proxyImage ?? `registry.k8s.io/kube-proxy:${version}`)] }] : []),
    ...(coreDns
      ? [
          { id: '11-core-dns', objects: [coreDnsDeployment()] },
          { id: '11-core-dns-svc', objects: [coreDnsService()] },
        ]
      : []),
  ];
}

const system = (name: string, labels: Obj): Obj => ({ name, namespace: 'kube-system', labels });

const coreDnsService = (): Obj => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: system('kube-dns', { 'k8s-app': 'kube-dns', 'kubernetes.io/cluster-service': 'true', 'kubernetes.io/name': 'CoreDNS' }),
  spec: {
    clusterIP: '10.96.0.10',
    clusterIPs: ['10.96.0.10'],
    ipFamilies: ['IPv4'],
    ipFamilyPolicy: 'SingleStack',
    selector: { 'k8s-app': 'kube-dns' },
    ports: [
      { name: 'dns', port: 53, protocol: 'UDP', targetPort: 53 },
      { name: 'dns-tcp', port: 53, protocol: 'TCP', targetPort: 53 },
    ],
  },
});

const coreDnsDeployment = (): Obj => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: system('coredns', { 'k8s-app': 'kube-dns', 'kubernetes.io/name': 'CoreDNS' }),
  spec: {
    replicas: 2,
    selector: { matchLabels: { 'k8s-app': 'kube-dns' } },
    template: {
      metadata: { labels: { 'k8s-app': 'kube-dns' } },
      spec: {
        serviceAccountName: 'coredns',
        tolerations: [{ key: 'node-role.kubernetes.io/control-plane', operator: 'Exists', effect: 'NoSchedule' }],
        containers: [{ name: 'coredns', image: 'registry.k8s.io/coredns/coredns:v1.14.2', args: ['-conf', '/etc/coredns/Corefile'] }],
      },
    },
  },
});

const kubeProxySet = (image: string): Obj =>
  nodeDaemon('kube-proxy', 'kube-proxy', { serviceAccountName: 'kube-proxy', containers: [{ name: 'kube-proxy', image }] });

const flannel = (): Obj =>
  nodeDaemon('kube-flannel', 'flannel', {
    serviceAccountName: 'flannel',
    containers: [{ name: 'kube-flannel', image: 'ghcr.io/siderolabs/flannel:v0.28.1' }],
    volumes: [{ name: 'cni', hostPath: { path: '/etc/cni/net.d' } }],
  });

function nodeDaemon(name: string, app: string, pod: Obj): Obj {
  const labels: Obj = { tier: 'node', 'k8s-app': app };
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: system(name, labels),
    spec: {
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { hostNetwork: true, tolerations: [{ operator: 'Exists' }], ...pod } },
    },
  };
}

const controlPlaneParts = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler'];

/**
 * The mirror pods of a control plane, as its machine runs them. `health` of talosctl counts them by label and node.
 * Source: Talos internal/app/machined/pkg/controllers/k8s/control_plane_static_pod.go
 */
export function syncStaticPods(state: KubeState, node: string): 'done' | 'wait' {
  const kubelet = kubeletOf(state, node);
  if (!kubelet?.isUp) return 'done';
  if (!state.host.apiServers().some((name) => state.host.apiServerRuns(name)) || !state.host.etcdHasQuorum()) return 'wait';
  const facts = state.host.staticPods?.(node);
  if (facts ? facts.length === 0 : !state.host.apiServerRuns(node)) return 'wait';
  const address = kubelet.addresses[0] ?? '';
  for (const { name: part, image, configVersion, isReady, command } of facts ?? usualParts(kubelet.kubernetesVersion)) {
    const name = `${part}-${node}`;
    const before = state.get(pods, 'kube-system', name);
    const now = state.timestamp();
    const hash = [kubelet.boots, ...(facts ? [image, configVersion] : [kubelet.kubernetesVersion])].join('-');
    const isSame = before && isMirror(before) && objAt(before, 'metadata', 'annotations')['kubernetes.io/config.hash'] === hash;
    if (isSame) {
      if (isPodReady(before) !== isReady) state.put(pods, { ...before, status: mirrorStatus({ part, image, address, isReady, now }) });
      continue;
    }
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
          ...(configVersion === undefined ? {} : { 'talos.dev/config-version': configVersion }),
        },
      },
      spec: {
        nodeName: node,
        hostNetwork: true,
        priorityClassName: 'system-cluster-critical',
        restartPolicy: 'Always',
        tolerations: [{ operator: 'Exists', effect: 'NoExecute' }],
        containers: [{ name: part, image, ...(command === undefined ? {} : { command: [...command] }) }],
      },
      status: mirrorStatus({ part, image, address, isReady, now }),
    });
  }
  return 'done';
}

const usualParts = (
  version: string,
): readonly (Pick<StaticPodFacts, 'name' | 'image' | 'isReady'> & Partial<Pick<StaticPodFacts, 'configVersion' | 'command'>>)[] =>
  controlPlaneParts.map((name) => ({ name, image: `registry.k8s.io/${name}:${version}`, isReady: true }));

function mirrorStatus(pod: {
  readonly part: string;
  readonly image: string;
  readonly address: string;
  readonly isReady: boolean;
  readonly now: string;
}): Obj {
  const { part, image, address, isReady, now } = pod;
  const condition = (type: string, isTrue: boolean): Obj => ({
    type,
    status: isTrue ? 'True' : 'False',
    lastProbeTime: null,
    lastTransitionTime: now,
  });
  return {
    phase: 'Running',
    hostIP: address,
    hostIPs: [{ ip: address }],
    podIP: address,
    podIPs: [{ ip: address }],
    startTime: now,
    qosClass: 'Burstable',
    conditions: [
      condition('PodReadyToStartContainers', true),
      condition('Initialized', true),
      condition('Ready', isReady),
      condition('ContainersReady', isReady),
      condition('PodScheduled', true),
    ],
    containerStatuses: [
      {
        name: part,
        state: { running: { startedAt: now } },
        lastState: {},
        ready: isReady,
        restartCount: 0,
        image,
        imageID: image,
        started: isReady,
      },
    ],
  };
}
