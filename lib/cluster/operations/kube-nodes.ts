import { hasCode, TkError } from '../../base/index.ts';
import type { NodeModel } from '../../config/index.ts';
import type { KubeAccess } from '../kube-access.ts';
import { lifecycleFailure } from '../lifecycle/failures.ts';
import { findKubeNode, listKubeNodes, nodeKind } from '../lifecycle/node-mark.ts';

/** Takes a cordon back, whoever set it. Failure: `node/not-in-kubernetes`. */
export async function uncordonForeign(access: KubeAccess, node: NodeModel, signal: AbortSignal): Promise<void> {
  const kube = await access.writer();
  const found = findKubeNode(await listKubeNodes(kube, signal), node);
  if (found === undefined) throw new TkError(lifecycleFailure('node/not-in-kubernetes', { node: node.name }));
  const patch = { type: 'merge', value: { spec: { unschedulable: null } } } as const;
  await kube.patch({ ...nodeKind, name: found.metadata.name }, patch, signal);
}

/** What Kubernetes calls the node; undefined when it knows none such, and when there is no Kubernetes to ask. */
export async function kubeNodeName(access: KubeAccess, node: NodeModel, signal: AbortSignal): Promise<string | undefined> {
  try {
    return findKubeNode(await listKubeNodes(await access.reader(), signal), node)?.metadata.name;
  } catch (error) {
    if (hasCode(error, 'cluster/no-kubeconfig')) return undefined;
    throw error;
  }
}

/** Deletes the Node object; its pods go with it. False when there was none. */
export async function deleteKubeNode(access: KubeAccess, node: NodeModel, signal: AbortSignal): Promise<boolean> {
  const name = await kubeNodeName(access, node, signal);
  if (name === undefined) return false;
  return (await access.writer()).delete({ ...nodeKind, name }, {}, signal);
}
