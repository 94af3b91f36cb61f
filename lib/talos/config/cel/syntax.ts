/** One node of a CEL expression; `at` is the offset that a message about it points at. */
export type Expression = { readonly at: number } & (
  | { readonly is: 'literal'; readonly type: 'bool' | 'int' | 'uint' | 'double' | 'string' | 'bytes' | 'null' }
  | { readonly is: 'ident'; readonly name: string }
  | { readonly is: 'select'; readonly of: Expression; readonly field: string; readonly optional: boolean }
  | { readonly is: 'call'; readonly name: string; readonly target?: Expression; readonly args: readonly Expression[] }
  | { readonly is: 'list'; readonly items: readonly Expression[]; readonly optional: readonly boolean[] }
  | {
      readonly is: 'map';
      readonly entries: readonly { readonly key: Expression; readonly value: Expression; readonly optional: boolean }[];
    }
  | {
      readonly is: 'message';
      readonly name: string;
      readonly fields: readonly { readonly name: string; readonly value: Expression; readonly at: number; readonly optional: boolean }[];
    }
);

/** What is wrong with an expression, and where. Stays among the files of this folder. */
export class BadExpression extends Error {
  readonly at: number;

  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}

type Kind = 'int' | 'uint' | 'double' | 'string' | 'bytes' | 'ident' | 'sign' | 'end';

interface Token {
  readonly kind: Kind;
  readonly text: string;
  readonly at: number;
}

const escape = String.raw`\\(?:[abfnrtv"'\\?\x60]|[xX][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-3][0-7]{2})`;
const raw = '[rR][bB]?|[bB][rR]';
const patterns: readonly (readonly [Kind | 'space', RegExp])[] = [
  ['space', /(?:[\t \r\n\f]|\/\/[^\n]*)+/y],
  ['double', /(?:\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\.\d+(?:[eE][+-]?\d+)?)/y],
  ['uint', /(?:0x[0-9a-fA-F]+|\d+)[uU]/y],
  ['int', /0x[0-9a-fA-F]+|\d+/y],
  ['string', new RegExp(`(?:${raw})(?:"""[^]*?"""|'''[^]*?'''|"[^"\\n\\r]*"|'[^'\\n\\r]*')`, 'y')],
  [
    'string',
    new RegExp(
      `[bB]?(?:"""(?:${escape}|[^\\\\])*?"""|'''(?:${escape}|[^\\\\])*?'''|"(?:${escape}|[^\\\\"\\n\\r])*"|'(?:${escape}|[^\\\\'\\n\\r])*')`,
      'y',
    ),
  ],
  ['ident', /[A-Za-z_][A-Za-z0-9_]*/y],
  ['sign', /==|!=|<=|>=|&&|\|\||[<>[\]{}().,\-!?:+*/%]/y],
];

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    let found = false;
    for (const [kind, pattern] of patterns) {
      pattern.lastIndex = at;
      const match = pattern.exec(text)?.[0];
      if (match === undefined) continue;
      const isBytes = kind === 'string' && /^[rR]?[bB]/.test(match) && !/^["']/.test(match);
      if (kind !== 'space') tokens.push({ kind: isBytes ? 'bytes' : kind, text: match, at });
      at += match.length;
      found = true;
      break;
    }
    if (!found) throw new BadExpression(`Syntax error: token recognition error at: ${quoted(text.slice(at, at + 1))}`, at);
  }
  return [...tokens, { kind: 'end', text: '<EOF>', at: text.length }];
}

const quoted = (text: string) => `'${text}'`;

const reserved = new Set('as break const continue else for function if import let loop package namespace return var void while'.split(' '));
const words = new Set(['true', 'false', 'null', 'in']);

/** Operators that take two operands, loosest first. Source: cel-go parser/gen/CEL.g4 */
const levels: readonly (readonly string[])[] = [['||'], ['&&'], ['<', '<=', '>=', '>', '==', '!=', 'in'], ['+', '-'], ['*', '/', '%']];

/** Deeper ones are refused by upstream too. */
const deepest = 250;

/**
 * Reads a CEL expression; optional syntax (`a.?b`) where the environment has it.
 *
 * Failure: `BadExpression`.
 * Source: cel-go v0.31.0 parser/gen/CEL.g4, parser/parser.go
 */
