import { suggestionFor, TkError } from '../base/index.ts';
import type { NodeModel } from '../config/index.ts';
import type { NodeSelector } from './cluster.ts';
import { clusterFailure } from './failures.ts';

/** `vip`: the address that moves between control planes, to be told from a misspelt one. Failure: `cluster/node-not-named`, `cluster/unknown-node`, `cluster/nodes-disagree`. */
export function findNode(nodes: readonly NodeModel[], selector: NodeSelector, vip?: string): NodeModel {
  const asked = (['ip', 'node', 'hostname'] as const).flatMap((by) =>
    selector[by] === undefined || selector[by] === '' ? [] : [{ by, word: selector[by] }],
  );
  const [first, ...others] = asked.map(({ by, word }) => {
    const found = nodes.find((node) => (by === 'ip' ? node.addresses.includes(word) : node.name === word));
    if (found) return found;
    const known = nodes.map((node) => (by === 'ip' ? node.address : node.name));
    const suggestion = suggestionFor(word, known);
    const isVip = by === 'ip' && word === vip;
    throw new TkError(
      clusterFailure('cluster/unknown-node', { asked: word, by, known, ...(isVip ? { isVip } : suggestion ? { suggestion } : {}) }),
    );
  });
  if (first === undefined) throw new TkError(clusterFailure('cluster/node-not-named', { known: nodes.map((node) => node.name) }));
  if (others.some((other) => other !== first))
    throw new TkError(clusterFailure('cluster/nodes-disagree', { asked: asked.map(({ word }) => word) }));
  return first;
}
