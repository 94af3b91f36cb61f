import { z } from 'zod';
import { suggestionFor, TkError } from '../../base/index.ts';
import type { NodeModel } from '../../config/index.ts';
import type { NodeSelector } from '../cluster.ts';
import { clusterFailure } from '../failures.ts';
import { operationFailure } from './failures.ts';
import { nodeParams } from '../node-params.ts';
import { findNode } from '../nodes.ts';

/** `nodeParams`, and `NODES=` and `ROLE=`, to be spread into the params of a task that is about some nodes, or all. */
export const nodesParams = {
  ...nodeParams,
  nodes: z.array(z.string()).optional().describe('the nodes with these names or addresses'),
  role: z.enum(['controlplane', 'worker']).optional().describe('the nodes with this role'),
};

export interface NodesSelector extends NodeSelector {
  readonly nodes?: readonly string[] | undefined;
  readonly role?: 'controlplane' | 'worker' | undefined;
}

/** `nodesParams`, and `--all`, for tasks that take machines away. */
export const namedNodesParams = { ...nodesParams, all: z.boolean().default(false).describe('every node') };

/** In inventory order; all of them when the selector names none. Failure: as `findNode`, also when none of those named has the role. */
export function selectNodes(all: readonly NodeModel[], selector: NodesSelector): readonly NodeModel[] {
  const { ip, node, hostname, nodes = [], role } = selector;
  const named = new Set<NodeModel>(nodes.map((word) => byNameOrAddress(all, word)));
  if (ip || node || hostname) named.add(findNode(all, { ip, node, hostname }));
  const selected = all.filter((one) => (named.size === 0 || named.has(one)) && (role === undefined || one.role === role));
  // Nothing to do is no answer to a question that contradicts itself.
  if (selected.length === 0 && named.size > 0)
    throw new TkError(clusterFailure('cluster/nodes-disagree', { asked: [...[...named].map(({ name }) => name), `ROLE=${role}`] }));
  return selected;
}

/** Those of `selectNodes` that have etcd. Failure: also `node/no-control-plane`, when a worker is named. */
export function selectControlPlanes(all: readonly NodeModel[], selector: NodesSelector): readonly NodeModel[] {
  const selected = selectNodes(all, selector);
  const workers = selected.filter((node) => node.role === 'worker');
  if (workers.length > 0 && isAnyNamed(selector))
    throw new TkError(operationFailure('node/no-control-plane', { nodes: workers.map((node) => node.name) }));
  return selected.filter((node) => node.role === 'controlplane');
}

const isAnyNamed = ({ ip, node, hostname, nodes, role }: NodesSelector): boolean =>
  [ip, node, hostname, nodes, role].some((value) => value !== undefined && value !== '' && !(Array.isArray(value) && value.length === 0));

/**
 * As `selectNodes`, for what takes machines away: nobody takes a whole cluster down by leaving a word out.
 *
 * Failure: `cluster/node-not-named` when nothing is named and `all` is not given.
 */
export function namedNodes(
  all: readonly NodeModel[],
  { all: isAll = false, ...selector }: NodesSelector & { readonly all?: boolean },
): readonly NodeModel[] {
  return isAnyNamed(selector) || isAll ? selectNodes(all, selector) : [findNode(all, {})];
}

function byNameOrAddress(all: readonly NodeModel[], word: string): NodeModel {
  const found = all.find((node) => node.name === word || node.addresses.includes(word));
  if (found) return found;
  const known = all.map((node) => node.name);
  const suggestion = suggestionFor(word, known);
  throw new TkError(clusterFailure('cluster/unknown-node', { asked: word, by: 'node', known, ...(suggestion ? { suggestion } : {}) }));
}
