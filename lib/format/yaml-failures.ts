import { type Document, isNode, type Node, type YAMLError, yamlLibrary } from './yaml-library.ts';
import { type Failure, placeOf, relatedPlace, type SourceFile, type Span } from '../base/index.ts';
import { formatFailure } from './failures.ts';
import { keyText } from './yaml-value.ts';

export type Placer = (span: Span, first?: Span) => ReturnType<typeof placeOf>;

/** Places of a confidential file come without its text. */
export function placer(confidential: boolean): Placer {
  return (span: Span, first?: Span) => {
    const place = placeOf(span, first ? [relatedPlace(first, 'first written here')] : []);
    if (!confidential || place.kind !== 'file') return place;
    const { excerpt: _, ...rest } = place;
    return rest;
  };
}

/** What the library found, told without quoting the file where that is not wanted. */
export function failureOfError(error: YAMLError, document: Document.Parsed, file: SourceFile, confidential: boolean): Failure {
  const place = placer(confidential);
  const [start, end] = error.pos;
  if (error.code === 'DUPLICATE_KEY') {
    const { key, first } = duplicateAt(document, file, start);
    return formatFailure('format/duplicate-key', { key: key.name }, { where: place(key.span, first) });
  }
  const span = { file, start: Math.min(start, file.text.length), end: Math.min(end, file.text.length) };
  // The rest of some messages quotes the file.
  const problem = /^[^":\n]*/.exec(error.message)?.[0].trim() ?? '';
  return formatFailure('format/syntax', { format: 'YAML', ...(confidential ? {} : { problem }) }, { where: place(span) });
}

function duplicateAt(document: Document.Parsed, file: SourceFile, start: number) {
  let found: { key: { name: string; span: Span }; first?: Span } = { key: { name: '', span: { file, start, end: start + 1 } } };
  yamlLibrary().visit(document, {
    Map(_, map) {
      for (const pair of map.items) {
        if (!isNode(pair.key) || pair.key.range?.[0] !== start) continue;
        const name = keyText(pair.key);
        const first = map.items.find((other) => isNode(other.key) && keyText(other.key) === name)?.key;
        const key = { name, span: spanOfNode(file, pair.key) };
        found = isNode(first) && first !== pair.key ? { key, first: spanOfNode(file, first) } : { key };
        return yamlLibrary().visit.BREAK;
      }
      return undefined;
    },
  });
  return found;
}

/** Aliases without an anchor, and those that stand inside of their own. */
export function aliasFailures(document: Document.Parsed, file: SourceFile, place: Placer): Failure[] {
  const failures: Failure[] = [];
  yamlLibrary().visit(document, {
    Alias(_, alias) {
      const target = alias.resolve(document);
      const [start = 0] = alias.range ?? [];
      const [from = 0, to = 0] = target?.range ?? [];
      if (!target) failures.push(formatFailure('format/alias', { problem: 'unknown' }, { where: place(spanOfNode(file, alias)) }));
      else if (from < start && start < to) {
        failures.push(formatFailure('format/alias', { problem: 'cyclic' }, { where: place(spanOfNode(file, alias)) }));
      }
    },
  });
  return failures;
}

export function spanOfNode(file: SourceFile, node: Node): Span {
  const [start, end] = node.range ?? [0, 0];
  return { file, start, end };
}
