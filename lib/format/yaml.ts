import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  Lexer,
  type Node,
  type Pair,
  parseAllDocuments,
  type Scalar,
  type ScalarTag,
  visit,
  type YAMLError,
  type YAMLMap,
} from 'yaml';
import { type Failure, placeOf, relatedPlace, type SourceFile, type Span } from '../base/index.ts';
import { type DataDocument, type DataPath, withoutMark, type WrittenScalar } from './document.ts';
import { formatFailure } from './failures.ts';
import { resolveScalar, type YamlReader } from './scalar.ts';
import { keyText, mergedInto, valueOfDocument } from './yaml-value.ts';

export interface YamlOptions {
  /** Default `go`: nearly every file here ends in front of Talos, Flux or SOPS. */
  readonly version?: YamlReader;
  /** The file holds secrets: failures carry neither its text nor what the reader quotes of it. */
  readonly confidential?: boolean;
}

export interface ParsedData {
  /** Also filled after failures, with whatever could be read. */
  readonly documents: readonly DataDocument[];
  readonly failures: readonly Failure[];
}

/**
 * Reads all documents of a YAML file. Files that hold nothing but comments have no document.
 *
 * Failure: `format/syntax`, `format/duplicate-key`, `format/alias`, `format/too-deep`; all of them with their place.
 */
export function parseYaml(source: SourceFile, options: YamlOptions = {}): ParsedData {
  const file = withoutMark(source);
  const reader = options.version ?? 'go';
  const failures: Failure[] = [];
  const place = placer(options.confidential === true);
  if (nestsTooDeep(file.text)) {
    // No excerpt: the line is one nobody wants to see.
    const where = placer(true)({ file, start: 0, end: 1 });
    return { documents: [], failures: [formatFailure('format/too-deep', { format: 'YAML' }, { where })] };
  }
  const parsed = parseAllDocuments(file.text, {
    schema: 'failsafe',
    customTags: (tags) => [...tags, ...tagsOf(reader)],
    merge: true,
    logLevel: 'silent',
    prettyErrors: false,
  });
  const documents: DataDocument[] = [];
  let end = 0;
  const all = Array.isArray(parsed) ? parsed : [];
  for (const [index, document] of all.entries()) {
    for (const error of document.errors) failures.push(failureOfError(error, document, file, options.confidential === true));
    const aliases = aliasFailures(document, file, place);
    failures.push(...aliases);
    const value = aliases.length > 0 ? null : valueOf(document, file, failures, place);
    const nextStart = all[index + 1]?.range[0] ?? file.text.length;
    documents.push(dataDocument(document, file, sourceSpan(file, end, document.range[0], nextStart), value, reader));
    end = nextStart;
  }
  return { documents, failures };
}

function placer(confidential: boolean) {
  return (span: Span, first?: Span) => {
    const place = placeOf(span, first ? [relatedPlace(first, 'first written here')] : []);
    if (!confidential || place.kind !== 'file') return place;
    const { excerpt: _, ...rest } = place;
    return rest;
  };
}

const wordsOf: Record<YamlReader, RegExp> = {
  go: /^(?:~|null|Null|NULL|true|True|TRUE|false|False|FALSE)?$/,
  core: /^(?:~|null|Null|NULL|true|True|TRUE|false|False|FALSE)?$/,
  kubernetes: /^(?:~|null|Null|NULL|true|True|TRUE|false|False|FALSE|[yYnN]|yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF)?$/,
};

function tagsOf(reader: YamlReader): ScalarTag[] {
  const resolve = (text: string) => resolveScalar(text, reader).value;
  return [
    { tag: 'tag:yaml.org,2002:null', default: true, test: wordsOf[reader], resolve },
    { tag: 'tag:yaml.org,2002:int', default: true, test: /^[-+.0-9]/, resolve },
    { tag: 'tag:yaml.org,2002:float', resolve: (text: string) => Number(resolve(text)) },
    { tag: 'tag:yaml.org,2002:bool', resolve },
  ];
}

