import {
  type Document,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  type Scalar,
  type Node,
  type YAMLMap,
  type YAMLSeq,
  yamlLibrary,
} from './yaml-library.ts';
import { type Failure, type Place, placeOf, type SourceFile } from '../base/index.ts';
import { withoutMark } from './document.ts';
import { formatFailure } from './failures.ts';
import { resolveScalar } from './scalar.ts';
import { endBlockWithFile } from './yaml-value.ts';

/** A comment line without its `#`. Inline ones stood behind the value of the entry that follows them. */
export class TreeComment {
  readonly text: string;
  readonly isInline: boolean;

  constructor(text: string, isInline: boolean) {
    this.text = text;
    this.isInline = isInline;
  }
}

/** A point in time as RFC 3339 writes it. */
export class TreeTime {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** Integers are bigints, floats are numbers. */
export type TreeScalar = null | boolean | bigint | number | string | TreeTime;
export type TreeValue = TreeScalar | TreeMap | TreeList;
export type TreeList = (TreeValue | TreeComment)[];

/** Entries and the comment lines between them, in order. Every key is text. */
export interface TreeMap {
  entries: (TreeComment | { readonly key: string; value: TreeValue })[];
}

export const isTreeMap = (value: TreeValue | TreeComment): value is TreeMap =>
  typeof value === 'object' && value !== null && 'entries' in value && !Array.isArray(value);

export type ParsedTree = { readonly documents: readonly TreeMap[]; readonly failures: readonly Failure[] };

/**
 * Reads YAML as yaml.v3's nodes do: values by Go's rules, comments as lines of their own, styles forgotten.
 *
 * Failure: `format/syntax` for what is no YAML, for documents that are no mappings and for keys that are no text. Excerpts are left
 * out, because such files hold secrets.
 */
export function parseYamlTree(source: SourceFile): ParsedTree {
  const file = withoutMark(source);
  const parsed = yamlLibrary().parseAllDocuments(file.text, { schema: 'failsafe', logLevel: 'silent', prettyErrors: false });
  const documents = Array.isArray(parsed) ? parsed : [];
  const failures: Failure[] = [];
  const fail = (detail: string, start: number): void => {
    const { excerpt: _, ...where } = placeOf({ file, start, end: start + 1 }) as Extract<Place, { kind: 'file' }>;
    failures.push(formatFailure('format/syntax', { format: 'YAML', problem: detail }, { where }));
  };
  for (const document of documents) for (const error of document.errors) fail(error.code, error.pos[0]);
  const last = documents.at(-1);
  if (last) endBlockWithFile(last, file.text);
  if (failures.length > 0) return { documents: [], failures };
  const comments = commentsOf(file.text);
  const trees: TreeMap[] = [];
  documents.forEach((document, index) => {
    const end = documents[index + 1] ? document.range[2] : file.text.length + 1;
    const start = index === 0 ? 0 : (documents[index - 1]?.range[2] ?? 0);
    const builder = new TreeBuilder(document, file.text, fail);
    const tree = builder.root();
    if (!tree) return;
    builder.place(comments.filter(({ offset }) => offset >= start && offset < end));
    trees.push(tree);
  });
  return { documents: failures.length > 0 ? [] : trees, failures };
}

interface FoundComment {
  readonly offset: number;
  readonly text: string;
}

function commentsOf(text: string): FoundComment[] {
  const found: FoundComment[] = [];
  const visit = (token: unknown): void => {
    if (Array.isArray(token)) for (const item of token) visit(item);
    else if (typeof token === 'object' && token !== null) {
      if ('type' in token && token.type === 'comment' && 'offset' in token && 'source' in token) {
        found.push({ offset: token.offset as number, text: (token.source as string).slice(1) });
      } else for (const child of Object.values(token)) if (typeof child === 'object') visit(child);
    }
  };
  for (const token of new (yamlLibrary().Parser)().parse(text)) visit(token);
  return found.sort((a, b) => a.offset - b.offset);
}

type Container = { readonly kind: 'map'; readonly map: TreeMap } | { readonly kind: 'list'; readonly list: TreeList };

/** One entry of a map or list, where it begins, and the containers that it lies in, outermost first. */
interface Item {
  readonly start: number;
  readonly end: number;
  readonly container: Container;
  readonly entry: unknown;
  readonly path: readonly { readonly container: Container; readonly column: number }[];
  readonly isScalar: boolean;
  readonly inner?: Container | undefined;
}

const largestTree = 200_000;

class TreeBuilder {
  readonly #document: Document;
  readonly #text: string;
  readonly #fail: (detail: string, start: number) => void;
  readonly #items: Item[] = [];
  #root: TreeMap | undefined;
  #size = 0;

