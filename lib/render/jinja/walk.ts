import type { Expression, Statement } from './ast.ts';

type Node = Expression | Statement;

const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null && 'kind' in value;

/** The direct children of a node, in source order. */
export function childrenOf(node: Node | object): Node[] {
  return Object.values(node).flatMap((value: unknown): Node[] => {
    if (isNode(value)) return [value];
    if (Array.isArray(value))
      return value.flatMap((item: unknown) => (isNode(item) ? [item] : typeof item === 'object' && item !== null ? childrenOf(item) : []));
    if (typeof value === 'object' && value !== null && ('positional' in value || 'defaults' in value)) return childrenOf(value);
    return [];
  });
}

/** Whether a name is read anywhere inside. */
export function mentions(nodes: readonly Node[], name: string): boolean {
  return nodes.some((node) => (node.kind === 'name' && node.name === name) || mentions(childrenOf(node), name));
}
