import { apiVersionOf, builtIn, type Kind } from './kinds.ts';
import { makeObject } from './make-object.ts';
import { ensureDefinition } from './operators.ts';
import { createWrites } from './writes.ts';
import type { KubeState } from './state.ts';
import { numberAt, type Obj, objAt, textAt } from './value.ts';

const namespaces = builtIn('v1', 'Namespace');
const classes = builtIn('storage.k8s.io/v1', 'StorageClass');
const drivers = builtIn('storage.k8s.io/v1', 'CSIDriver');
const nodes = builtIn('v1', 'Node');
const leases = builtIn('coordination.k8s.io/v1', 'Lease');
/** What a lease of tk's is good for after it was renewed. */
const leaseMs = 600_000;

/** What lives in a real cluster and has a say when machines go away. Everything here writes as its owner would: no caller of ours. */
export interface Landscape {
  /** A CSI driver that attaches its volumes, and the default class of it. */
  storage(driver: string, storageClass?: string): void;
  /** An object of any kind that the cluster serves, made or changed, status included. Kinds of the operators below are made known. */
  put(object: Obj): void;
  /** tuppr's definitions; then one TalosUpgrade or KubernetesUpgrade in that phase. */
  tuppr(kind: 'TalosUpgrade' | 'KubernetesUpgrade', phase: TupprPhase, node?: string): void;
  ceph(health: 'HEALTH_OK' | 'HEALTH_WARN' | 'HEALTH_ERR', details?: { readonly [check: string]: string }): void;
  longhorn(volume: string, robustness: 'healthy' | 'degraded' | 'faulted', isAttached?: boolean): void;
  postgres(name: string, instances: number, readyInstances: number, phase?: string): void;
  volsync(name: string, isSyncing: boolean): void;
  /** Another tk begins on another workstation: takes the cluster's lease when nobody holds it any more. */
  takeLease(holder: string): void;
  /** A pod with a volume of its own, put on this very machine: a cordon does not keep it away. Needs `storage`. */
  pin(name: string, node: string): void;
  /** `kubectl cordon`, by somebody. */
  cordon(node: string, isCordoned: boolean): void;
}

/** Source: tuppr api/v1alpha1/shared_types.go (JobPhase) */
export type TupprPhase =
  | 'Pending'
  | 'HealthChecking'
  | 'PreHook'
  | 'Draining'
  | 'Upgrading'
  | 'Rebooting'
  | 'PostHook'
  | 'Completed'
  | 'Failed'
  | 'MaintenanceWindow';

/** Source of each: the operator's own definition of that kind */
const kinds = {
  TalosUpgrade: { group: 'tuppr.home-operations.com', plural: 'talosupgrades', version: 'v1alpha1', scope: 'Cluster' },
  KubernetesUpgrade: { group: 'tuppr.home-operations.com', plural: 'kubernetesupgrades', version: 'v1alpha1', scope: 'Cluster' },
  CephCluster: { group: 'ceph.rook.io', plural: 'cephclusters', version: 'v1', scope: 'Namespaced' },
  Volume: { group: 'longhorn.io', plural: 'volumes', version: 'v1beta2', scope: 'Namespaced' },
  Cluster: { group: 'postgresql.cnpg.io', plural: 'clusters', version: 'v1', scope: 'Namespaced' },
  ReplicationSource: { group: 'volsync.backube', plural: 'replicationsources', version: 'v1alpha1', scope: 'Namespaced' },
  ReplicationDestination: { group: 'volsync.backube', plural: 'replicationdestinations', version: 'v1alpha1', scope: 'Namespaced' },
  Plan: { group: 'upgrade.cattle.io', plural: 'plans', version: 'v1', scope: 'Namespaced' },
} as const;

/** Milliseconds since the epoch of `2026-01-05T08:00:00.000000Z`; days are counted as Howard Hinnant's days_from_civil does. */
function instantOf(text: string): number {
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = (text.match(/\d+/g) ?? []).map(Number);
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const ofEra = shifted - era * 400;
  const ofYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const days = era * 146_097 + ofEra * 365 + Math.floor(ofEra / 4) - Math.floor(ofEra / 100) + ofYear - 719_468;
  return ((days * 24 + hour) * 60 + minute) * 60_000 + second * 1000;
}

