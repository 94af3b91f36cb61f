import type { BinaryOperator } from '../python/operators.ts';
import type { CallArguments, Comparison, Expression, Target } from './ast.ts';
import type { LexerOptions } from './lexer.ts';
import { describe, type TokenStream } from './tokens.ts';

const constants: Readonly<Record<string, null | boolean>> = { true: true, false: false, none: null, True: true, False: false, None: null };
const comparisons: readonly string[] = ['==', '!=', '<', '<=', '>', '>='];

const noArguments: CallArguments = { positional: [], named: [] };

type EndOfTuple = (stream: TokenStream) => boolean;
const isTupleEnd = (stream: TokenStream, extra: EndOfTuple | undefined) =>
  stream.is('variable-end') || stream.is('block-end') || stream.isOperator(')') || (extra?.(stream) ?? false);

/** Expressions of both dialects; where minijinja's grammar differs the branch says so. */
export class ExpressionParser {
  readonly stream: TokenStream;
  readonly #isMini: boolean;

  constructor(stream: TokenStream, dialect: LexerOptions['dialect']) {
    this.stream = stream;
    this.#isMini = dialect === 'minijinja';
  }

  expression(withConditional = true): Expression {
    return withConditional ? this.#conditional() : this.#or();
  }

  /** One expression, or a tuple of those that commas part. */
  tuple(options: { readonly withConditional?: boolean; readonly until?: EndOfTuple; readonly inParentheses?: boolean } = {}): Expression {
    const { start } = this.stream.current;
    const items: Expression[] = [];
    let isTuple = false;
    for (;;) {
      if (items.length > 0) this.stream.expect('operator', ',');
      if (isTupleEnd(this.stream, options.until)) break;
      items.push(this.expression(options.withConditional ?? true));
      if (!this.stream.isOperator(',')) break;
      isTuple = true;
    }
    if (!isTuple) {
      if (items[0]) return items[0];
      if (!options.inParentheses) this.stream.fail(`Expected an expression, got '${describe(this.stream.current)}'`);
    }
    return { kind: 'tuple', items, start, end: this.stream.lastEnd };
  }

  /** What `set`, `for` and `with` may assign to. */
  target(options: { readonly nameOnly?: boolean; readonly withNamespace?: boolean; readonly until?: EndOfTuple } = {}): Target {
    const { start } = this.stream.current;
    if (options.nameOnly) {
      const token = this.stream.expect('name');
      return this.#assignable({ kind: 'name', name: token.text, start, end: token.end });
    }
    const items: Target[] = [];
    let isTuple = false;
    for (;;) {
      if (items.length > 0) this.stream.expect('operator', ',');
      if (isTupleEnd(this.stream, options.until) || this.stream.isOperator('=')) break;
      items.push(this.#targetItem(options.withNamespace ?? false));
      if (!this.stream.isOperator(',')) break;
      isTuple = true;
    }
    const [only] = items;
    if (!isTuple && only) return only;
    if (items.length === 0) this.stream.fail(`Expected an expression, got '${describe(this.stream.current)}'`);
    return { kind: 'tuple', items, start, end: this.stream.lastEnd };
  }

  #targetItem(withNamespace: boolean): Target {
    const token = this.stream.current;
    if (this.stream.isOperator('(', '[')) {
      const closer = this.stream.next().text === '(' ? ')' : ']';
      const items: Target[] = [];
      while (!this.stream.isOperator(closer)) {
        if (items.length > 0) this.stream.expect('operator', ',');
        if (this.stream.isOperator(closer)) break;
        items.push(this.#targetItem(false));
      }
      this.stream.next();
      const [only] = items;
      return items.length === 1 && only && closer === ')' && this.stream.lastEnd
        ? only
        : { kind: 'tuple', items, start: token.start, end: this.stream.lastEnd };
    }
    if (token.kind !== 'name')
      this.stream.fail(token.kind === 'end' ? 'unexpected end of template' : `can't assign to '${describe(token)}'`);
    this.stream.next();
    if (withNamespace && this.stream.isOperator('.')) {
      this.stream.next();
      const field = this.stream.expect('name');
      return { kind: 'namespace-field', name: token.text, field: field.text, start: token.start, end: field.end };
    }
    return this.#assignable({ kind: 'name', name: token.text, start: token.start, end: token.end });
  }

  #assignable(target: Target & { kind: 'name' }): Target {
    if (Object.hasOwn(constants, target.name)) this.stream.fail(`can't assign to '${target.name}'`, target);
    return target;
  }

