import { isMap, isNode, isPair, isScalar, isSeq, type Node, type YAMLMap, type YAMLSeq, yamlLibrary } from './yaml-library.ts';
import { type SourceFile, TkError } from '../base/index.ts';
import { type DataPath, formatPath, hasMark, withoutMark } from './document.ts';
import { formatFailure } from './failures.ts';
import { blockText, entry, flow, inBlock, indented, inTheSameQuotes } from './edit-text.ts';

/** `set` replaces what is there or adds the last key of the path; `remove` takes the key with its value, and is content when there is none. */
export type YamlEdit =
  | { readonly op: 'set'; readonly path: DataPath; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: DataPath };

/**
 * Changes values of a YAML file by splicing its text: comments, order, quotes and line ends of everything else stay byte for byte.
 *
 * Shape: of the first document. A list grows by setting the index after its last.
 * Failure: `format/cannot-edit` when the parent is neither a mapping nor a list, or does not exist.
 */
export function editYaml(source: SourceFile, edits: readonly YamlEdit[]): string {
  const file = withoutMark(source);
  const eol = file.text.includes('\r\n') ? '\r\n' : '\n';
  let text = file.text;
  // One after the other: every splice moves what stands below it.
  for (const edit of edits) text = edit.op === 'set' ? setIn(text, edit.path, edit.value, eol) : removeIn(text, edit.path, eol);
  return (hasMark(source) ? '\uFEFF' : '') + text;
}

function setIn(text: string, path: DataPath, value: unknown, eol: string): string {
  const document = yamlLibrary().parseDocument(text, { logLevel: 'silent', strict: false });
  const last = path.at(-1);
  const parent: unknown = path.length < 2 ? document.contents : document.getIn(path.slice(0, -1), true);
  if (last === undefined) throw cannotEdit(path);
  if (parent === null && path.length === 1 && typeof last === 'string') return appended(text, `${entry(last, value)}`, eol);
  if (isMap(parent)) {
    const pair = parent.items.find((item) => isScalar(item.key) && String(item.key.value) === String(last));
    if (!pair) return addToMap(text, parent, last, value, path, eol);
    if (!isNode(pair.value) || !isNode(pair.key)) throw cannotEdit(path);
    return replaceValue(
      text,
      pair.value,
      value,
      { keyEnd: pair.key.range?.[1] ?? 0, column: columnAt(text, pair.key), inFlow: parent.flow === true },
      eol,
    );
  }
  if (isSeq(parent) && typeof last === 'number') {
    const item = parent.items[last];
    if (isNode(item)) return replaceValue(text, item, value, { column: columnAt(text, item) - 2, inFlow: parent.flow === true }, eol);
    if (last === parent.items.length) return addToList(text, parent, value, path, eol);
  }
  throw cannotEdit(path);
}

interface Spot {
  /** Where the key of a mapping's pair ends; absent in lists. */
  readonly keyEnd?: number;
  /** Column of the key, or of the list's dash. */
  readonly column: number;
  readonly inFlow: boolean;
}

