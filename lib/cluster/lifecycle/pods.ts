import type { KubeObject, KubeReader } from '../../kube/index.ts';
import type { DrainPreview, PodName } from './lifecycle.ts';
import { fields, list, text } from './node-mark.ts';

export const podKind = { apiVersion: 'v1', kind: 'Pod' } as const;

export async function podsOn(kube: KubeReader, nodeName: string, signal: AbortSignal): Promise<readonly KubeObject[]> {
  return (await kube.list(podKind, { fieldSelector: `spec.nodeName=${nodeName}` }, signal)).items;
}

const ownerOf = (pod: KubeObject): string | undefined => {
  const owner = list(pod.metadata.ownerReferences).find((one) => fields(one).controller === true);
  return owner === undefined ? undefined : text(fields(owner).kind);
};

export const isDone = (pod: KubeObject): boolean => ['Succeeded', 'Failed'].includes(text(fields(pod.status).phase));

/** The kubelet's own pods cannot be evicted, and a DaemonSet would only start its pod again. */
export const staysOnNode = (pod: KubeObject): boolean =>
  pod.metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined || (ownerOf(pod) === 'DaemonSet' && !isDone(pod));

/** Source: kubernetes staging/src/k8s.io/component-helpers/scheduling/corev1/helpers.go: an empty key or effect is any */
export const toleratesCordon = (pod: KubeObject): boolean =>
  list(fields(pod.spec).tolerations).some((toleration) => {
    const { key, operator, value, effect } = fields(toleration);
    const fitsKey = text(key) === '' ? operator === 'Exists' : key === 'node.kubernetes.io/unschedulable';
    return fitsKey && (operator === 'Exists' || text(value) === '') && (text(effect) === '' || effect === 'NoSchedule');
  });

const hasEmptyDir = (pod: KubeObject): boolean => list(fields(pod.spec).volumes).some((volume) => fields(volume).emptyDir !== undefined);

/**
 * Which pods a drain moves. As upstream's own client drains: pods that nobody makes anew and data in emptyDir volumes go too, and are
 * named beforehand.
 *
 * Source: kubernetes staging/src/k8s.io/kubectl/pkg/drain/filters.go; Talos cmd/talosctl/pkg/talos/nodedrain (force, ignore
 * DaemonSets, delete emptyDir data)
 */
export function drainPreviewOf(pods: readonly KubeObject[]): DrainPreview {
  const stay = pods.filter(staysOnNode);
  const evict = pods.filter((pod) => !staysOnNode(pod));
  const running = evict.filter((pod) => !isDone(pod));
  return {
    evict: evict.map(podName),
    stay: stay.map(podName),
    unmanaged: running.filter((pod) => ownerOf(pod) === undefined).map(podName),
    emptyDir: running.filter(hasEmptyDir).map(podName),
  };
}

export const podName = ({ metadata: { namespace = 'default', name } }: KubeObject): PodName => ({ namespace, name });
