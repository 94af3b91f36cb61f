/** "1 node", "2 nodes". */
export function count(n: number, noun: string, plural = `${noun}s`): string {
  return `${n} ${n === 1 ? noun : plural}`;
}

/** "a", "a or b", "a, b or c"; each in backticks. */
export function oneOf(values: readonly string[]): string {
  return joined(
    values.map((value) => `\`${value}\``),
    'or',
  );
}

/** "a", "a and b", "a, b and c". */
export function allOf(values: readonly string[]): string {
  return joined(values, 'and');
}

function joined(values: readonly string[], word: string): string {
  if (values.length < 2) return values[0] ?? '';
  return `${values.slice(0, -1).join(', ')} ${word} ${values.at(-1)}`;
}

/** As much of it as fits, without its middle: Go's errors begin with what was done and end with what was wrong. */
export function withoutMiddle(text: string, longest: number): string {
  if (text.length <= longest) return text;
  const head = Math.floor((longest - 3) / 3);
  return `${text.slice(0, head).trimEnd()} … ${text.slice(text.length - (longest - 3 - head)).trimStart()}`;
}

/** Levenshtein distance, cut off at `limit + 1`. */
export function editDistance(a: string, b: string, limit = 3): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const substitution = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(substitution, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}

/** The candidate that was probably meant, or undefined when none is close. */
export function suggestionFor(word: string, candidates: Iterable<string>): string | undefined {
  let best: { candidate: string; distance: number } | undefined;
  for (const candidate of candidates) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < 3 && distance < candidate.length && (!best || distance < best.distance)) best = { candidate, distance };
  }
  return best?.candidate;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: nearly every text has none
const control = /[\u0000-\u001F\u007F-\u009F]/;

/** Remote text may carry escape sequences that move the cursor or rename the terminal: only printable text and tabs stay. */
export function stripControl(text: string): string {
  if (!control.test(text)) return text;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: removing them is the point
  return text
    .replace(/\u001B(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001B]*(?:\u0007|\u001B\\)?|[@-_])/g, '')
    .replace(/[\u0000-\u0008\u000B-\u001F\u007F-\u009F]/g, '');
}

/** Columns side by side, two blanks between them, no blank at the end of a line. */
export function tableText(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length);
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

/** "0 B", "512 kB", "8.2 GB": powers of a thousand, as disks are sold and as upstream prints them. */
export function sizeText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let value = Math.max(0, bytes);
  let unit = 0;
  while (Math.round(value) >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value < 10 && unit > 0 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

/** "850ms", "4.2s", "1m12s", "2h05m". */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)}ms`;
  if (ms < 10_000) return `${(Math.floor(ms / 100) / 10).toFixed(1)}s`;
  const whole = Math.floor(ms / 1000);
  if (whole < 60) return `${whole}s`;
  const pad = (n: number) => String(n).padStart(2, '0');
  if (whole < 3600) return `${Math.floor(whole / 60)}m${pad(whole % 60)}s`;
  return `${Math.floor(whole / 3600)}h${pad(Math.floor((whole % 3600) / 60))}m`;
}
