/** Columns that a text takes on a terminal. The text must not contain line breaks or escape sequences. */
export function widthOf(text: string): number {
  if (isPlain.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += widthOfCharacter(character.codePointAt(0) ?? 0);
  return width;
}

/** The text, or as much of it as fits with `…` at its end. */
export function truncated(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  if (columns <= 0) return '';
  let result = '';
  let width = 1;
  for (const character of text) {
    width += widthOfCharacter(character.codePointAt(0) ?? 0);
    if (width > columns) break;
    result += character;
  }
  return `${result.trimEnd()}…`;
}

/** The text on as many lines as it takes, broken where a thought ends (` · `), else between words; further lines are indented. */
export function folded(text: string, columns: number, indent = '  '): readonly string[] {
  if (widthOf(text) <= columns) return [text];
  const lines: string[] = [];
  let line = '';
  const put = (piece: string, gap: string) => {
    const longer = line === '' ? piece : `${line}${gap}${piece}`;
    if (line !== '' && widthOf(longer) > columns) {
      lines.push(line);
      line = `${indent}${piece}`;
    } else line = longer;
  };
  for (const part of text.split(' · ')) {
    if (widthOf(part) + indent.length <= columns) put(part, ' · ');
    else for (const [index, word] of part.split(' ').entries()) put(word, index === 0 ? ' · ' : ' ');
  }
  return [...lines, line].map((each) => truncated(each, columns));
}

export function padded(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - widthOf(text)));
}

const isPlain = /^[\u0020-\u007e]*$/;

/** Two columns: East Asian wide and full-width blocks and emoji presentation. None: combining marks, joiners, variation selectors. */
function widthOfCharacter(code: number): 0 | 1 | 2 {
  if ((code >= 0x300 && code <= 0x36f) || (code >= 0x200b && code <= 0x200f) || (code >= 0xfe00 && code <= 0xfe0f) || code === 0x2060)
    return 0;
  if (code < 0x1100) return 1;
  for (const [from, to] of wide) if (code >= from && code <= to) return 2;
  return 1;
}

const wide: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x231a, 0x231b],
  [0x23e9, 0x23ec],
  [0x2e80, 0x303e],
  [0x3041, 0xa4cf],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x1f300, 0x1f64f],
  [0x1f680, 0x1f6ff],
  [0x1f900, 0x1f9ff],
  [0x20000, 0x3fffd],
];
