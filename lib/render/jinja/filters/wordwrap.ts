import { valueError } from '../../python/values.ts';

export interface WrapOptions {
  readonly width: number;
  readonly breakLongWords: boolean;
  readonly breakOnHyphens: boolean;
}

/** Pieces that a line may be broken between: runs of blanks, words, and the parts of hyphenated words. */
function chunksOf(text: string, onHyphens: boolean): string[] {
  const runs = text.match(/[\t\n\v\f\r ]+|[^\t\n\v\f\r ]+/g) ?? [];
  if (!onHyphens) return runs;
  return runs.flatMap((run) => {
    if (/^[\t\n\v\f\r ]/.test(run)) return [run];
    // After a hyphen that follows two letters and precedes a letter; round dashes of two or more.
    return run.split(
      /(?<=[\p{L}\p{N}_!"'&.,?])(?=-{2,}[\p{L}\p{N}_])|(?<=-{2,})(?=[\p{L}\p{N}_])|(?<=[\p{L}_]{2}-|[\p{L}_]-[\p{L}_]-)(?=[\p{L}_]-?[\p{L}_])/u,
    );
  });
}

/** `textwrap.wrap` of one line, white space kept as it is. */
export function wrapLine(text: string, options: WrapOptions): string[] {
  const { width, breakLongWords, breakOnHyphens } = options;
  if (width <= 0) throw valueError(`invalid width ${width} (must be > 0)`);
  const chunks = chunksOf(text, breakOnHyphens).reverse();
  const lines: string[] = [];
  while (chunks.length > 0) {
    const line: string[] = [];
    let length = 0;
    if (chunks.at(-1)?.trim() === '' && lines.length > 0) chunks.pop();
    while (chunks.length > 0 && length + (chunks.at(-1)?.length ?? 0) <= width) {
      const chunk = chunks.pop() ?? '';
      line.push(chunk);
      length += chunk.length;
    }
    const long = chunks.at(-1);
    if (long !== undefined && long.length > width) {
      const room = Math.max(1, width - length);
      if (breakLongWords) {
        let end = room;
        if (breakOnHyphens && long.length > room) {
          const hyphen = long.lastIndexOf('-', room - 1);
          if (hyphen > 0 && /[^-]/.test(long.slice(0, hyphen))) end = hyphen + 1;
        }
        line.push(long.slice(0, end));
        chunks[chunks.length - 1] = long.slice(end);
      } else if (line.length === 0) line.push(chunks.pop() ?? '');
    }
    if (line.at(-1)?.trim() === '') line.pop();
    if (line.length > 0) lines.push(line.join(''));
  }
  return lines;
}
