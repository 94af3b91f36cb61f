import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  type Scalar,
  type YAMLMap,
} from './yaml-library.ts';
import type { SourceFile, Span } from '../base/index.ts';
import type { DataDocument, DataPath, WrittenScalar } from './document.ts';
import { resolveScalar, type YamlReader } from './scalar.ts';
import { spanOfNode } from './yaml-failures.ts';
import { keyText, mergedInto } from './yaml-value.ts';

type Found = { readonly key?: Node; readonly value?: Node };

/** A document that knows where its parts were written; aliases and merge keys are followed. */
export function dataDocument(document: Document.Parsed, file: SourceFile, source: Span, value: unknown, reader: YamlReader): DataDocument {
  const resolved = (node: Node | undefined): Node | undefined => (isAlias(node) ? node.resolve(document) : node);
  const child = (parent: Node | undefined, part: string | number): Found | undefined => {
    const node = resolved(parent);
    if (isSeq(node)) {
      const item = typeof part === 'number' ? node.items[part] : undefined;
      // `- a: b` as an explicit pair in a flow sequence is a mapping of one.
      return isNode(item) ? { value: item } : isPair(item) ? {} : undefined;
    }
    if (!isMap(node)) return undefined;
    const pair = pairOf(node, String(part));
    if (pair) return { ...(isNode(pair.key) ? { key: pair.key } : {}), ...(isNode(pair.value) ? { value: pair.value } : {}) };
    for (const merged of mergedInto(node)) {
      const inherited = child(merged, part);
      if (inherited) return inherited;
    }
    return undefined;
  };
  const walk = (path: DataPath): Found[] => {
    const found: Found[] = [document.contents ? { value: document.contents } : {}];
    for (const part of path) {
      const next = child(found.at(-1)?.value, part);
      if (!next) break;
      found.push(next);
    }
    return found;
  };
  const firstLine = (): Span => {
    const start = document.contents?.range?.[0] ?? source.start;
    const newline = file.text.indexOf('\n', start);
    return { file, start, end: newline === -1 ? file.text.length : newline };
  };
  return {
    file,
    source,
    value,
    has: (path) => walk(path).length === path.length + 1,
    spanOf(path, part = 'value') {
      const found = walk(path);
      const exists = found.length === path.length + 1;
      for (const { key, value: node } of found.reverse()) {
        const hasText = node?.range && node.range[1] > node.range[0];
        if (exists && part === 'value' && hasText) return spanOfNode(file, node);
        if (key) return spanOfNode(file, key);
        if (hasText && node !== document.contents) return spanOfNode(file, node);
      }
      return firstLine();
    },
    scalarAt(path) {
      const found = walk(path);
      const node = found.length === path.length + 1 ? resolved(found.at(-1)?.value) : undefined;
      return isScalar(node) ? writtenScalar(node, reader) : undefined;
    },
  };
}

function writtenScalar(node: Scalar, reader: YamlReader): WrittenScalar {
  const text = node.source ?? String(node.value ?? '');
  switch (node.type) {
    case 'QUOTE_DOUBLE':
    case 'QUOTE_SINGLE':
      return { text, style: 'quoted', kind: 'string' };
    case 'BLOCK_FOLDED':
    case 'BLOCK_LITERAL':
      return { text, style: 'block', kind: 'string' };
    default:
      return { text, style: 'plain', kind: node.tag === 'tag:yaml.org,2002:str' ? 'string' : resolveScalar(text, reader).kind };
  }
}

function pairOf(map: YAMLMap, name: string): Pair | undefined {
  return map.items.find((pair) => keyText(pair.key) === name);
}