export function landscapeOf(state: KubeState): Landscape {
  const known = (kind: keyof typeof kinds): void => {
    const { group, plural, version, scope } = kinds[kind];
    ensureDefinition(state, { group, kind, plural, versions: [version], scope });
  };
  const namespace = (name: string): void => {
    if (!state.get(namespaces, undefined, name)) {
      makeObject(
        state,
        namespaces,
        { name, labels: { 'kubernetes.io/metadata.name': name } },
        { spec: { finalizers: ['kubernetes'] }, status: { phase: 'Active' } },
      );
    }
  };
  const kindOf = (object: Obj): Kind => {
    const [kind, apiVersion] = [textAt(object, 'kind'), textAt(object, 'apiVersion')];
    if (Object.hasOwn(kinds, kind) && apiVersion.startsWith(kinds[kind as keyof typeof kinds].group)) known(kind as keyof typeof kinds);
    const found = state.allKinds().find((one) => one.kind === kind && apiVersionOf(one) === apiVersion);
    if (!found) throw new RangeError(`${apiVersion} ${kind} is no kind of this cluster`);
    return found;
  };
  const writes = createWrites(state);
  const put = (object: Obj): void => {
    const kind = kindOf(object);
    const metadata = objAt(object, 'metadata');
    if (kind.isNamespaced) namespace(textAt(metadata, 'namespace'));
    const before = state.get(kind, textAt(metadata, 'namespace'), textAt(metadata, 'name'));
    if (before) {
      state.put(kind, { ...before, ...object, metadata: { ...objAt(before, 'metadata'), ...metadata } });
      return;
    }
    const place = { kind, namespace: textAt(metadata, 'namespace'), name: '', subresource: '' };
    const made = writes.create(place, object, { fieldManager: 'landscape', isDryRun: false, fieldValidation: 'Ignore', warnings: [] });
    // A new object of a kind with a status subresource loses what it says there.
    if (object.status !== undefined && kind.definition !== undefined) state.put(kind, { ...made, status: object.status });
  };
  const made = (kind: keyof typeof kinds, where: string | undefined, name: string, spec: Obj, status: Obj): void =>
    put({
      apiVersion: `${kinds[kind].group}/${kinds[kind].version}`,
      kind,
      metadata: { name, ...(where === undefined ? {} : { namespace: where }) },
      spec,
      status,
    });
  return {
    put,
    storage(driver, storageClass = driver.split('.')[0] ?? driver) {
      put({
        apiVersion: apiVersionOf(drivers),
        kind: 'CSIDriver',
        metadata: { name: driver },
        spec: { attachRequired: true, podInfoOnMount: false, volumeLifecycleModes: ['Persistent'] },
      });
      put({
        apiVersion: apiVersionOf(classes),
        kind: 'StorageClass',
        metadata: { name: storageClass, annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
        provisioner: driver,
        reclaimPolicy: 'Delete',
        volumeBindingMode: 'Immediate',
      });
    },
    tuppr(kind, phase, node) {
      const isOver = phase === 'Completed' || phase === 'Failed';
      const status: Obj = {
        phase,
        observedGeneration: 1,
        lastUpdated: state.timestamp(),
        ...(node === undefined || isOver ? {} : { currentNode: node, currentNodes: [node] }),
      };
      made(kind, undefined, kind === 'TalosUpgrade' ? 'talos' : 'kubernetes', {}, status);
    },
    ceph: (health, details = {}) =>
      made(
        'CephCluster',
        'rook-ceph',
        'rook-ceph',
        {},
        {
          phase: 'Ready',
          ceph: {
            health,
            details: Object.fromEntries(
              Object.entries(details).map(([name, message]) => [
                name,
                { message, severity: health === 'HEALTH_ERR' ? 'HEALTH_ERR' : 'HEALTH_WARN' },
              ]),
            ),
          },
        },
      ),
    longhorn: (volume, robustness, isAttached = true) =>
      made('Volume', 'longhorn-system', volume, { numberOfReplicas: 3 }, { state: isAttached ? 'attached' : 'detached', robustness }),
    postgres: (name, instances, readyInstances, phase = 'Cluster in healthy state') =>
      made('Cluster', 'database', name, { instances }, { instances, readyInstances, phase, currentPrimary: `${name}-1` }),
    volsync: (name, isSyncing) =>
      made(
        'ReplicationSource',
        'default',
        name,
        {},
        {
          conditions: [
            {
              type: 'Synchronizing',
              status: isSyncing ? 'True' : 'False',
              reason: isSyncing ? 'SyncInProgress' : 'WaitingForSchedule',
              message: '',
              lastTransitionTime: state.timestamp(),
            },
          ],
        },
      ),
    pin(name, node) {
      put({
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: { name, namespace: 'default' },
        spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
      });
      put({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name, namespace: 'default' },
        spec: {
          nodeName: node,
          containers: [{ name, image: `example.org/${name}:1` }],
          volumes: [{ name: 'data', persistentVolumeClaim: { claimName: name } }],
        },
      });
    },
    takeLease(holder) {
      const lease = state.get(leases, 'kube-system', 'talos-tk');
      const spec = objAt(lease ?? {}, 'spec');
      const isFree = textAt(spec, 'holderIdentity') === '' || state.kernel.clock.now() - instantOf(textAt(spec, 'renewTime')) > leaseMs;
      if (!isFree || textAt(spec, 'holderIdentity') === holder) return;
      const now = `${state.timestamp().slice(0, -1)}.000000Z`;
      const tenure = (numberAt(spec, 'leaseTransitions') ?? 0) + 1;
      const wanted: Obj = {
        holderIdentity: holder,
        leaseDurationSeconds: leaseMs / 1000,
        leaseTransitions: tenure,
        acquireTime: now,
        renewTime: now,
      };
      if (lease) state.put(leases, { ...lease, spec: wanted });
      else makeObject(state, leases, { name: 'talos-tk', namespace: 'kube-system' }, { spec: wanted });
    },
    cordon(name, isCordoned) {
      const node = state.get(nodes, undefined, name);
      if (!node) return;
      const { unschedulable, ...spec } = objAt(node, 'spec');
      // `kubectl cordon` does nothing to a node that is cordoned already, whoever did it.
      if ((unschedulable === true) === isCordoned) return;
      state.kernel.emit({ kind: 'kube/foreign-cordon', facts: { node: name, isCordoned } });
      state.put(nodes, { ...node, spec: { ...spec, ...(isCordoned ? { unschedulable: true } : {}) } });
    },
  };
}
