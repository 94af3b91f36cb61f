import {
  COLLECTION_STYLE,
  type Event,
  EVENT_ID,
  getScalarValue,
  parseEvents,
  SCALAR_STYLE,
  type ScalarEvent,
  YAMLException,
} from 'js-yaml';
import type { SourceFile, Span } from '../base/index.ts';
import type { DataDocument, DataPath, WrittenScalar } from './document.ts';
import { resolveScalar, type YamlReader } from './scalar.ts';

/** Where a part of the document was written, and what lies below it. Half-open; an empty scalar has no text. */
interface Part {
  readonly start: number;
  readonly end: number;
  readonly scalar?: ScalarEvent;
  readonly entries?: Map<string, Entry>;
  readonly items?: Part[];
}

type Entry = { readonly key: Part; readonly value: Part };

/** A mapping or list that has begun. */
interface Frame {
  readonly start: number;
  readonly isFlow: boolean;
  readonly entries: Map<string, Entry> | undefined;
  readonly items: Part[] | undefined;
  /** Of one of the two. */
  readonly map: Record<string, unknown> | undefined;
  readonly list: unknown[] | undefined;
  key: Part | undefined;
  hasKey: boolean;
  name: string;
}

class NotSimple extends Error {}

/**
 * Reads a file of one document that uses none of YAML's rarer means: anchors, tags, directives, merged mappings, keys that are no text
 * or occur twice, tabs. That is nearly every file, and it takes a fifth of the time. Where its parts were written is found out when
 * somebody first asks, by reading it again: hardly any run has something to say about most of its files.
 *
 * Undefined for every other file and for every file with an error: the thorough reader says what is wrong with it.
 */
