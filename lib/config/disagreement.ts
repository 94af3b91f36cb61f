import { type Failure, placeOf, relatedPlace } from '../base/index.ts';
import { configFailure } from './failures.ts';
import type { ClusterModel, NodeModel } from './model.ts';

/**
 * Two descriptions of one cluster have to tell the same about every node: which there are, their addresses and roles. The place is
 * in the first, the other one is named beside it.
 */
export function sourceDisagreements(first: ClusterModel, second: ClusterModel): Failure[] {
  const failures: Failure[] = [];
  const others = new Map(second.nodes.map((node) => [node.name, node]));
  for (const node of first.nodes) {
    const other = others.get(node.name);
    if (!other) failures.push(disagreement(node, undefined, 'presence', first.source, second.source));
    else if (node.address !== other.address) failures.push(disagreement(node, other, 'address', first.source, second.source));
    else if (node.role !== other.role) failures.push(disagreement(node, other, 'role', first.source, second.source));
  }
  const names = new Set(first.nodes.map(({ name }) => name));
  for (const node of second.nodes) {
    if (!names.has(node.name)) failures.push(disagreement(node, undefined, 'presence', second.source, first.source));
  }
  return failures;
}

function disagreement(
  node: NodeModel,
  other: NodeModel | undefined,
  fact: 'presence' | 'address' | 'role',
  first: string,
  second: string,
): Failure {
  const related = other ? [relatedPlace(other.declaredAt, 'and otherwise here')] : [];
  return configFailure('config/sources-disagree', { node: node.name, fact, first, second }, { where: placeOf(node.declaredAt, related) });
}
