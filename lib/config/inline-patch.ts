import { lineStarts, placeOf, type SourceFile, type Span } from '../base/index.ts';
import { originalPlace, type TalconfigSource } from './talconfig-read.ts';

/** The text of an inline patch; a place in it is shown where it stands in the talconfig. */
export function inPlace(source: TalconfigSource, at: readonly (string | number)[], text: string): SourceFile {
  const { document } = source;
  const spanOf = () => document.spanOf(at, 'value');
  const inBlock = () => document.scalarAt(at)?.style === 'block';
  const lines = text.split('\n');
  return {
    path: source.original.path,
    text,
    get written() {
      return inBlock() ? unfilled(source, spanOf(), lines) : undefined;
    },
    shown(found) {
      const [span, isBlock] = [spanOf(), inBlock()];
      const whole = placeOf(span);
      if (whole.kind !== 'file') return whole;
      // In a block each line is the file's behind some spaces; a text in quotes starts behind its quote.
      const line = whole.line + found.line - (isBlock ? 0 : 1);
      const start = lineStarts(span.file)[line - 1] ?? span.start;
      const end = span.file.text.indexOf('\n', start);
      const raw = span.file.text.slice(start, end === -1 ? undefined : end).replace(/\r$/, '');
      const written = lines[found.line - 1] ?? '';
      const before = isBlock ? raw.length - written.length : raw.indexOf(written, whole.column - 1);
      if (before < 0 || raw.slice(before, before + written.length) !== written || (lines.length > 1 && !isBlock)) {
        return originalPlace(source, whole);
      }
      const length = found.excerpt?.length ?? 1;
      return originalPlace(source, { ...found, line, column: before + found.column, excerpt: { text: raw, length } });
    },
  };
}

/** The lines of a block before variables were filled in; a value with line breaks has made more of them. */
function unfilled({ original, substituted }: TalconfigSource, span: Span, lines: readonly string[]): string {
  const from = placeOf(span);
  const header = from.kind === 'file' ? from.line : 1;
  const starts = lineStarts(original);
  let last = -1;
  const written: string[] = [];
  lines.forEach((line, index) => {
    const mapped = substituted.lines[header + index];
    if (!mapped || mapped.asWritten) return void written.push(line);
    if (mapped.line === last) return;
    last = mapped.line;
    const raw = original.text.slice(starts[mapped.line], starts[mapped.line + 1]).replace(/\r?\n$/, '');
    written.push(`${/^ */.exec(line)?.[0] ?? ''}${raw.trimStart()}`);
  });
  return written.join('\n');
}
