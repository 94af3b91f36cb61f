import { type Json, stripControl, TkError } from '../../base/index.ts';
import { conditionOf, isNodeReady, isTransient, type KubeObject, type KubeReader, type KubeWriter } from '../../kube/index.ts';
import { lifecycleFailure } from './failures.ts';
import type { CordonState, KubeNodeFacts } from './lifecycle.ts';

/** Set in the same write as the cordon, with the run that set it: how a cordon of ours is told from a person's. */
export const cordonMark = 'talos-tk/cordoned-by';

export const nodeKind = { apiVersion: 'v1', kind: 'Node' } as const;

export function cordonOf(node: KubeObject): CordonState {
  if (fields(node.spec).unschedulable !== true) return { state: 'none' };
  const run = node.metadata.annotations?.[cordonMark];
  return run === undefined ? { state: 'foreign' } : { state: 'ours', run };
}

export function kubeNodeFacts(node: KubeObject): KubeNodeFacts {
  const info = fields(fields(node.status).nodeInfo);
  return {
    name: node.metadata.name,
    isReady: isNodeReady(node),
    ...(isNodeReady(node) ? {} : { notReadyBecause: stripControl(conditionOf(node, 'Ready')?.message ?? '') }),
    cordon: cordonOf(node),
    kubeletVersion: text(info.kubeletVersion),
    bootId: text(info.bootID),
  };
}

/** By name first: Talos names the Node after the host. A node that was renamed is found by its address. */
export function findKubeNode(
  nodes: readonly KubeObject[],
  { name, addresses }: { readonly name: string; readonly addresses: readonly string[] },
) {
  return (
    nodes.find((node) => node.metadata.name === name) ??
    nodes.find((node) => addressesOf(node).some((address) => addresses.includes(address)))
  );
}

const addressesOf = (node: KubeObject): readonly string[] => {
  const list = fields(node.status).addresses;
  return Array.isArray(list) ? list.map((one) => text(fields(one).address)) : [];
};

/** Sets cordon and mark in one write. A cordon that is there stays what it is, whoever set it. */
export async function setCordon(kube: KubeWriter, name: string, run: string, signal: AbortSignal): Promise<CordonState> {
  return changeNode<CordonState>(kube, name, signal, (node) => {
    const cordon = cordonOf(node);
    if (cordon.state === 'foreign') return { result: cordon };
    const ours: CordonState = { state: 'ours', run };
    if (cordon.state === 'ours' && cordon.run === run) return { result: ours };
    return { result: ours, next: changed(node, true, run) };
  });
}

/** False when nothing of ours is there. A mark without a cordon (a person has uncordoned) goes too, and counts as nothing. */
export async function clearCordon(kube: KubeWriter, name: string, signal: AbortSignal): Promise<boolean> {
  return changeNode(kube, name, signal, (node) => {
    const cordon = cordonOf(node);
    const hasMark = node.metadata.annotations?.[cordonMark] !== undefined;
    if (cordon.state === 'ours') return { result: true, next: changed(node, false, undefined) };
    return { result: false, ...(hasMark ? { next: changed(node, cordon.state === 'foreign', undefined) } : {}) };
  });
}

const attempts = 6;

/**
 * Decides on the node as it is and writes only if it still is: somebody's cordon between the two is not overlooked. Asked anew after
 * a lost answer, which may have been a success.
 */
async function changeNode<T>(
  kube: KubeWriter,
  name: string,
  signal: AbortSignal,
  decide: (node: KubeObject) => { readonly result: T; readonly next?: KubeObject },
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    const node = await kube.get({ ...nodeKind, name }, signal);
    if (!node) throw new TkError(lifecycleFailure('node/not-in-kubernetes', { node: name }));
    const { result, next } = decide(node);
    if (next === undefined) return result;
    try {
      await kube.replace(next, signal);
      return result;
    } catch (error) {
      const canRepeat = error instanceof TkError && (error.failure.code === 'kube/stale' || isTransient(error.failure));
      if (!canRepeat || attempt >= attempts) throw error;
    }
  }
}

const changed = (node: KubeObject, isCordoned: boolean, mark: string | undefined): KubeObject => {
  const { [cordonMark]: _before, ...annotations } = node.metadata.annotations ?? {};
  const { unschedulable: _cordon, ...spec } = fields(node.spec);
  return {
    ...node,
    metadata: { ...node.metadata, annotations: { ...annotations, ...(mark === undefined ? {} : { [cordonMark]: mark }) } },
    spec: { ...spec, ...(isCordoned ? { unschedulable: true } : {}) },
  };
};

/** Every node that Kubernetes knows, with our reading of it. */
export async function listKubeNodes(kube: KubeReader, signal: AbortSignal): Promise<readonly KubeObject[]> {
  return (await kube.list(nodeKind, {}, signal)).items;
}

type Fields = { readonly [field: string]: Json | undefined };
export const fields = (value: unknown): Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
export const text = (value: unknown): string => (typeof value === 'string' ? value : '');
export const list = (value: unknown): readonly Json[] => (Array.isArray(value) ? (value as Json[]) : []);
