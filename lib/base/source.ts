/** A text file and where its lines begin. `path` is relative to the repository's root where it lies inside it. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
  /**
   * For a text that was made from another: decrypted, filled in, cut out of a file. What to show for a place in it; without an
   * excerpt where nobody may see the text. Absent: the text is the file's.
   */
  readonly shown?: (place: FilePlace) => Place;
  /** With `shown`: the text as people wrote it, before variables were filled in. Absent: a message may quote nothing of it. */
  readonly written?: string | undefined;
}

/** Half-open range of UTF-16 offsets into a source file's text. */
export interface Span {
  readonly file: SourceFile;
  readonly start: number;
  readonly end: number;
}

/** One-based; columns count UTF-16 units. */
export interface LineColumn {
  readonly line: number;
  readonly column: number;
}

/**
 * Where a failure belongs. A file place carries its excerpt with it, so that printing needs no file system and a failure
 * read back from a journal prints the same.
 */
export type Place =
  | {
      readonly kind: 'file';
      readonly path: string;
      readonly line: number;
      readonly column: number;
      readonly excerpt?: Excerpt;
      readonly related?: readonly RelatedPlace[];
    }
  | { readonly kind: 'step'; readonly task: string; readonly step?: string; readonly node?: string };

export type FilePlace = Extract<Place, { readonly kind: 'file' }>;

/** A file whose text nobody may see: places in it have no excerpt. */
export function hidden(file: SourceFile): SourceFile {
  return {
    path: file.path,
    text: file.text,
    shown(found) {
      const place = file.shown?.(found) ?? found;
      if (place.kind !== 'file') return place;
      const { excerpt: _, ...rest } = place;
      return rest;
    },
  };
}

export type RelatedPlace = { readonly path: string; readonly line: number; readonly column: number; readonly note: string };

/** The text of the line, and how many columns from `column` on are meant. */
export type Excerpt = { readonly text: string; readonly length: number };

export function lineColumnAt(text: string, offset: number): LineColumn {
  let line = 1;
  let lineStart = 0;
  for (let index = text.indexOf('\n'); index !== -1 && index < offset; index = text.indexOf('\n', index + 1)) {
    line += 1;
    lineStart = index + 1;
  }
  return { line, column: offset - lineStart + 1 };
}

const knownStarts = new WeakMap<SourceFile, readonly number[]>();

/** Offsets at which the lines begin. A file that is asked for many places is counted through once. */
export function lineStarts(file: SourceFile): readonly number[] {
  let starts = knownStarts.get(file);
  if (starts) return starts;
  const found = [0];
  for (let index = file.text.indexOf('\n'); index !== -1; index = file.text.indexOf('\n', index + 1)) found.push(index + 1);
  starts = found;
  knownStarts.set(file, starts);
  return starts;
}

/** Shorter texts are counted through each time. */
const longEnough = 4096;

function lineColumnIn(file: SourceFile, offset: number): LineColumn {
  if (file.text.length < longEnough) return lineColumnAt(file.text, offset);
  const starts = lineStarts(file);
  let [low, high] = [0, starts.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
}

export function placeOf(span: Span, related: readonly RelatedPlace[] = []): Place {
  const { line, column } = lineColumnIn(span.file, span.start);
  const lineStart = span.start - (column - 1);
  const newline = span.file.text.indexOf('\n', lineStart);
  const text = span.file.text.slice(lineStart, newline === -1 ? undefined : newline).replace(/\r$/, '');
  const length = Math.max(1, Math.min(span.end - span.start, text.length - (column - 1)));
  const place: FilePlace = {
    kind: 'file',
    path: span.file.path,
    line,
    column,
    excerpt: { text, length },
    ...(related.length > 0 ? { related } : {}),
  };
  return span.file.shown === undefined ? place : span.file.shown(place);
}

export function relatedPlace(span: Span, note: string): RelatedPlace {
  const place = placeOf(span);
  return place.kind === 'file'
    ? { path: place.path, line: place.line, column: place.column, note }
    : { path: span.file.path, ...lineColumnIn(span.file, span.start), note };
}
