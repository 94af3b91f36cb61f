import type { NodeModel } from '../config/index.ts';
import { conditionOf, type KindRef, type KubeObject, type KubeReader } from '../kube/index.ts';
import type { HealthAnswer } from './cluster.ts';

/** The Kubernetes half of the health checks. Source: Talos pkg/cluster/check/kubernetes.go at v1.14 */

const nodeKind: KindRef = { apiVersion: 'v1', kind: 'Node' };
const podKind: KindRef = { apiVersion: 'v1', kind: 'Pod' };
const components = ['kube-apiserver', 'kube-scheduler', 'kube-controller-manager'] as const;
const roleLabel = 'node-role.kubernetes.io/control-plane';

type Problem = string | undefined;

interface Address {
  readonly type: string;
  readonly address: string;
}

const addressesOf = (node: KubeObject): readonly string[] =>
  ((node['status'] as { readonly addresses?: readonly Address[] } | undefined)?.addresses ?? []).map(({ address }) => address);
const isReady = (object: KubeObject): boolean => conditionOf(object, 'Ready')?.status === 'True';
const named = (objects: readonly KubeObject[]): string => objects.map((object) => object.metadata.name).join(' ');

const nodesOf = async (kube: KubeReader, signal: AbortSignal): Promise<readonly KubeObject[]> =>
  (await kube.list(nodeKind, {}, signal)).items;

const podsOf = async (kube: KubeReader, labelSelector: string, signal: AbortSignal): Promise<readonly KubeObject[]> =>
  (await kube.list(podKind, { namespace: 'kube-system', labelSelector }, signal)).items.filter(
    (pod) => pod.metadata.deletionTimestamp === undefined && (pod['status'] as { readonly phase?: string } | undefined)?.phase !== 'Failed',
  );

/** Nodes are compared by address, both ways: a node that nobody described is a problem too. */
export async function allReport(kube: KubeReader, wanted: readonly NodeModel[], signal: AbortSignal): Promise<Problem> {
  return mismatch(wanted, await nodesOf(kube, signal));
}

function mismatch(wanted: readonly NodeModel[], found: readonly KubeObject[]): Problem {
  const missing = wanted.filter(
    (node) => !found.some((candidate) => addressesOf(candidate).some((address) => node.addresses.includes(address))),
  );
  const extra = found.filter(
    (candidate) => !wanted.some((node) => addressesOf(candidate).some((address) => node.addresses.includes(address))),
  );
  if (missing.length > 0) return `${missing.map((node) => node.name).join(' ')} not registered`;
  return extra.length > 0 ? `${named(extra)} not in the inventory` : undefined;
}

export async function staticPodsRun(kube: KubeReader, controlPlanes: readonly NodeModel[], signal: AbortSignal): Promise<Problem> {
  for (const component of components) {
    const pods = await podsOf(kube, `k8s-app=${component}`, signal);
    const names = new Set(pods.map((pod) => pod.metadata.name));
    const missing = controlPlanes.find((node) => !names.has(`${component}-${node.name}`));
    if (missing) return `${component}-${missing.name} does not exist`;
    const waiting = pods.find((pod) => !isReady(pod));
    if (waiting) return `${waiting.metadata.name} is not ready`;
  }
  return undefined;
}

export async function componentsReady(kube: KubeReader, controlPlanes: readonly NodeModel[], signal: AbortSignal): Promise<Problem> {
  const labelled = (await nodesOf(kube, signal)).filter((node) => Object.hasOwn(node.metadata.labels ?? {}, roleLabel));
  const wrong = mismatch(controlPlanes, labelled);
  if (wrong !== undefined) return wrong;
  for (const component of components) {
    const pods = await podsOf(kube, `k8s-app=${component}`, signal);
    if (pods.length !== labelled.length) return `expected ${labelled.length} pods of ${component} but found ${pods.length}`;
    const waiting = pods.filter((pod) => !isReady(pod));
    if (waiting.length > 0) return `${named(waiting)} not ready`;
  }
  return undefined;
}

export async function allReady(kube: KubeReader, signal: AbortSignal): Promise<Problem> {
  const waiting = (await nodesOf(kube, signal)).filter((node) => !isReady(node));
  return waiting.length > 0 ? `${named(waiting)} not Ready` : undefined;
}

export async function allSchedulable(kube: KubeReader, signal: AbortSignal): Promise<Problem> {
  const cordoned = (await nodesOf(kube, signal)).filter(
    (node) => (node['spec'] as { readonly unschedulable?: boolean } | undefined)?.unschedulable === true,
  );
  return cordoned.length > 0 ? `${named(cordoned)} cordoned` : undefined;
}

export async function daemonSetReady(kube: KubeReader, labelSelector: string, signal: AbortSignal): Promise<Problem | HealthAnswer> {
  const [found] = (await kube.list({ apiVersion: 'apps/v1', kind: 'DaemonSet' }, { namespace: 'kube-system', labelSelector }, signal))
    .items;
  const wanted = (found?.['status'] as { readonly desiredNumberScheduled?: number } | undefined)?.desiredNumberScheduled ?? 0;
  if (!found || wanted === 0) return { state: 'skipped', because: 'there is none' };
  return podsReady(kube, labelSelector, wanted, signal);
}

export async function deploymentReady(kube: KubeReader, labelSelector: string, signal: AbortSignal): Promise<Problem | HealthAnswer> {
  const [found] = (await kube.list({ apiVersion: 'apps/v1', kind: 'Deployment' }, { namespace: 'kube-system', labelSelector }, signal))
    .items;
  if (!found) return { state: 'skipped', because: 'there is none' };
  const wanted = (found['spec'] as { readonly replicas?: number } | undefined)?.replicas ?? 1;
  return podsReady(kube, labelSelector, wanted, signal);
}

async function podsReady(kube: KubeReader, labelSelector: string, wanted: number, signal: AbortSignal): Promise<Problem> {
  const pods = await podsOf(kube, labelSelector, signal);
  const waiting = pods.filter((pod) => !isReady(pod));
  if (waiting.length > 0) return `${named(waiting)} not ready`;
  return pods.length === wanted ? undefined : `expected ${wanted} ready pods but found ${pods.length}`;
}
