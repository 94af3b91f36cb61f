import type { SourceFile } from '../../base/index.ts';

export interface Delimiters {
  readonly blockStart: string;
  readonly blockEnd: string;
  readonly variableStart: string;
  readonly variableEnd: string;
  readonly commentStart: string;
  readonly commentEnd: string;
  /** Lines that begin with this are statements; absent: there are none. */
  readonly lineStatement?: string | undefined;
  readonly lineComment?: string | undefined;
}

export const jinjaDelimiters: Delimiters = {
  blockStart: '{%',
  blockEnd: '%}',
  variableStart: '{{',
  variableEnd: '}}',
  commentStart: '{#',
  commentEnd: '#}',
};
export const makejinjaDelimiters: Delimiters = {
  blockStart: '#%',
  blockEnd: '%#',
  variableStart: '#{',
  variableEnd: '}#',
  commentStart: '#|',
  commentEnd: '#|',
};

export interface LexerOptions {
  readonly delimiters: Delimiters;
  readonly trimBlocks: boolean;
  readonly lstripBlocks: boolean;
  readonly keepTrailingNewline: boolean;
  /** minijinja's rules where they differ: see `minijinja/dialect.ts`. */
  readonly dialect: 'jinja' | 'minijinja';
}

export type TokenKind =
  | 'data'
  | 'block-begin'
  | 'block-end'
  | 'variable-begin'
  | 'variable-end'
  | 'name'
  | 'string'
  | 'integer'
  | 'float'
  | 'operator'
  | 'end';

export interface Token {
  readonly kind: TokenKind;
  /** Text of data, names and operators; the decoded value of strings; the digits of numbers. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** Where and why a template is no template. */
export class TemplateSyntaxError extends Error {
  readonly start: number;
  readonly end: number;

