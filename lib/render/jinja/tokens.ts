import { TemplateSyntaxError, type Token, type TokenKind } from './lexer.ts';

/** Tokens with one place in them; all parsing reads through it. */
export class TokenStream {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  get current(): Token {
    return this.#tokens[this.#at] as Token;
  }

  /** The end of the token before the current one. */
  get lastEnd(): number {
    return this.#tokens[this.#at - 1]?.end ?? 0;
  }

  look(): Token {
    return this.#tokens[Math.min(this.#at + 1, this.#tokens.length - 1)] as Token;
  }

  next(): Token {
    const token = this.current;
    if (token.kind !== 'end') this.#at += 1;
    return token;
  }

  is(kind: TokenKind, text?: string): boolean {
    return this.current.kind === kind && (text === undefined || this.current.text === text);
  }

  isOperator(...texts: string[]): boolean {
    return this.current.kind === 'operator' && texts.includes(this.current.text);
  }

  isName(...texts: string[]): boolean {
    return this.current.kind === 'name' && (texts.length === 0 || texts.includes(this.current.text));
  }

  skipName(text: string): boolean {
    if (!this.isName(text)) return false;
    this.next();
    return true;
  }

  skipOperator(text: string): boolean {
    if (!this.isOperator(text)) return false;
    this.next();
    return true;
  }

  expect(kind: TokenKind, text?: string): Token {
    if (this.is(kind, text)) return this.next();
    const wanted = text ?? wordFor[kind] ?? kind;
    if (this.current.kind === 'end') this.fail(`unexpected end of template, expected '${wanted}'.`);
    return this.fail(`expected token '${wanted}', got '${describe(this.current)}'`);
  }

  fail(message: string, at: { readonly start: number; readonly end: number } = this.current): never {
    throw new TemplateSyntaxError(message, at.start, at.end);
  }
}

const wordFor: Partial<Record<TokenKind, string>> = {
  name: 'name',
  'block-end': 'end of statement block',
  'variable-end': 'end of print statement',
  end: 'end of template',
};

export function describe(token: Token): string {
  return token.kind === 'name' || token.kind === 'operator' || token.kind === 'integer' || token.kind === 'float' || token.kind === 'string'
    ? token.text
    : (wordFor[token.kind] ?? token.kind);
}