  constructor(document: Document, text: string, fail: (detail: string, start: number) => void) {
    this.#document = document;
    this.#text = text;
    this.#fail = fail;
  }

  root(): TreeMap | undefined {
    const { contents } = this.#document;
    const map: TreeMap = { entries: [] };
    this.#root = map;
    if (contents === null || (isScalar(contents) && this.#scalar(contents) === null)) return map;
    const node = isAlias(contents) ? contents.resolve(this.#document) : contents;
    if (!isMap(node)) {
      this.#fail('the document is not a mapping', contents.range?.[0] ?? 0);
      return undefined;
    }
    this.#fillMap(node, map, []);
    return map;
  }

  #column(offset: number): number {
    return offset - (this.#text.lastIndexOf('\n', offset - 1) + 1);
  }

  #fillMap(node: YAMLMap, map: TreeMap, path: Item['path']): void {
    const container: Container = { kind: 'map', map };
    const inside = [...path, { container, column: this.#column(this.#startOf(node.items[0]?.key as Node) ?? node.range?.[0] ?? 0) }];
    for (const pair of node.items) {
      if (!isPair(pair)) continue;
      const keyNode = isAlias(pair.key) ? pair.key.resolve(this.#document) : pair.key;
      const start = this.#startOf(pair.key as Node) ?? 0;
      const key = isScalar(keyNode) ? this.#scalar(keyNode) : undefined;
      if (typeof key !== 'string') {
        this.#fail('only text can be a key', start);
        continue;
      }
      const entry = { key, value: null as TreeValue };
      map.entries.push(entry);
      const made = this.#make(pair.value as Node | null);
      entry.value = made.value;
      this.#items.push({
        start,
        end: (pair.value as Node | null)?.range?.[1] ?? start,
        container,
        entry,
        path: inside,
        isScalar: made.node === undefined,
        inner: made.container,
      });
      if (made.node) this.#fill(made.node, made.container, inside);
    }
  }

  #fill(node: YAMLMap | YAMLSeq, container: Container | undefined, path: Item['path']): void {
    if (container?.kind === 'map' && isMap(node)) this.#fillMap(node, container.map, path);
    else if (container?.kind === 'list' && isSeq(node)) this.#fillList(node, container, path);
  }

  #fillList(node: YAMLSeq, container: Container & { kind: 'list' }, path: Item['path']): void {
    const inside = [...path, { container, column: this.#column(node.range?.[0] ?? 0) }];
    for (const child of node.items as (Node | null)[]) {
      const made = this.#make(child);
      const place = container.list.length;
      container.list.push(made.value);
      const start = this.#startOf(child) ?? node.range?.[0] ?? 0;
      this.#items.push({
        start,
        end: child?.range?.[1] ?? start,
        container,
        entry: made.value === null || typeof made.value !== 'object' ? { place } : made.value,
        path: inside,
        isScalar: made.node === undefined,
        inner: made.container,
      });
      if (made.node) this.#fill(made.node, made.container, inside);
    }
  }

  #make(child: Node | null): { value: TreeValue; node?: YAMLMap | YAMLSeq; container?: Container } {
    this.#size += 1;
    const node = isAlias(child) ? (child.resolve(this.#document) ?? null) : child;
    // Aliases of aliases can unfold a small file into an endless one.
    if (this.#size > largestTree) {
      if (this.#size === largestTree + 1) this.#fail('the file unfolds to too many values', child?.range?.[0] ?? 0);
      return { value: null };
    }
    if (isMap(node)) {
      const map: TreeMap = { entries: [] };
      return { value: map, node, container: { kind: 'map', map } };
    }
    if (isSeq(node)) {
      const list: TreeList = [];
      return { value: list, node, container: { kind: 'list', list } };
    }
    return { value: isScalar(node) ? this.#scalar(node) : null };
  }

  #startOf(node: Node | null | undefined): number | undefined {
    return node?.range?.[0];
  }

  #scalar(node: Scalar): TreeScalar {
    const text = String(node.value ?? '');
    const tag = node.tag?.replace(/^tag:yaml\.org,2002:/, '!!');
    if (tag === '!!binary') return Buffer.from(text.replace(/\s/g, ''), 'base64').toString('latin1');
    const isPlain = node.type === yamlLibrary().Scalar.PLAIN || node.type === undefined || node.type === null;
    if (!isPlain || (tag !== undefined && !['!!int', '!!float', '!!bool', '!!null', '!!timestamp'].includes(tag))) return text;
    const resolved = resolveScalar(text, 'go');
    if (resolved.kind === 'int') return tag === '!!float' ? Number(resolved.value) : BigInt(resolved.value as number | bigint);
    if (resolved.kind === 'timestamp') return new TreeTime(rfc3339(text));
    return resolved.value as TreeScalar;
  }

  /** Puts each comment where yaml.v3 would see it: before the entry that it stands over, or at the end of the block that it is indented like. */
  place(comments: readonly FoundComment[]): void {
    const items = this.#items.sort((a, b) => a.start - b.start);
    const inserts: { container: Container; entry: unknown; comment: TreeComment }[] = [];
    for (const { offset, text } of comments) {
      const lineStart = this.#text.lastIndexOf('\n', offset - 1) + 1;
      const isBehind = this.#text.slice(lineStart, offset).trim() !== '' && this.#text.slice(lineStart, offset).trim() !== '---';
      const before = items.filter((item) => item.start < offset).at(-1);
      const after = items.find((item) => item.start >= offset);
      if (isBehind && before) {
        const owner =
          items
            .filter(
              (item) =>
                item.start < offset && item.end <= offset && item.end >= lineStart && this.#text.slice(item.end, offset).trim() === '',
            )
            .at(0) ?? before;
        if (!owner.isScalar && owner.inner)
          inserts.push({ container: owner.inner, entry: firstOf(owner.inner), comment: new TreeComment(text, false) });
        else inserts.push({ container: owner.container, entry: owner.entry, comment: new TreeComment(text, owner.isScalar) });
        continue;
      }
      const comment = new TreeComment(text, false);
      const column = offset - lineStart;
      const open = before?.path ?? [];
      const isNested = after && !open.some(({ container }) => same(container, after.container));
      const deeper = after ? open.slice(open.findIndex(({ container }) => same(container, after.container)) + 1) : open;
      const closing = isNested
        ? undefined
        : deeper.filter((level) => level.column <= column && (!after || column > this.#column(after.start))).at(-1);
      if (closing) inserts.push({ container: closing.container, entry: undefined, comment });
      else if (after) inserts.push({ container: after.container, entry: after.entry, comment });
      else inserts.push({ container: open[0]?.container ?? { kind: 'map', map: this.#root as TreeMap }, entry: undefined, comment });
    }
    for (const insert of inserts.reverse()) apply(insert);
  }
}

const same = (a: Container, b: Container): boolean =>
  a.kind === 'map' ? b.kind === 'map' && a.map === b.map : b.kind === 'list' && a.list === b.list;
const firstOf = (container: Container): unknown =>
  container.kind === 'map' ? container.map.entries[0] : container.list.length === 0 ? undefined : { place: 0 };

/** Called from the last comment to the first, so that places in lists still count. */
function apply({ container, entry, comment }: { container: Container; entry: unknown; comment: TreeComment }): void {
  if (container.kind === 'map') {
    const { entries } = container.map;
    const at = entry === undefined ? -1 : entries.indexOf(entry as TreeMap['entries'][number]);
    entries.splice(at < 0 ? firstTrailing(entries, at, entry) : firstBefore(entries, at), 0, comment);
    return;
  }
  const { list } = container;
  const isPlace = typeof entry === 'object' && entry !== null && 'place' in entry && typeof entry.place === 'number';
  const values = list.flatMap((item, index) => (item instanceof TreeComment ? [] : [index]));
  const at = entry === undefined ? -1 : isPlace ? (values[(entry as { place: number }).place] ?? -1) : list.indexOf(entry as TreeValue);
  list.splice(at < 0 ? firstTrailing(list, at, entry) : firstBefore(list, at), 0, comment);
}

/** Comments arrive last first: each goes in front of those that are already there. */
function firstBefore(items: readonly unknown[], at: number): number {
  let place = at;
  while (place > 0 && items[place - 1] instanceof TreeComment) place -= 1;
  return place;
}

function firstTrailing(items: readonly unknown[], _at: number, _entry: unknown): number {
  return firstBefore(items, items.length);
}

/** A YAML timestamp as Go's `time.Time` prints it. */
function rfc3339(text: string): string {
  const [, date = '', time, fraction = '', zone = 'Z'] =
    /^(\d{4}-\d{1,2}-\d{1,2})(?:[Tt ]+(\d{1,2}:\d{1,2}:\d{1,2})(\.\d+)? ?(Z|[-+]\d{2}:\d{2})?)?$/.exec(text) ?? [];
  const pad = (value: string, by: string) =>
    value
      .split(by)
      .map((part) => part.padStart(2, '0'))
      .join(by);
  const trimmed = fraction.replace(/0+$/, '').replace(/^\.$/, '');
  return `${pad(date, '-')}T${time ? pad(time, ':') : '00:00:00'}${trimmed}${/^[-+]00:00$/.test(zone) ? 'Z' : zone}`;
}
