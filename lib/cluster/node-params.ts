import { z } from 'zod';
import type { ParamQuestion } from '../core/index.ts';
import type { ClusterView, NodeSelector } from './cluster.ts';

/** `IP=`, `NODE=` and `HOSTNAME=`, to be spread into the params of a task that is about one node. */
export const nodeParams = {
  ip: z.string().optional().describe('the node with this address'),
  node: z.string().optional().describe('the node with this name'),
  hostname: z.string().optional().describe('the node with this host name'),
};

/**
 * The `questions` of a task that cannot do without its one node: which one, when none was named.
 *
 * Failure: `cluster/unknown-node`, `cluster/nodes-disagree`, before anything begins.
 */
export function whichNode(params: NodeSelector, { cluster }: { readonly cluster: ClusterView }): readonly ParamQuestion[] {
  const isNamed = [params.ip, params.node, params.hostname].some((given) => given !== undefined);
  if (isNamed) {
    cluster.find(params);
    return [];
  }
  return [
    {
      param: 'node',
      message: 'Which node?',
      choices: cluster.nodes.map(({ name, address, role }) => ({ value: name, hint: `${address} ${role}` })),
    },
  ];
}
