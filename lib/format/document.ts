import type { SourceFile, Span } from '../base/index.ts';
import type { ScalarKind } from './scalar.ts';

export type DataPath = readonly (string | number)[];

/** A scalar as it was written. `text` is without quotes, escapes resolved; `kind` is what the reader makes of it. */
export interface WrittenScalar {
  readonly text: string;
  readonly style: 'plain' | 'quoted' | 'block';
  readonly kind: ScalarKind;
}

/** Data and where each part of it was written. */
export interface DataDocument {
  /** Without a byte-order mark; every span counts in this text. */
  readonly file: SourceFile;
  /** The document's own text: for YAML without the `---` lines around it. */
  readonly source: Span;
  /** Plain objects, arrays, strings, numbers, booleans, null; bigint for integers that a number cannot hold. Null for an empty document. */
  readonly value: unknown;
  has(path: DataPath): boolean;
  /**
   * Where the key or the value at `path` was written. A path that does not exist gives the key of its nearest existing ancestor, so
   * that "missing" has a place; the root gives the first line.
   */
  spanOf(path: DataPath, part?: 'key' | 'value'): Span;
  /** Undefined where there is no scalar. */
  scalarAt(path: DataPath): WrittenScalar | undefined;
}

const byteOrderMark = '\uFEFF';

/** Editors do not count the mark as a column, so neither do we. */
export function withoutMark(file: SourceFile): SourceFile {
  return file.text.startsWith(byteOrderMark) ? { ...file, text: file.text.slice(1) } : file;
}

export function hasMark(file: SourceFile): boolean {
  return file.text.startsWith(byteOrderMark);
}

/** `nodes[2].address`, for people. Keys that are not plain words are quoted. */
export function formatPath(path: DataPath): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else if (/^[A-Za-z_][\w-]*$/.test(part)) text += text === '' ? part : `.${part}`;
    else text += `[${JSON.stringify(part)}]`;
  }
  return text;
}