function replaceValue(text: string, node: Node, value: unknown, spot: Spot, eol: string): string {
  const [start = 0, valueEnd = 0] = node.range ?? [];
  const end = isBlockScalar(node) ? valueEnd : trimmedEnd(text, start, valueEnd);
  const isOneLine = !text.slice(start, end).includes('\n');
  const written = spot.inFlow ? flow(value) : inBlock(value);
  if (isOneLine && (spot.inFlow || isOneLiner(value, written))) {
    const kept = isScalar(node) && typeof value === 'string' ? inTheSameQuotes(text.slice(start, end), value, written) : written;
    const gap = start === end && spot.keyEnd !== undefined && text[start - 1] !== ' ' ? ' ' : '';
    return text.slice(0, start) + gap + kept + text.slice(end);
  }
  // What stood on the line behind a value of one line stays on the line of the key.
  const comment = isOneLine ? (/^[ \t]+#[^\r\n]*/.exec(text.slice(end))?.[0] ?? '') : '';
  const rest = text.slice(end + comment.length);
  const tail = text[end - 1] === '\n' ? eol : '';
  if (spot.keyEnd !== undefined) {
    const colon = text.indexOf(':', spot.keyEnd) + 1;
    return text.slice(0, colon) + behindColon(value, written, comment, spot.column, eol) + tail + rest;
  }
  if (comment !== '') {
    const dash = text.lastIndexOf('-', start) + 1;
    return text.slice(0, dash) + behindColon(value, written, comment, spot.column, eol) + tail + rest;
  }
  return text.slice(0, start) + indented(written, spot.column + 2, eol).trimStart() + tail + rest;
}

function behindColon(value: unknown, written: string, comment: string, column: number, eol: string): string {
  if (isOneLiner(value, written)) return ` ${written}${comment}`;
  if (typeof value !== 'string') return `${comment}${eol}${indented(written, column + 2, eol)}`;
  const [header = '', ...rest] = written.split('\n');
  return ` ${header}${comment}${eol}${indented(rest.join('\n'), column, eol)}`;
}

function isOneLiner(value: unknown, written: string): boolean {
  return !written.includes('\n') && !isFilled(value);
}

function isBlockScalar(node: Node): boolean {
  return isScalar(node) && node.type?.startsWith('BLOCK') === true;
}

function isFilled(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length > 0;
}

function addToMap(text: string, map: YAMLMap, key: string | number, value: unknown, path: DataPath, eol: string): string {
  if (map.flow) {
    const close = (map.range?.[1] ?? 0) - 1;
    const separator = map.items.length > 0 ? ', ' : ' ';
    const before = text.slice(0, close).trimEnd();
    return `${before}${separator}${flow(key)}: ${flow(value)}${map.items.length > 0 ? text.slice(before.length, close) : ' '}${text.slice(close)}`;
  }
  const first = map.items[0]?.key;
  if (!isNode(first)) throw cannotEdit(path);
  return insertedAfter(text, lastLineEnd(text, map), indented(entry(String(key), value), columnAt(text, first), eol), eol);
}

function addToList(text: string, list: YAMLSeq, value: unknown, path: DataPath, eol: string): string {
  if (list.flow) {
    const close = (list.range?.[1] ?? 0) - 1;
    const before = text.slice(0, close).trimEnd();
    return `${before}${list.items.length > 0 ? ', ' : ''}${flow(value)}${text.slice(before.length, close)}${text.slice(close)}`;
  }
  const start = list.range?.[0];
  if (start === undefined) throw cannotEdit(path);
  return insertedAfter(text, lastLineEnd(text, list), indented(blockText([value]), start - lineStartAt(text, start), eol), eol);
}

function removeIn(text: string, path: DataPath, eol: string): string {
  const document = yamlLibrary().parseDocument(text, { logLevel: 'silent', strict: false });
  const last = path.at(-1);
  const parent: unknown = path.length < 2 ? document.contents : document.getIn(path.slice(0, -1), true);
  if (last === undefined) throw cannotEdit(path);
  if (isSeq(parent)) {
    const item = typeof last === 'number' ? parent.items[last] : undefined;
    if (!isNode(item)) return text;
    if (parent.flow) throw cannotEdit(path);
    return withoutLines(text, item.range?.[0] ?? 0, item, parent.items.length === 1 ? parent : undefined, eol);
  }
  if (!isMap(parent)) return text;
  const pair = parent.items.find((item) => isScalar(item.key) && String(item.key.value) === String(last));
  if (!pair || !isNode(pair.key)) return text;
  if (parent.flow) throw cannotEdit(path);
  return withoutLines(
    text,
    pair.key.range?.[0] ?? 0,
    isNode(pair.value) ? pair.value : pair.key,
    parent.items.length === 1 ? parent : undefined,
    eol,
  );
}

/** The lines from the one of `start` to the end of the node. The only entry of a collection leaves an empty one behind. */
function withoutLines(text: string, start: number, node: Node, emptied: YAMLMap | YAMLSeq | undefined, eol: string): string {
  if (emptied) {
    const [from = 0, to = 0] = emptied.range ?? [];
    return `${text.slice(0, from)}${isMap(emptied) ? '{}' : '[]'}${eol}${text.slice(to)}`;
  }
  const lineStart = lineStartAt(text, start);
  // `- name: x` holds the list's dash: the next key has to take its place.
  const dash = /^\s*(?:- +)+$/.exec(text.slice(lineStart, start))?.[0];
  const end = endOfLine(text, lastOffset(text, node));
  if (dash === undefined || node.range?.[0] === start) return text.slice(0, lineStart) + text.slice(end);
  return text.slice(0, start) + text.slice(end).replace(/^ */, '');
}

function appended(text: string, line: string, eol: string): string {
  const separator = text === '' || text.endsWith('\n') ? '' : eol;
  return `${text}${separator}${line.replaceAll('\n', eol)}${eol}`;
}

function insertedAfter(text: string, offset: number, lines: string, eol: string): string {
  const before = text.slice(0, offset);
  return `${before}${before.endsWith('\n') ? '' : eol}${lines}${eol}${text.slice(offset)}`;
}

function lastLineEnd(text: string, node: Node): number {
  return endOfLine(text, lastOffset(text, node));
}

/** Just behind the last character that belongs to the node: block collections and block scalars run on into blank lines and comments. */
function lastOffset(text: string, node: Node): number {
  if ((isMap(node) || isSeq(node)) && node.flow) return node.range?.[1] ?? 0;
  const item: unknown = isMap(node) || isSeq(node) ? node.items.at(-1) : undefined;
  if (isNode(item)) return lastOffset(text, item);
  if (isPair(item)) {
    const written = [item.value, item.key].find((part) => isNode(part) && (part.range?.[1] ?? 0) > (part.range?.[0] ?? 0));
    if (isNode(written)) return lastOffset(text, written);
  }
  const [start = 0, end = 0] = node.range ?? [];
  // The blank lines of `|+` are its value.
  return isBlockScalar(node) && /^[|>][0-9]*\+/.test(text.slice(start)) ? end : trimmedEnd(text, start, end);
}

function trimmedEnd(text: string, start: number, end: number): number {
  return start + text.slice(start, end).trimEnd().length;
}

/** Behind the newline of the line that holds `offset`. */
function endOfLine(text: string, offset: number): number {
  if (text[offset - 1] === '\n') return offset;
  const newline = text.indexOf('\n', offset);
  return newline === -1 ? text.length : newline + 1;
}

function lineStartAt(text: string, offset: number): number {
  return text.lastIndexOf('\n', offset - 1) + 1;
}

function columnAt(text: string, node: Node): number {
  const start = node.range?.[0] ?? 0;
  return start - lineStartAt(text, start);
}

function cannotEdit(path: DataPath): TkError {
  return new TkError(formatFailure('format/cannot-edit', { path: formatPath(path) }));
}