const deepest = 500;

/** The library recurses per level, and V8 ends the process when it runs out of stack inside a regular expression. */
function nestsTooDeep(text: string): boolean {
  let flow = 0;
  let openings = 0;
  for (const bracket of text.matchAll(/[[\]{}]/g)) {
    flow = bracket[0] === '[' || bracket[0] === '{' ? flow + 1 : Math.max(0, flow - 1);
    openings = Math.max(openings, flow);
  }
  if (openings > deepest && flowDepth(text) > deepest) return true;
  const indents: number[] = [];
  for (const line of text.matchAll(/^( *)((?:[-?] +)*)\S/gm)) {
    const indent = line[1]?.length ?? 0;
    while ((indents.at(-1) ?? -1) >= indent) indents.pop();
    indents.push(indent);
    const indicators = (line[2] ?? '').replaceAll(' ', '').length;
    if (indents.length + indicators > deepest) return true;
    for (let index = 1; index <= indicators; index += 1) indents.push(indent + index);
  }
  return false;
}

function flowDepth(text: string): number {
  let depth = 0;
  let most = 0;
  for (const token of new Lexer().lex(text)) {
    if (token === '[' || token === '{') most = Math.max(most, (depth += 1));
    else if (token === ']' || token === '}') depth -= 1;
  }
  return most;
}

function failureOfError(error: YAMLError, document: Document.Parsed, file: SourceFile, confidential: boolean): Failure {
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
  visit(document, {
    Map(_, map) {
      for (const pair of map.items) {
        if (!isNode(pair.key) || pair.key.range?.[0] !== start) continue;
        const name = keyText(pair.key);
        const first = map.items.find((other) => isNode(other.key) && keyText(other.key) === name)?.key;
        const key = { name, span: spanOfNode(file, pair.key) };
        found = isNode(first) && first !== pair.key ? { key, first: spanOfNode(file, first) } : { key };
        return visit.BREAK;
      }
      return undefined;
    },
  });
  return found;
}

function aliasFailures(document: Document.Parsed, file: SourceFile, place: ReturnType<typeof placer>): Failure[] {
  const failures: Failure[] = [];
  visit(document, {
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

function valueOf(document: Document.Parsed, file: SourceFile, failures: Failure[], place: ReturnType<typeof placer>): unknown {
  const found = valueOfDocument(document);
  switch (found.state) {
    case 'read':
      return found.value;
    case 'complex-key':
      failures.push(formatFailure('format/complex-key', {}, { where: place(spanOfNode(file, found.key)) }));
      return null;
    case 'too-many-aliases': {
      const [start, end] = document.range;
      failures.push(formatFailure('format/alias', { problem: 'too-many' }, { where: place({ file, start, end }) }));
      return null;
    }
  }
}

/** From behind its own `---` to the next one, comments included. */
function sourceSpan(file: SourceFile, previousEnd: number, start: number, nextStart: number): Span {
  const text = file.text.slice(start, nextStart);
  const marker = /^---(?:[ \t]*\r?\n|[ \t]+|$)/.exec(text);
  const ending = /(?:^|\n)\.\.\.[ \t]*\r?\n?$/.exec(text);
  const end = ending ? nextStart - ending[0].replace(/^\n/, '').length : nextStart;
  return { file, start: Math.min(end, marker ? start + marker[0].length : Math.min(previousEnd, start)), end };
}

function spanOfNode(file: SourceFile, node: Node): Span {
  const [start, end] = node.range ?? [0, 0];
  return { file, start, end };
}

type Found = { readonly key?: Node; readonly value?: Node };

function dataDocument(document: Document.Parsed, file: SourceFile, source: Span, value: unknown, reader: YamlReader): DataDocument {
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
    const found: Found[] = [{ ...(document.contents ? { value: document.contents } : {}) }];
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
