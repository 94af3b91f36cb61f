import { count, hasCode, type Json } from '../../../base/index.ts';
import type { KindRef, KubeObject, KubeReader } from '../../../kube/index.ts';
import { type ConfiguredGate, type GateVerdict, passed, refusedBecause, skipped } from './define-gate.ts';

export interface CephGateOptions {
  /** Where Rook's CephCluster is. Default: anywhere. */
  readonly namespace?: string;
  /** Warnings that do not matter: `POOL_NO_REDUNDANCY`, `MON_DISK_LOW`. HEALTH_ERR always refuses. */
  readonly allow?: readonly string[];
}

export interface NamespaceOptions {
  /** Default: all. */
  readonly namespace?: string;
}

/**
 * Rook: every CephCluster is HEALTH_OK, or warns only of what is allowed.
 *
 * Source: Rook pkg/apis/ceph.rook.io/v1 CephStatus: `health`, `details` by check name
 */
export function ceph({ namespace, allow = [] }: CephGateOptions = {}): ConfiguredGate {
  return gateOver('ceph', { apiVersion: 'ceph.rook.io/v1', kind: 'CephCluster' }, namespace, 'Rook', (cluster) => {
    const status = at(cluster.status, 'ceph');
    const health = text(at(status, 'health'));
    if (health === 'HEALTH_OK') return [];
    const details = fieldsOf(at(status, 'details'));
    const serious = Object.entries(details).filter(([name]) => !allow.includes(name));
    if (health === 'HEALTH_WARN' && serious.length === 0 && Object.keys(details).length > 0) return [];
    if (health === '') return [`${nameOf(cluster)} has not reported its health`];
    const reasons = serious.map(([name, detail]) => `${name}: ${text(at(detail, 'message'))}`);
    return reasons.length > 0 ? reasons.map((reason) => `${nameOf(cluster)} is ${health}: ${reason}`) : [`${nameOf(cluster)} is ${health}`];
  });
}

/**
 * Longhorn: no attached volume is degraded or faulted. A detached one has no health.
 *
 * Source: longhorn-manager k8s/pkg/apis/longhorn/v1beta2 VolumeStatus: `state`, `robustness`
 */
export function longhorn({ namespace }: NamespaceOptions = {}): ConfiguredGate {
  return gateOver('longhorn', { apiVersion: 'longhorn.io/v1beta2', kind: 'Volume' }, namespace, 'Longhorn', (volume) => {
    const robustness = text(at(volume.status, 'robustness'));
    const isAttached = text(at(volume.status, 'state')) === 'attached';
    return robustness === 'faulted' || (isAttached && robustness === 'degraded') ? [`volume ${nameOf(volume)} is ${robustness}`] : [];
  });
}

/**
 * CloudNativePG: every cluster that is not hibernated has all its instances, and is not in the middle of a failover.
 *
 * Source: cloudnative-pg api/v1 ClusterStatus: `phase`, `instances`, `readyInstances`
 */
export function cnpg({ namespace }: NamespaceOptions = {}): ConfiguredGate {
  return gateOver('cnpg', { apiVersion: 'postgresql.cnpg.io/v1', kind: 'Cluster' }, namespace, 'CloudNativePG', (cluster) => {
    if (cluster.metadata.annotations?.['cnpg.io/hibernation'] === 'on') return [];
    const wanted = number(at(cluster.spec, 'instances')) ?? 1;
    const ready = number(at(cluster.status, 'readyInstances')) ?? 0;
    const phase = text(at(cluster.status, 'phase'));
    if (ready < wanted) return [`${nameOf(cluster)}: ${ready} of ${count(wanted, 'instance')} ready${phase === '' ? '' : ` (${phase})`}`];
    return phase === '' || phase === 'Cluster in healthy state' ? [] : [`${nameOf(cluster)}: ${phase}`];
  });
}

/**
 * VolSync: no copy is being made right now; its mover would be killed and begin again.
 *
 * Source: volsync api/v1alpha1: condition `Synchronizing`, reason `SyncInProgress`
 */
export function volsync({ namespace }: NamespaceOptions = {}): ConfiguredGate {
  const isSyncing = (object: KubeObject) =>
    listOf(at(object.status, 'conditions')).some(
      (condition) =>
        text(at(condition, 'type')) === 'Synchronizing' &&
        text(at(condition, 'status')) === 'True' &&
        text(at(condition, 'reason')) === 'SyncInProgress',
    );
  const problems = (object: KubeObject) => (isSyncing(object) ? [`${object.kind} ${nameOf(object)} is being synchronised`] : []);
  const sources = gateOver(
    'volsync',
    { apiVersion: 'volsync.backube/v1alpha1', kind: 'ReplicationSource' },
    namespace,
    'VolSync',
    problems,
  );
  const destinations = gateOver(
    'volsync',
    { apiVersion: 'volsync.backube/v1alpha1', kind: 'ReplicationDestination' },
    namespace,
    'VolSync',
    problems,
  );
  return {
    name: 'volsync',
    async check(question) {
      const first = await sources.check(question);
      if (first.state !== 'passed') return first;
      const second = await destinations.check(question);
      return second.state === 'refused' ? second : first;
    },
  };
}

/** Asked wherever the operator is installed, unless tasks.config.ts says otherwise. */
export const storageGates = (): readonly ConfiguredGate[] => [ceph(), longhorn(), cnpg(), volsync()];

/** A built-in storage gate that is not to be asked: `gates.off('ceph')`. */
export const off = (name: 'ceph' | 'longhorn' | 'cnpg' | 'volsync'): ConfiguredGate => ({ name });

function gateOver(
  name: string,
  kind: KindRef,
  namespace: string | undefined,
  operator: string,
  problemsOf: (object: KubeObject) => readonly string[],
): Required<ConfiguredGate> {
  return {
    name,
    async check({ kube, signal }): Promise<GateVerdict> {
      const objects = await listIfServed(kube, kind, namespace, signal);
      if (objects === undefined) return skipped(`${operator} is not installed`);
      const problems = objects.flatMap(problemsOf);
      return problems.length > 0 ? refusedBecause(problems) : passed(`${count(objects.length, kind.kind)} well`);
    },
  };
}

/** Undefined when this cluster does not know the kind. */
export async function listIfServed(
  kube: KubeReader,
  kind: KindRef,
  namespace: string | undefined,
  signal: AbortSignal,
): Promise<readonly KubeObject[] | undefined> {
  // Asked first: listing a kind that is not served is repeated for a while, because a new kind is served by one API server sooner.
  if (!(await kube.serves(kind, signal))) return undefined;
  try {
    return (await kube.list(kind, namespace === undefined ? {} : { namespace }, signal)).items;
  } catch (error) {
    if (hasCode(error, 'kube/kind-not-served')) return undefined;
    throw error;
  }
}

const nameOf = ({ metadata: { namespace, name } }: KubeObject): string => (namespace === undefined ? name : `${namespace}/${name}`);
type Fields = { readonly [field: string]: Json | undefined };
const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
const at = (value: unknown, key: string): Json | undefined => fieldsOf(value)[key];
const text = (value: Json | undefined): string => (typeof value === 'string' ? value : '');
const number = (value: Json | undefined): number | undefined => (typeof value === 'number' ? value : undefined);
const listOf = (value: Json | undefined): readonly Json[] => (Array.isArray(value) ? value : []);
