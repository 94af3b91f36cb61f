import type { SimKernel, SimTimer } from '../kernel.ts';
import type { KubeHost, KubeModel } from '../kube-door.ts';
import { applyTalosManifests, ensureSystemObjects, syncStaticPods, talosManifests } from './bootstrap.ts';
import { builtIn } from './kinds.ts';
import { kubeletOf, kubelets } from './kubelets.ts';
import {
  collectGarbage,
  established,
  removeObjectsOf,
  syncApiServices,
  syncBudgets,
  syncDefinitions,
  syncEndpoints,
  syncNamespaces,
} from './lifecycle.ts';
import { evictLost, isNodeReady, kubeletDown, kubeletUp, nodeLost, nodeReady, register, syncNodes } from './nodes.ts';
import { type Landscape, landscapeOf } from './landscape.ts';
import { syncOperators } from './operators.ts';
import { onPodTimer, syncPods } from './pods.ts';
import { syncScheduler } from './scheduler.ts';
import { drainRound, setCordoned } from './talos-drain.ts';
import { createApiServer } from './server.ts';
import { createKubeState, type KubeState, type KubeTimings, usualTimings } from './state.ts';
import { objAt, textAt, type Value } from './value.ts';
import { syncDaemonSets, syncDeployments, syncJobs, syncReplicaSets, syncStatefulSets } from './workloads.ts';
import { onVolumeTimer, syncVolumes } from './volumes.ts';
import { createWrites, type Writes } from './writes.ts';

export interface KubeModelOptions {
  readonly timings?: Partial<KubeTimings>;
}

/** The simulated Kubernetes, with what the simulated Flux and tests may see of its inside. */
export interface SimulatedKube extends KubeModel {
  readonly state: KubeState;
  readonly writes: Writes;
  /** What is in the cluster besides, and has a say when machines go away. */
  readonly landscape: Landscape;
  /** Whether controllers reach an API server that has an etcd. */
  isServing(): boolean;
}

/** `again`: something that no change announces is still to come, so look once more in a second. */
type Again = 'again' | void;

/** Which controllers look again when objects of these resources change; the order is the order of their turn. */
const controllers: readonly { readonly watches: readonly string[]; readonly sync: (state: KubeState) => Again }[] = [
  { watches: ['apiextensions.k8s.io/customresourcedefinitions'], sync: syncDefinitions },
  { watches: ['/namespaces'], sync: syncNamespaces },
  { watches: ['apps/deployments', 'apps/replicasets'], sync: syncDeployments },
  { watches: ['apps/replicasets', '/pods'], sync: syncReplicaSets },
  { watches: ['apps/statefulsets', '/pods'], sync: syncStatefulSets },
  { watches: ['apps/daemonsets', '/pods', '/nodes'], sync: syncDaemonSets },
  { watches: ['batch/jobs', '/pods'], sync: syncJobs },
  { watches: ['/pods', '/nodes'], sync: syncScheduler },
  {
    watches: [
      '/pods',
      '/nodes',
      '/persistentvolumeclaims',
      '/persistentvolumes',
      'storage.k8s.io/volumeattachments',
      'storage.k8s.io/storageclasses',
    ],
    sync: syncVolumes,
  },
  { watches: ['/pods', '/nodes', 'storage.k8s.io/volumeattachments'], sync: syncPods },
  { watches: ['/pods', '/nodes'], sync: syncNodes },
  { watches: ['/pods', '/services'], sync: syncEndpoints },
  { watches: ['/pods', 'policy/poddisruptionbudgets'], sync: syncBudgets },
  { watches: ['apps/deployments'], sync: syncOperators },
  { watches: ['/pods', '/services', 'apiregistration.k8s.io/apiservices'], sync: syncApiServices },
];

const syncDelayMs = 100;
/** As tk marks the cordons that it sets. */
const cordonMark = 'talos-tk/cordoned-by';
const definitionKind = builtIn('apiextensions.k8s.io/v1', 'CustomResourceDefinition');

