import { type Document, isAlias, isMap, isNode, isScalar, isSeq, type Node, type Scalar, type YAMLMap } from './yaml-library.ts';

/** What the nodes of a document come to, or why they come to nothing. */
export type NodeValue =
  | { readonly state: 'read'; readonly value: unknown }
  /** A mapping or list as a key: no reader of ours can use it. */
  | { readonly state: 'complex-key'; readonly key: Node }
  | { readonly state: 'too-many-aliases' };

/** Far beyond any real file, and read at once. */
const mostAliased = 200_000;

class ComplexKey extends Error {
  readonly key: Node;

  constructor(key: Node) {
    super('complex key');
    this.key = key;
  }
}

class TooManyAliases extends Error {}

/**
 * Plain data of a document. The aliases have been checked: each has an anchor, and none lies inside of its own.
 *
 * Shape: keys are text; of merged mappings the earlier wins, and a mapping's own keys win over all of them.
 */
export function valueOfDocument(document: Document.Parsed): NodeValue {
  let aliased = 0;
  const read = (node: unknown, depth: number): unknown => {
    if (depth > 0 && (aliased += 1) > mostAliased) throw new TooManyAliases();
    if (isAlias(node)) return read(node.resolve(document), depth + 1);
    // `!!binary` is base64 of a text to Go.
    if (isScalar(node)) return node.value instanceof Uint8Array ? new TextDecoder().decode(node.value) : (node.value ?? null);
    if (isSeq(node)) return node.items.map((item) => read(item, depth));
    return isMap(node) ? mapping(node, depth) : null;
  };
  const mapping = (map: YAMLMap, depth: number): Record<string, unknown> => {
    const data: Record<string, unknown> = {};
    for (const pair of map.items) {
      if (isMergeKey(pair.key)) continue;
      if (isNode(pair.key) && !isScalar(pair.key) && !isAlias(pair.key)) throw new ComplexKey(pair.key);
      put(data, keyText(isAlias(pair.key) ? pair.key.resolve(document) : pair.key), read(pair.value, depth));
    }
    for (const merged of mergedInto(map)) {
      const inherited = read(merged, depth);
      if (typeof inherited !== 'object' || inherited === null || Array.isArray(inherited)) continue;
      for (const [key, value] of Object.entries(inherited)) if (!Object.hasOwn(data, key)) put(data, key, value);
    }
    return data;
  };
  try {
    return { state: 'read', value: read(document.contents, 0) };
  } catch (error) {
    if (error instanceof ComplexKey) return { state: 'complex-key', key: error.key };
    if (error instanceof TooManyAliases) return { state: 'too-many-aliases' };
    throw error;
  }
}

function put(data: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__') Object.defineProperty(data, key, { value, enumerable: true, configurable: true, writable: true });
  else data[key] = value;
}

export function keyText(key: unknown): string {
  const value = isScalar(key) ? key.value : key;
  return value === null || value === undefined ? '' : String(value);
}

function isMergeKey(key: unknown): boolean {
  return isScalar(key) && key.type === 'PLAIN' && key.source === '<<';
}

/** The mappings that `<<` names, the one that wins first. */
export function mergedInto(map: YAMLMap): Node[] {
  const merge = map.items.find((pair) => isMergeKey(pair.key))?.value;
  if (isSeq(merge)) return merge.items.filter(isNode);
  return isNode(merge) ? [merge] : [];
}

/**
 * Go's readers take a text block that the file ends in, without a line break, for one that does not end in a line break either.
 *
 * Source: go.yaml.in/yaml/v3 scannerc.go, yaml_parser_scan_block_scalar
 */
export function endBlockWithFile(document: Document.Parsed, text: string): void {
  if (/[\r\n][ \t]*$/.test(text)) return;
  const last = lastScalar(document.contents);
  if (last?.type !== 'BLOCK_LITERAL' && last?.type !== 'BLOCK_FOLDED') return;
  if ((last.range?.[1] ?? 0) < text.length || typeof last.value !== 'string') return;
  last.value = last.value.replace(/\n$/, '');
}

function lastScalar(node: unknown): Scalar | undefined {
  if (isMap(node)) return lastScalar(node.items.at(-1)?.value);
  if (isSeq(node)) return lastScalar(node.items.at(-1));
  return isScalar(node) ? node : undefined;
}
