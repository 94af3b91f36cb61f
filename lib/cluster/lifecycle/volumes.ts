import { count, holds, type Condition, minutes, notYet, seconds } from '../../base/index.ts';
import { isTransient, type KubeObject, type KubeReader } from '../../kube/index.ts';
import { podsOn, staysOnNode } from './pods.ts';
import { fields, list, text } from './node-mark.ts';

const attachmentKind = { apiVersion: 'storage.k8s.io/v1', kind: 'VolumeAttachment' };
const claimKind = { apiVersion: 'v1', kind: 'PersistentVolumeClaim' };

/**
 * Names of the persistent volumes that are attached to a node and that no pod which stays there uses. A machine that goes away with
 * them keeps its pods from starting elsewhere until Kubernetes gives up on it, six minutes later.
 */
export async function attachedVolumes(kube: KubeReader, nodeName: string, signal: AbortSignal): Promise<readonly string[]> {
  const attachments = (await kube.list(attachmentKind, {}, signal)).items.filter((item) => text(fields(item.spec).nodeName) === nodeName);
  if (attachments.length === 0) return [];
  const kept = await volumesOfPodsThatStay(kube, nodeName, signal);
  return attachments
    .map(volumeOf)
    .filter((volume) => !kept.has(volume))
    .sort();
}

const volumeOf = (attachment: KubeObject): string =>
  text(fields(fields(attachment.spec).source).persistentVolumeName) || attachment.metadata.name;

async function volumesOfPodsThatStay(kube: KubeReader, nodeName: string, signal: AbortSignal): Promise<ReadonlySet<string>> {
  const volumes = new Set<string>();
  for (const pod of (await podsOn(kube, nodeName, signal)).filter(staysOnNode)) {
    for (const volume of list(fields(pod.spec).volumes)) {
      const name = text(fields(fields(volume).persistentVolumeClaim).claimName);
      if (name === '') continue;
      const claim = await kube.get({ ...claimKind, namespace: pod.metadata.namespace, name }, signal);
      const bound = text(fields(claim?.spec).volumeName);
      if (bound !== '') volumes.add(bound);
    }
  }
  return volumes;
}

export function volumesDetachedCondition(
  node: string,
  kubeName: (signal: AbortSignal) => Promise<string>,
  kube: () => Promise<KubeReader>,
): Condition<number> {
  return {
    description: `the volumes of ${node} to be detached`,
    deadlineMs: minutes(6),
    intervalMs: seconds(2),
    see: 'kubectl get volumeattachments',
    transient: isTransient,
    async check(signal) {
      const volumes = await attachedVolumes(await kube(), await kubeName(signal), signal);
      return volumes.length === 0 ? holds(0) : notYet(`${count(volumes.length, 'volume')} left: ${volumes.slice(0, 3).join(', ')}`);
    },
  };
}