/** All API servers and controllers of one cluster on the kernel's store; whatever the future holds is a stored timer. */
export function createKubeModel(kernel: SimKernel, host: KubeHost, options: KubeModelOptions = {}): SimulatedKube {
  const state = createKubeState(kernel, host, { ...usualTimings, ...options.timings });
  const writes = createWrites(state);
  // A process that starts on a stored cluster does not know what changed last: every controller looks once.
  let dirty: Set<string> | 'everything' = 'everything';

  const wake = (inMs: number) => {
    if (kernel.store.get('kube/sync')) return;
    kernel.store.set('kube/sync', true);
    kernel.schedule({ atMs: kernel.clock.monotonicMs() + inMs, model: 'kube', kind: 'sync' });
  };

  state.onChange(({ type, resource, object, before }) => {
    if (
      resource === '/nodes' &&
      before !== undefined &&
      objAt(before, 'spec').unschedulable === true &&
      objAt(object, 'spec').unschedulable !== true
    )
      kernel.emit({ kind: 'kube/uncordoned', facts: { node: textAt(object, 'metadata', 'name') } });
    const mark = resource === '/nodes' ? objAt(object, 'metadata', 'annotations')[cordonMark] : undefined;
    if (mark !== undefined && objAt(before ?? {}, 'metadata', 'annotations')[cordonMark] !== mark)
      kernel.emit({ kind: 'kube/marked', facts: { node: textAt(object, 'metadata', 'name'), by: String(mark) } });
    if (dirty !== 'everything') dirty.add(resource);
    if (type === 'DELETED') {
      const uid = textAt(object, 'metadata', 'uid');
      if (uid !== '') kernel.store.set(`kube/gone/${uid}`, true);
      if (resource === `${definitionKind.group}/${definitionKind.plural}`) removeObjectsOf(state, object);
    }
    wake(syncDelayMs);
  });

  const hasServers = () => host.etcdHasQuorum() && host.apiServers().length > 0;

  const sync = () => {
    kernel.store.delete('kube/sync');
    if (!hasServers()) {
      wake(1000);
      return;
    }
    const changed = dirty;
    dirty = new Set();
    const later: string[] = [];
    collectGarbage(state);
    for (const controller of controllers) {
      const isDue =
        changed === 'everything' || controller.watches.some((resource) => changed.has(resource) || (dirty as Set<string>).has(resource));
      if (!isDue || controller.sync(state) !== 'again') continue;
      later.push(controller.watches[0] as string);
    }
    for (const resource of later) (dirty as Set<string>).add(resource);
    if (later.length > 0) wake(1000);
  };

  const begin = () => {
    ensureSystemObjects(state);
    if (kernel.store.get('kube/manifests')) return;
    kernel.store.set('kube/manifests', true);
    kernel.schedule({ atMs: kernel.clock.monotonicMs() + 3000, model: 'kube', kind: 'manifests' });
  };

  kernel.register({
    name: 'kube',
    onTimer(timer: SimTimer) {
      const key = timer.key ?? '';
      switch (timer.kind) {
        case 'sync':
          sync();
          return;
        case 'register':
          if (hasServers()) begin();
          register(state, key);
          return;
        case 'static-pods':
          if (syncStaticPods(state, key) === 'wait')
            kernel.schedule({ atMs: kernel.clock.monotonicMs() + 2000, model: 'kube', kind: 'static-pods', key });
          return;
        case 'manifests':
          applyTalosManifests(state);
          return;
        case 'node-lost':
          nodeLost(state, key);
          return;
        case 'evict-lost':
          evictLost(state, key);
          return;
        case 'node-ready':
          nodeReady(state, key);
          return;
        case 'established':
          established(state, key);
          return;
        case 'watch-timeout':
          return;
        default:
          if (!onVolumeTimer(state, timer.kind, timer.data as Value | undefined)) onPodTimer(state, timer.kind, timer.data);
      }
    },
  });

  return {
    state,
    writes,
    landscape: landscapeOf(state),
    isServing: hasServers,
    apiServer(node) {
      const serve = createApiServer(
        state,
        writes,
        node,
        () =>
          versionOfImage(host.staticPods?.(node).find(({ name }) => name === 'kube-apiserver')?.image) ??
          kubeletOf(state, node)?.kubernetesVersion ??
          kubelets(state)[0]?.kubernetesVersion ??
          'v1.37.0',
      );
      return (request) => {
        if (host.apiServerRuns(node) && host.etcdHasQuorum()) begin();
        return serve(request);
      };
    },
    kubeletUp: (facts) => kubeletUp(state, facts),
    kubeletDown: (node) => kubeletDown(state, node),
    staticPodsChanged(node) {
      kernel.cancel('kube', 'static-pods', node);
      kernel.schedule({ atMs: kernel.clock.monotonicMs() + 300, model: 'kube', kind: 'static-pods', key: node });
    },
    manifests: () => talosManifests(state),
    setCordoned: (node, isCordoned) => setCordoned(state, node, isCordoned),
    drain: (node) => drainRound(state, writes, node),
    nodeReady: (node) => isNodeReady(state, node),
  };
}

const versionOfImage = (image: string | undefined): string | undefined => /:(v\d+\.\d+\.\d+(?:-[\w.]+)?)/.exec(image ?? '')?.[1];