export function quickDocument(file: SourceFile, reader: YamlReader, source: Span): DataDocument | undefined {
  const { text } = file;
  // What the libraries take differently, or what the events do not tell.
  if (/[\t\r\v\f\0\u0085\u2028\u2029\uFEFF]|^%|(?:^|[\s,[{-])\?(?:\s|$)|(?!^)\n(?:---|\.\.\.)/m.test(text)) return undefined;
  try {
    const root = new Builder(text, reader, false).build(parseEvents(text, {}));
    return root && documentOf(root.value, file, reader, source);
  } catch (error) {
    if (error instanceof YAMLException || error instanceof NotSimple) return undefined;
    throw error;
  }
}

type Root = { readonly part: Part | undefined; readonly value: unknown };

class Builder {
  readonly #text: string;
  readonly #reader: YamlReader;
  readonly #withParts: boolean;
  readonly #open: Frame[] = [];
  #root: Root | undefined;

  constructor(text: string, reader: YamlReader, withParts: boolean) {
    this.#text = text;
    this.#reader = reader;
    this.#withParts = withParts;
  }

  build(events: readonly Event[]): Root | undefined {
    let documents = 0;
    for (const event of events) {
      switch (event.type) {
        case EVENT_ID.DOCUMENT:
          documents += 1;
          if (documents > 1 || event.directives.length > 0) throw new NotSimple();
          if (event.explicitEnd || (event.explicitStart && !this.#text.startsWith('---'))) throw new NotSimple();
          break;
        case EVENT_ID.ALIAS:
          throw new NotSimple();
        case EVENT_ID.POP:
          this.#close();
          break;
        default:
          if (event.anchorStart !== -1 || event.tagStart !== -1) throw new NotSimple();
          if (event.type === EVENT_ID.SCALAR) this.#scalar(event);
          else this.#begin(event.start, event.type === EVENT_ID.MAPPING, event.style === COLLECTION_STYLE.FLOW);
      }
    }
    return this.#root;
  }

  #scalar(event: ScalarEvent): void {
    const isBlock = event.style === SCALAR_STYLE.LITERAL_BLOCK || event.style === SCALAR_STYLE.FOLDED_BLOCK;
    const part = this.#withParts || isBlock ? this.#partOf(event) : undefined;
    const frame = this.#open.at(-1);
    const isKey = frame?.map !== undefined && !frame.hasKey;
    // `{a}` is a key that was given no value, not even an empty one.
    if (event.valueStart === -1 && (isKey || frame === undefined || frame.isFlow)) throw new NotSimple();
    const written = getScalarValue(this.#text, event);
    const value = event.style === SCALAR_STYLE.PLAIN ? resolveScalar(written, this.#reader).value : written;
    if (!isKey) return this.#put(part, value);
    const name = value === null ? '' : String(value);
    if (Object.hasOwn(frame.map, name) || name === '<<' || name === '__proto__') throw new NotSimple();
    frame.key = part;
    frame.hasKey = true;
    frame.name = name;
  }

  #partOf(event: ScalarEvent): Part {
    const { valueStart, valueEnd } = event;
    switch (event.style) {
      case SCALAR_STYLE.SINGLE_QUOTED:
      case SCALAR_STYLE.DOUBLE_QUOTED:
        return { start: valueStart - 1, end: valueEnd + 1, scalar: event };
      case SCALAR_STYLE.PLAIN:
        return { start: valueStart, end: valueEnd, scalar: event };
      default: {
        // Whether the last line counts as ended is a matter of its own.
        if (valueEnd >= this.#text.length && !this.#text.endsWith('\n')) throw new NotSimple();
        const header = this.#text.lastIndexOf('\n', valueStart - 2) + 1;
        const found = /[|>][-+0-9]*(?: +#.*| *)$/.exec(this.#text.slice(header, valueStart - 1));
        if (!found || valueStart <= 0) throw new NotSimple();
        let end = valueEnd;
        while (end > valueStart && this.#text[end - 1] === '\n' && this.#text[end - 2] === '\n') end -= 1;
        return { start: header + found.index, end, scalar: event };
      }
    }
  }

  #begin(start: number, isMap: boolean, isFlow: boolean): void {
    const frame = this.#open.at(-1);
    const opensKey = frame?.map !== undefined && !frame.hasKey;
    // `[a: b]` is a mapping without brackets of its own.
    if (opensKey || (isFlow && this.#text[start] !== (isMap ? '{' : '['))) throw new NotSimple();
    this.#open.push({
      start,
      isFlow,
      entries: isMap && this.#withParts ? new Map() : undefined,
      items: isMap || !this.#withParts ? undefined : [],
      map: isMap ? {} : undefined,
      list: isMap ? undefined : [],
      key: undefined,
      hasKey: false,
      name: '',
    });
  }

  #close(): void {
    const frame = this.#open.pop();
    if (frame === undefined) return;
    const { start, entries, items } = frame;
    const value = Object.freeze(frame.map ?? frame.list);
    if (!this.#withParts) return this.#put(undefined, value);
    const end = this.#endOf(frame);
    this.#put(entries ? { start, end, entries } : { start, end, items: items ?? [] }, value);
  }

  #last = 0;

  #put(part: Part | undefined, value: unknown): void {
    const frame = this.#open.at(-1);
    if (frame === undefined) this.#root = { part, value };
    else if (frame.list) frame.list.push(value);
    else if (frame.map) frame.map[frame.name] = value;
    if (part !== undefined) this.#place(part, frame);
    if (frame !== undefined) frame.hasKey = false;
  }

  #place(part: Part, frame: Frame | undefined): void {
    this.#last = Math.max(this.#last, part.end);
    if (frame?.items) frame.items.push(part);
    else if (frame?.entries && frame.key) {
      frame.entries.set(frame.name, { key: frame.key, value: part });
      this.#last = Math.max(this.#last, frame.key.end);
    }
  }

  /** A block ends with the line of what is last in it; brackets end where they close, behind commas and comments. */
  #endOf(frame: Frame): number {
    const text = this.#text;
    let at = Math.max(this.#last, frame.start + (frame.isFlow ? 1 : 0));
    if (!frame.isFlow) {
      const newline = text[at - 1] === '\n' ? at - 1 : text.indexOf('\n', at);
      return newline === -1 ? text.length : newline + 1;
    }
    const closing = text[frame.start] === '{' ? '}' : ']';
    while (at < text.length && text[at] !== closing) {
      const newline = text[at] === '#' ? text.indexOf('\n', at) : -1;
      at = newline === -1 ? at + 1 : newline;
    }
    return at + 1;
  }
}

function documentOf(value: unknown, file: SourceFile, reader: YamlReader, source: Span): DataDocument {
  let known: Part | undefined;
  const root = (): Part => (known ??= new Builder(file.text, reader, true).build(parseEvents(file.text, {}))?.part ?? { start: 0, end: 0 });
  const span = ({ start, end }: Part): Span => ({ file, start, end });
  const walk = (path: DataPath): { readonly key?: Part; readonly value: Part }[] => {
    let at = root();
    const found: { readonly key?: Part; readonly value: Part }[] = [{ value: at }];
    for (const part of path) {
      const item = typeof part === 'number' ? at.items?.[part] : undefined;
      const next = at.items ? item && { value: item } : at.entries?.get(String(part));
      if (!next) break;
      found.push(next);
      at = next.value;
    }
    return found;
  };
  const firstLine = (): Span => {
    const { start } = root();
    const newline = file.text.indexOf('\n', start);
    return { file, start, end: newline === -1 ? file.text.length : newline };
  };
  return {
    file,
    source,
    value,
    has: (path) => holds(value, path),
    spanOf(path, part = 'value') {
      const found = walk(path);
      const exists = found.length === path.length + 1;
      for (const { key, value } of found.reverse()) {
        const hasText = value.end > value.start;
        if (exists && part === 'value' && hasText) return span(value);
        if (key) return span(key);
        if (hasText && value !== root()) return span(value);
      }
      return firstLine();
    },
    scalarAt(path) {
      const found = walk(path);
      const event = found.length === path.length + 1 ? found.at(-1)?.value.scalar : undefined;
      return event && writtenScalar(event, file.text, reader);
    },
  };
}

function holds(value: unknown, path: DataPath): boolean {
  let at = value;
  for (const part of path) {
    if (typeof at !== 'object' || at === null || (Array.isArray(at) && typeof part !== 'number') || !Object.hasOwn(at, part)) return false;
    at = (at as Record<string | number, unknown>)[part];
  }
  return true;
}

function writtenScalar(event: ScalarEvent, text: string, reader: YamlReader): WrittenScalar {
  const written = getScalarValue(text, event);
  switch (event.style) {
    case SCALAR_STYLE.PLAIN:
      return { text: written, style: 'plain', kind: resolveScalar(written, reader).kind };
    case SCALAR_STYLE.SINGLE_QUOTED:
    case SCALAR_STYLE.DOUBLE_QUOTED:
      return { text: written, style: 'quoted', kind: 'string' };
    default:
      return { text: written, style: 'block', kind: 'string' };
  }
}