export function parseExpression(text: string, hasOptionals: boolean): Expression {
  return new Parser(tokensOf(text), hasOptionals).whole();
}

class Parser {
  readonly #tokens: readonly Token[];
  readonly #hasOptionals: boolean;
  #next = 0;
  #depth = 0;

  constructor(tokens: readonly Token[], hasOptionals: boolean) {
    this.#tokens = tokens;
    this.#hasOptionals = hasOptionals;
  }

  whole(): Expression {
    const expression = this.#expression();
    const rest = this.#peek();
    if (rest.kind !== 'end') throw new BadExpression(`Syntax error: extraneous input ${quoted(rest.text)} expecting <EOF>`, rest.at);
    return expression;
  }

  #peek(): Token {
    return this.#tokens[this.#next] ?? { kind: 'end', text: '<EOF>', at: 0 };
  }

  #isSign(...signs: readonly string[]): boolean {
    const { kind, text } = this.#peek();
    return signs.includes(text) && (kind === 'sign' || text === 'in');
  }

  #take(): Token {
    const token = this.#peek();
    this.#next += 1;
    return token;
  }

  #expect(sign: string): Token {
    if (!this.#isSign(sign)) this.#fail();
    return this.#take();
  }

  #fail(): never {
    const { text, at } = this.#peek();
    throw new BadExpression(`Syntax error: mismatched input ${quoted(text)}`, at);
  }

  #expression(): Expression {
    this.#depth += 1;
    if (this.#depth > deepest) throw new BadExpression('expression recursion limit exceeded: 250', this.#peek().at);
    let expression = this.#binary(0);
    if (this.#isSign('?')) {
      const { at } = this.#take();
      const then = this.#binary(0);
      this.#expect(':');
      expression = { is: 'call', name: '_?_:_', args: [expression, then, this.#expression()], at };
    }
    this.#depth -= 1;
    return expression;
  }

  #binary(level: number): Expression {
    const signs = levels[level];
    if (!signs) return this.#unary();
    let left = this.#binary(level + 1);
    while (this.#isSign(...signs)) {
      const { text, at } = this.#take();
      left = { is: 'call', name: text === 'in' ? '@in' : `_${text}_`, args: [left, this.#binary(level + 1)], at };
    }
    return left;
  }

  #unary(): Expression {
    if (!this.#isSign('!', '-')) return this.#member(this.#primary());
    const { text: sign, at } = this.#peek();
    let count = 0;
    while (this.#isSign(sign)) {
      this.#take();
      count += 1;
    }
    const isNumber = sign === '-' && (this.#peek().kind === 'int' || this.#peek().kind === 'double');
    // The last sign of several belongs to the number.
    if (isNumber) count -= 1;
    const operand = this.#member(this.#primary(isNumber));
    return count % 2 === 0 ? operand : { is: 'call', name: `${sign}_`, args: [operand], at };
  }

  #member(start: Expression): Expression {
    let expression = start;
    for (;;) {
      if (this.#isSign('.')) {
        const { at } = this.#take();
        const optional = this.#optional(at, '.?');
        const name = this.#identifier();
        if (!optional && this.#isSign('(')) {
          const open = this.#take();
          expression = { is: 'call', name: name.text, target: expression, args: this.#list(')').items, at: open.at };
        } else expression = { is: 'select', of: expression, field: name.text, optional, at };
      } else if (this.#isSign('[')) {
        const { at } = this.#take();
        const optional = this.#optional(at, '[?');
        const index = this.#expression();
        this.#expect(']');
        expression = { is: 'call', name: optional ? '_[?_]' : '_[_]', args: [expression, index], at };
      } else return expression;
    }
  }

  #optional(at: number, syntax: string): boolean {
    if (!this.#isSign('?')) return false;
    this.#take();
    if (!this.#hasOptionals) throw new BadExpression(`unsupported syntax ${quoted(syntax)}`, at);
    return true;
  }

  /** The name of a field or a function; words that are reserved elsewhere may be names here. */
  #identifier(): Token {
    const token = this.#peek();
    if (token.kind !== 'ident' || words.has(token.text)) this.#fail();
    return this.#take();
  }

  #primary(isNegative = false): Expression {
    const { kind, text, at } = this.#peek();
    switch (kind) {
      case 'int':
      case 'uint':
      case 'double':
        this.#take();
        checkNumber(kind, isNegative ? `-${text}` : text, at);
        return { is: 'literal', type: kind, at };
      case 'string':
      case 'bytes':
        this.#take();
        return { is: 'literal', type: kind, at };
      case 'ident':
        return this.#named('');
      case 'end':
        return this.#fail();
      case 'sign':
        break;
    }
    if (text === '.') {
      this.#take();
      return this.#named('.');
    }
    if (text === '(') {
      this.#take();
      const expression = this.#expression();
      this.#expect(')');
      return expression;
    }
    if (text === '[') {
      this.#take();
      return { is: 'list', ...this.#list(']'), at };
    }
    if (text === '{') {
      this.#take();
      return { is: 'map', entries: this.#entries(), at };
    }
    return this.#fail();
  }

  #named(lead: string): Expression {
    const { text, at, kind } = this.#take();
    if (kind !== 'ident') {
      this.#next -= 1;
      return this.#fail();
    }
    if (lead === '' && (text === 'true' || text === 'false')) return { is: 'literal', type: 'bool', at };
    if (lead === '' && text === 'null') return { is: 'literal', type: 'null', at };
    if (words.has(text)) {
      this.#next -= 1;
      return this.#fail();
    }
    // `a.b.C{…}` makes a message, everything else is read part by part.
    let name = text;
    let ahead = this.#next;
    while (this.#tokens[ahead]?.text === '.' && this.#tokens[ahead + 1]?.kind === 'ident') {
      name += `.${this.#tokens[ahead + 1]?.text}`;
      ahead += 2;
    }
    if (this.#tokens[ahead]?.text === '{') {
      this.#next = ahead + 1;
      return { is: 'message', name: `${lead}${name}`, fields: this.#fields(), at: this.#tokens[ahead]?.at ?? at };
    }
    if (reserved.has(text)) throw new BadExpression(`reserved identifier: ${text}`, at);
    if (!this.#isSign('(')) return { is: 'ident', name: `${lead}${text}`, at };
    const open = this.#take();
    return { is: 'call', name: `${lead}${text}`, args: this.#list(')').items, at: open.at };
  }

  #list(close: ')' | ']'): { readonly items: readonly Expression[]; readonly optional: readonly boolean[] } {
    const items: Expression[] = [];
    const optional: boolean[] = [];
    while (!this.#isSign(close)) {
      optional.push(close === ']' && this.#optional(this.#peek().at, '?'));
      items.push(this.#expression());
      // Only a list may end in a comma.
      if (!this.#isSign(',')) break;
      this.#take();
      if (close === ')' && this.#isSign(close)) this.#fail();
    }
    this.#expect(close);
    return { items, optional };
  }

  #entries(): { readonly key: Expression; readonly value: Expression; readonly optional: boolean }[] {
    const entries: { key: Expression; value: Expression; optional: boolean }[] = [];
    while (!this.#isSign('}')) {
      const optional = this.#optional(this.#peek().at, '?');
      const key = this.#expression();
      this.#expect(':');
      entries.push({ key, value: this.#expression(), optional });
      if (!this.#isSign(',')) break;
      this.#take();
    }
    this.#expect('}');
    return entries;
  }

  #fields(): { readonly name: string; readonly value: Expression; readonly at: number; readonly optional: boolean }[] {
    const fields: { name: string; value: Expression; at: number; optional: boolean }[] = [];
    while (!this.#isSign('}')) {
      const optional = this.#optional(this.#peek().at, '?');
      const name = this.#identifier();
      const { at } = this.#expect(':');
      fields.push({ name: name.text, value: this.#expression(), at, optional });
      if (!this.#isSign(',')) break;
      this.#take();
    }
    this.#expect('}');
    return fields;
  }
}

function checkNumber(kind: 'int' | 'uint' | 'double', text: string, at: number): void {
  if (kind === 'double') {
    if (!Number.isFinite(Number(text))) throw new BadExpression('invalid double literal', at);
    return;
  }
  const isNegative = text.startsWith('-');
  const value = BigInt(text.replace(/^-/, '').replace(/[uU]$/, '')) * (isNegative ? -1n : 1n);
  const [low, high] = kind === 'uint' ? [0n, 2n ** 64n - 1n] : [-(2n ** 63n), 2n ** 63n - 1n];
  if (value < low || value > high) throw new BadExpression(`invalid ${kind} literal`, at);
}