  #conditional(): Expression {
    let node = this.#or();
    while (this.stream.skipName('if')) {
      const test = this.#or();
      const otherwise = this.stream.skipName('else') ? this.#conditional() : undefined;
      node = { kind: 'conditional', test, then: node, otherwise, start: node.start, end: this.stream.lastEnd };
    }
    return node;
  }

  #or(): Expression {
    let left = this.#and();
    while (this.stream.skipName('or')) left = this.#logic('or', left, this.#and());
    return left;
  }

  #and(): Expression {
    let left = this.#not();
    while (this.stream.skipName('and')) left = this.#logic('and', left, this.#not());
    return left;
  }

  #logic(operator: 'and' | 'or', left: Expression, right: Expression): Expression {
    return { kind: 'logic', operator, left, right, start: left.start, end: right.end };
  }

  #not(): Expression {
    const { start } = this.stream.current;
    if (!this.stream.skipName('not')) return this.#comparison();
    const operand = this.#not();
    return { kind: 'unary', operator: 'not', operand, start, end: operand.end };
  }

  #comparison(): Expression {
    const first = this.#sum();
    const rest: { operator: Comparison; operand: Expression }[] = [];
    for (;;) {
      const token = this.stream.current;
      if (token.kind === 'operator' && comparisons.includes(token.text)) {
        this.stream.next();
        rest.push({ operator: token.text as Comparison, operand: this.#sum() });
      } else if (this.stream.skipName('in')) rest.push({ operator: 'in', operand: this.#sum() });
      else if (this.stream.isName('not') && this.stream.look().kind === 'name' && this.stream.look().text === 'in') {
        this.stream.next();
        this.stream.next();
        rest.push({ operator: 'not in', operand: this.#sum() });
      } else break;
    }
    return rest.length === 0 ? first : { kind: 'compare', first, rest, start: first.start, end: this.stream.lastEnd };
  }

  #sum(): Expression {
    return this.#binary(['+', '-'], () => this.#concat());
  }

  #concat(): Expression {
    const parts = [this.#product()];
    while (this.stream.skipOperator('~')) parts.push(this.#product());
    const [first] = parts as [Expression];
    return parts.length === 1 ? first : { kind: 'concat', parts, start: first.start, end: this.stream.lastEnd };
  }

  #product(): Expression {
    return this.#binary(['*', '/', '//', '%'], () => this.#power());
  }

  #power(): Expression {
    return this.#binary(['**'], () => this.#unary(true));
  }

  #binary(operators: readonly BinaryOperator[], operand: () => Expression): Expression {
    let left = operand();
    while (this.stream.isOperator(...operators)) {
      const operator = this.stream.next().text as BinaryOperator;
      const right = operand();
      left = { kind: 'binary', operator, left, right, start: left.start, end: right.end };
    }
    return left;
  }

  #unary(withFilter: boolean): Expression {
    const token = this.stream.current;
    let node: Expression;
    if (this.stream.isOperator('-', ...(this.#isMini ? [] : ['+']))) {
      this.stream.next();
      const operand = this.#unary(false);
      node = { kind: 'unary', operator: token.text as '-' | '+', operand, start: token.start, end: operand.end };
    } else node = this.#primary();
    node = this.#postfix(node);
    return withFilter ? this.#filters(node) : node;
  }

  #primary(): Expression {
    const token = this.stream.current;
    const at = { start: token.start, end: token.end };
    if (token.kind === 'name') {
      this.stream.next();
      return Object.hasOwn(constants, token.text)
        ? { kind: 'constant', value: constants[token.text] ?? null, ...at }
        : { kind: 'name', name: token.text, ...at };
    }
    if (token.kind === 'string') {
      let text = '';
      while (this.stream.is('string')) text += this.stream.next().text;
      return { kind: 'constant', value: text, start: token.start, end: this.stream.lastEnd };
    }
    if (token.kind === 'integer' || token.kind === 'float') {
      this.stream.next();
      return { kind: 'constant', value: token.kind === 'integer' ? BigInt(token.text) : Number(token.text), ...at };
    }
    if (this.stream.skipOperator('(')) {
      const node = this.tuple({ inParentheses: true });
      this.stream.expect('operator', ')');
      return node;
    }
    if (this.stream.isOperator('[')) return this.#list();
    if (this.stream.isOperator('{')) return this.#dict();
    return this.stream.fail(token.kind === 'end' ? 'unexpected end of template' : `unexpected '${describe(token)}'`);
  }

  #list(): Expression {
    const { start } = this.stream.next();
    const items: Expression[] = [];
    while (!this.stream.isOperator(']')) {
      if (items.length > 0) this.stream.expect('operator', ',');
      if (this.stream.isOperator(']')) break;
      items.push(this.expression());
    }
    return { kind: 'list', items, start, end: this.stream.expect('operator', ']').end };
  }

  #dict(): Expression {
    const { start } = this.stream.next();
    const pairs: { key: Expression; value: Expression }[] = [];
    while (!this.stream.isOperator('}')) {
      if (pairs.length > 0) this.stream.expect('operator', ',');
      if (this.stream.isOperator('}')) break;
      const key = this.expression();
      this.stream.expect('operator', ':');
      pairs.push({ key, value: this.expression() });
    }
    return { kind: 'dict', pairs, start, end: this.stream.expect('operator', '}').end };
  }

  #postfix(node: Expression): Expression {
    let result = node;
    for (;;) {
      if (this.stream.isOperator('.', '[')) result = this.#subscript(result);
      else if (this.stream.isOperator('(')) result = this.#call(result);
      else return result;
    }
  }

  #filters(node: Expression): Expression {
    let result = node;
    for (;;) {
      if (this.stream.isOperator('|')) result = this.filter(result);
      else if (this.stream.isName('is')) result = this.#test(result);
      else if (this.stream.isOperator('(')) result = this.#call(result);
      else return result;
    }
  }

  #subscript(object: Expression): Expression {
    if (this.stream.next().text === '.') {
      const token = this.stream.next();
      const at = { start: object.start, end: token.end };
      if (token.kind === 'name') return { kind: 'attribute', object, name: token.text, ...at };
      if (token.kind === 'integer')
        return {
          kind: 'subscript',
          object,
          key: { kind: 'constant', value: BigInt(token.text), start: token.start, end: token.end },
          ...at,
        };
      return this.stream.fail('expected name or number', token);
    }
    const keys: Expression[] = [];
    while (!this.stream.isOperator(']')) {
      if (keys.length > 0) this.stream.expect('operator', ',');
      keys.push(this.#subscriptKey());
    }
    const { end } = this.stream.expect('operator', ']');
    const [first] = keys;
    if (!first) this.stream.fail('expected subscript expression');
    return {
      kind: 'subscript',
      object,
      key: keys.length === 1 ? first : { kind: 'tuple', items: keys, start: first.start, end },
      start: object.start,
      end,
    };
  }

  #subscriptKey(): Expression {
    const { start } = this.stream.current;
    const parts: (Expression | undefined)[] = [undefined];
    let isSlice = false;
    if (!this.stream.isOperator(':')) {
      parts[0] = this.expression();
      if (!this.stream.isOperator(':')) return parts[0];
    }
    while (parts.length < 3 && this.stream.skipOperator(':')) {
      isSlice = true;
      parts.push(this.stream.isOperator(':', ']', ',') ? undefined : this.expression());
    }
    if (!isSlice) this.stream.fail('expected subscript expression');
    return { kind: 'slice', from: parts[0], to: parts[1], step: parts[2], start, end: this.stream.lastEnd };
  }

  #call(callee: Expression): Expression {
    const args = this.callArguments();
    return { kind: 'call', callee, args, start: callee.start, end: this.stream.lastEnd };
  }

  callArguments(): CallArguments {
    const opening = this.stream.expect('operator', '(');
    const positional: Expression[] = [];
    const named: { name: string; value: Expression }[] = [];
    let rest: Expression | undefined;
    let namedRest: Expression | undefined;
    const ensure = (holds: boolean) => {
      if (!holds) this.stream.fail('invalid syntax for function call expression', opening);
    };
    let isFirst = true;
    while (!this.stream.isOperator(')')) {
      if (!isFirst) {
        this.stream.expect('operator', ',');
        if (this.stream.isOperator(')')) break;
      }
      isFirst = false;
      if (this.stream.isOperator('*')) {
        ensure(rest === undefined && namedRest === undefined);
        this.stream.next();
        rest = this.expression();
      } else if (this.stream.isOperator('**')) {
        ensure(namedRest === undefined);
        this.stream.next();
        namedRest = this.expression();
      } else if (this.stream.isName() && this.stream.look().kind === 'operator' && this.stream.look().text === '=') {
        ensure(namedRest === undefined);
        const { text } = this.stream.next();
        this.stream.next();
        named.push({ name: text, value: this.expression() });
      } else {
        ensure(rest === undefined && namedRest === undefined && named.length === 0);
        positional.push(this.expression());
      }
    }
    this.stream.next();
    return { positional, named, rest, namedRest };
  }

  /** After `|`; `inline` when the name comes first, as in filter blocks. */
  filter(input: Expression | undefined, inline = false): Expression {
    let node = input;
    let isFirst = inline;
    while (isFirst || this.stream.isOperator('|')) {
      if (!isFirst) this.stream.next();
      isFirst = false;
      const { start } = this.stream.current;
      const name = this.#dottedName();
      const args = this.stream.isOperator('(') ? this.callArguments() : noArguments;
      node = { kind: 'filter', input: node, name, args, start, end: this.stream.lastEnd };
    }
    return node as Expression;
  }

  #dottedName(): string {
    let name = this.stream.expect('name').text;
    while (this.stream.skipOperator('.')) name += `.${this.stream.expect('name').text}`;
    return name;
  }

  #test(input: Expression): Expression {
    this.stream.next();
    const negated = this.stream.skipName('not');
    const { start } = this.stream.current;
    const name = this.#dottedName();
    let args = noArguments;
    if (this.stream.isOperator('(')) args = this.callArguments();
    else if (this.#startsOperand()) {
      if (this.stream.isName('is') && !this.#isMini) this.stream.fail('You cannot chain multiple tests with is');
      args = { positional: [this.#postfix(this.#isMini && this.stream.isOperator('-') ? this.#unary(false) : this.#primary())], named: [] };
    }
    return { kind: 'test', input, name, args, negated, start, end: this.stream.lastEnd };
  }

  #startsOperand(): boolean {
    const { kind } = this.stream.current;
    if (kind === 'string' || kind === 'integer' || kind === 'float' || this.stream.isOperator('[', '{')) return true;
    return kind === 'name' && !this.stream.isName('else', 'or', 'and', ...(this.#isMini ? ['is', 'not', 'if', 'in', 'recursive'] : []));
  }
}