  constructor(message: string, start: number, end = start + 1) {
    super(message);
    this.start = start;
    this.end = end;
  }
}

/** The text that offsets count in. In Jinja every newline becomes `\n`; the last one goes unless it is kept. */
export function normalise(file: SourceFile, options: Pick<LexerOptions, 'keepTrailingNewline' | 'dialect'>): SourceFile {
  const text = options.dialect === 'jinja' ? file.text.replace(/\r\n|\r/g, '\n') : file.text;
  return { path: file.path, text: options.keepTrailingNewline ? text : text.replace(/\r?\n$/, '') };
}

const operators = [
  '//',
  '**',
  '==',
  '!=',
  '>=',
  '<=',
  '+',
  '-',
  '/',
  '*',
  '%',
  '~',
  '[',
  ']',
  '(',
  ')',
  '{',
  '}',
  '>',
  '<',
  '=',
  '.',
  ':',
  '|',
  ',',
  ';',
];
const closers: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' };
const blank = /[\s\u001C-\u001F\u0085]*/y;
const digits = '(?:\\d+_)*\\d+';
const float = new RegExp(`(?:${digits})(?:(?:\\.${digits})?e[+-]?${digits}|\\.${digits})`, 'iy');
const integer = /0b(?:_?[01])+|0o(?:_?[0-7])+|0x(?:_?[\da-f])+|[1-9](?:_?\d)*|0(?:_?0)*/iy;
const miniInteger = /0b(?:_?[01])+|0o(?:_?[0-7])+|0x(?:_?[\da-f])+|\d(?:_?\d)*/iy;
const name = /[\p{L}\p{N}_\p{Mn}\p{Mc}\p{Pc}]+/uy;
const identifier = /^[\p{XIDS}_]\p{XIDC}*$/u;
const stringPattern = /'[^'\\]*(?:\\[^][^'\\]*)*'|"[^"\\]*(?:\\[^][^"\\]*)*"/y;

type Opening = 'block' | 'variable' | 'comment' | 'line-statement' | 'line-comment';

/** Splits a template into tokens. `file` is normalised. Failure: `TemplateSyntaxError`. */
export function tokenize(file: SourceFile, options: LexerOptions): Token[] {
  return new Lexer(file.text, options).run();
}

class Lexer {
  readonly #text: string;
  readonly #options: LexerOptions;
  readonly #tokens: Token[] = [];
  readonly #opening: RegExp;
  #at = 0;

  constructor(text: string, options: LexerOptions) {
    this.#text = text;
    this.#options = options;
    this.#opening = openingPattern(options.delimiters);
  }

  run(): Token[] {
    const { delimiters } = this.#options;
    while (this.#at < this.#text.length) {
      const found = this.#nextOpening();
      if (!found) {
        this.#push('data', this.#text.slice(this.#at), this.#at, this.#text.length);
        break;
      }
      if (found.kind === 'block') this.#block(found.start, found.end);
      else if (found.kind === 'variable') {
        this.#data(found.start, this.#text[found.end] === '-' ? '-' : '', false);
        this.#push('variable-begin', '', found.start, found.end);
        this.#at = found.end + signAt(this.#text, found.end, this.#options.dialect === 'minijinja' ? '-+' : '-').length;
        this.#inside('variable-end', delimiters.variableEnd, found.start);
      } else if (found.kind === 'comment') this.#comment(found.start, found.end);
      else if (found.kind === 'line-statement') this.#lineStatement(found);
      else this.#lineComment(found);
    }
    // What is missing at the end is missed where the last token stands.
    const last = this.#tokens.at(-1);
    this.#push('end', '', last?.start ?? 0, last?.end ?? 0);
    return this.#tokens;
  }

  #push(kind: TokenKind, text: string, start: number, end: number): void {
    if (kind === 'data' && text === '') return;
    this.#tokens.push({ kind, text, start, end });
  }

  #nextOpening(): { kind: Opening; start: number; end: number; text: string } | undefined {
    this.#opening.lastIndex = this.#at;
    const match = this.#opening.exec(this.#text);
    if (!match?.groups) return undefined;
    const [kind] = (['block', 'variable', 'comment', 'lineStatement', 'lineComment'] as const).filter(
      (group) => match.groups?.[group] !== undefined,
    );
    const names = {
      block: 'block',
      variable: 'variable',
      comment: 'comment',
      lineStatement: 'line-statement',
      lineComment: 'line-comment',
    } as const;
    return { kind: names[kind ?? 'block'], start: match.index, end: match.index + match[0].length, text: match[0] };
  }

  /** The text before a tag, stripped as the tag's sign and the options say. */
  #data(end: number, sign: string, mayStripLine: boolean): void {
    let text = this.#text.slice(this.#at, end);
    if (sign === '-') text = text.replace(/[\s\u001C-\u001F\u0085]+$/, '');
    else if (sign !== '+' && mayStripLine && this.#options.lstripBlocks) {
      const lineStart = text.lastIndexOf('\n') + 1;
      const startsLine = lineStart > 0 || this.#at === 0 || this.#text[this.#at - 1] === '\n';
      if (startsLine && /^[\s\u001C-\u001F\u0085]+$/.test(text.slice(lineStart))) text = text.slice(0, lineStart);
    }
    this.#push('data', text, this.#at, end);
  }

  #block(start: number, afterStart: number): void {
    const sign = signAt(this.#text, afterStart, '-+');
    const raw = this.#rawBegin(afterStart + sign.length);
    this.#data(start, sign, true);
    if (raw !== undefined) {
      this.#at = raw;
      this.#raw(start);
      return;
    }
    this.#push('block-begin', '', start, afterStart);
    this.#at = afterStart + sign.length;
    this.#inside('block-end', this.#options.delimiters.blockEnd, start);
  }

  /** Where the content of a raw block begins, if this tag opens one. */
  #rawBegin(at: number): number | undefined {
    const { blockEnd } = this.#options.delimiters;
    const match = matchAt(
      new RegExp(
        `\\s*raw\\s*(?:-${literal(blockEnd)}\\s*|${literal(blockEnd)}${this.#options.dialect === 'minijinja' && this.#options.trimBlocks ? '(?:\\r?\\n)?' : ''})`,
        'y',
      ),
      this.#text,
      at,
    );
    return match === undefined ? undefined : at + match.length;
  }

  #raw(opened: number): void {
    const { blockStart, blockEnd } = this.#options.delimiters;
    const trim = this.#options.trimBlocks ? '(?:\\r?\\n)?' : '';
    const end = new RegExp(
      `${literal(blockStart)}([-+]?)\\s*endraw\\s*(?:\\+${literal(blockEnd)}|-${literal(blockEnd)}\\s*|${literal(blockEnd)}${trim})`,
      'g',
    );
    end.lastIndex = this.#at;
    const match = end.exec(this.#text);
    if (!match) throw new TemplateSyntaxError('Missing end of raw directive', opened, opened + blockStart.length);
    this.#data(match.index, match[1] ?? '', true);
    this.#at = match.index + match[0].length;
  }

  #comment(start: number, afterStart: number): void {
    const { commentEnd } = this.#options.delimiters;
    this.#data(start, signAt(this.#text, afterStart, '-+'), true);
    const trim = this.#options.trimBlocks ? '(?:\\r?\\n)?' : '';
    const end = new RegExp(`\\+${literal(commentEnd)}|-${literal(commentEnd)}\\s*|${literal(commentEnd)}${trim}`, 'g');
    end.lastIndex = afterStart;
    const match = end.exec(this.#text);
    if (!match) throw new TemplateSyntaxError('Missing end of comment tag', start, afterStart);
    this.#at = match.index + match[0].length;
  }

  #lineStatement(found: { start: number; end: number }): void {
    this.#push('data', this.#text.slice(this.#at, found.start), this.#at, found.start);
    this.#push('block-begin', '', found.start, found.end);
    this.#at = found.end + signAt(this.#text, found.end, '-+').length;
    this.#inside('block-end', undefined, found.start);
  }

  #lineComment(found: { start: number; end: number }): void {
    this.#push('data', this.#text.slice(this.#at, found.start), this.#at, found.start);
    const newline = this.#text.indexOf('\n', found.end);
    this.#at = newline < 0 ? this.#text.length : newline;
  }

  /** Tokens up to the end of the tag; without `ending`, up to the end of the line. */
  #inside(kind: 'block-end' | 'variable-end', ending: string | undefined, opened: number): void {
    const open: string[] = [];
    for (;;) {
      if (open.length === 0 && this.#tagEnd(kind, ending)) return;
      const spaces = matchAt(blank, this.#text, this.#at) ?? '';
      if (ending !== undefined || open.length > 0) this.#at += spaces.length;
      else this.#at += spaces.split('\n')[0]?.length ?? 0;
      if (open.length === 0 && this.#tagEnd(kind, ending)) return;
      if (this.#at >= this.#text.length) {
        if (ending === undefined) {
          this.#push(kind, '', this.#at, this.#at);
          return;
        }
        const [expected] = open.slice(-1);
        throw new TemplateSyntaxError(
          expected ? `unexpected end of template, expected '${expected}'` : `unexpected end of template, expected '${ending}'`,
          opened,
          opened + 2,
        );
      }
      this.#token(open);
    }
  }

  #tagEnd(kind: 'block-end' | 'variable-end', ending: string | undefined): boolean {
    if (ending === undefined) {
      const match = matchAt(/[^\S\n]*(?:\n|$)/y, this.#text, this.#at);
      if (match === undefined) return false;
      this.#push(kind, '', this.#at, this.#at + match.length);
      this.#at += match.length;
      return true;
    }
    const trim = kind === 'block-end' && this.#options.trimBlocks ? '(?:\\r?\\n)?' : '';
    const plus = kind === 'block-end' || this.#options.dialect === 'minijinja' ? `\\+${literal(ending)}|` : '';
    const match = matchAt(new RegExp(`${plus}-${literal(ending)}\\s*|${literal(ending)}${trim}`, 'y'), this.#text, this.#at);
    if (match === undefined) return false;
    this.#push(kind, '', this.#at, this.#at + match.length);
    this.#at += match.length;
    return true;
  }

  #token(open: string[]): void {
    const start = this.#at;
    const take = (kind: TokenKind, raw: string, text = raw) => {
      this.#at += raw.length;
      this.#push(kind, text, start, this.#at);
    };
    const fraction = this.#text[start - 1] === '.' ? undefined : matchAt(float, this.#text, start);
    if (fraction !== undefined) return take('float', fraction, fraction.replaceAll('_', ''));
    const whole = matchAt(this.#options.dialect === 'minijinja' ? miniInteger : integer, this.#text, start);
    if (whole !== undefined) return take('integer', whole, whole.replaceAll('_', '').toLowerCase());
    const word = matchAt(name, this.#text, start);
    if (word !== undefined) {
      if (!identifier.test(word)) throw new TemplateSyntaxError('Invalid character in identifier', start, start + word.length);
      return take('name', word);
    }
    const quoted = matchAt(stringPattern, this.#text, start);
    if (quoted !== undefined) return take('string', quoted, unescape(quoted.slice(1, -1), start));
    const operator = operators.find((candidate) => this.#text.startsWith(candidate, start));
    if (operator === undefined) {
      throw new TemplateSyntaxError(
        `unexpected char ${JSON.stringify(String.fromCodePoint(this.#text.codePointAt(start) ?? 0)).replace(/^"|"$/g, "'")} at ${start}`,
        start,
      );
    }
    const closer = closers[operator];
    if (closer) open.push(closer);
    else if (')]}'.includes(operator)) {
      const expected = open.pop();
      if (expected === undefined) throw new TemplateSyntaxError(`unexpected '${operator}'`, start);
      if (expected !== operator) throw new TemplateSyntaxError(`unexpected '${operator}', expected '${expected}'`, start);
    }
    take('operator', operator);
  }
}

function openingPattern(delimiters: Delimiters): RegExp {
  const rules: [group: string, source: string, length: number][] = [
    ['comment', literal(delimiters.commentStart), delimiters.commentStart.length],
    ['block', literal(delimiters.blockStart), delimiters.blockStart.length],
    ['variable', literal(delimiters.variableStart), delimiters.variableStart.length],
  ];
  if (delimiters.lineStatement)
    rules.push(['lineStatement', `(?<=^|\\n)[^\\S\\n]*${literal(delimiters.lineStatement)}`, delimiters.lineStatement.length]);
  if (delimiters.lineComment)
    rules.push(['lineComment', `(?:(?<=^|\\n)|(?<=\\S))[^\\S\\n]*${literal(delimiters.lineComment)}`, delimiters.lineComment.length]);
  // The longest delimiter is tried first, so that one may begin with another.
  const alternatives = rules.sort((a, b) => b[2] - a[2]).map(([group, source]) => `(?<${group}>${source})`);
  return new RegExp(alternatives.join('|'), 'g');
}

function matchAt(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

function signAt(text: string, at: number, signs: string): string {
  const character = text[at];
  return character !== undefined && signs.includes(character) ? character : '';
}

const literal = (text: string) => text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');

const simpleEscapes: Readonly<Record<string, string>> = {
  '\n': '',
  '\\': '\\',
  "'": "'",
  '"': '"',
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

/** Python's escapes in string literals; unknown ones stay. */
function unescape(text: string, start: number): string {
  return text.replace(
    /\\(?:([0-7]{1,3})|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([^]))/g,
    (match, octal, byte, short, long, single) => {
      if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8));
      const code = byte ?? short ?? long;
      if (code !== undefined) {
        const point = Number.parseInt(code, 16);
        if (point > 0x10ffff) throw new TemplateSyntaxError('illegal Unicode character', start);
        return String.fromCodePoint(point);
      }
      if ('xuU'.includes(single)) throw new TemplateSyntaxError(`truncated \\${single} escape`, start);
      return Object.hasOwn(simpleEscapes, single) ? (simpleEscapes[single] ?? '') : match;
    },
  );
}
