import type { SourceFile } from '../../base/index.ts';
import type { Expression, MacroParameters, Statement, StatementOf, Target, Template } from './ast.ts';
import { ExpressionParser } from './expressions.ts';
import { type LexerOptions, normalise, TemplateSyntaxError, tokenize } from './lexer.ts';
import { TokenStream } from './tokens.ts';

/** Statements that plain Jinja2 has only with its extensions. */
export type Extension = 'do' | 'loopcontrols' | 'debug';

export interface ParserOptions extends LexerOptions {
  readonly extensions: ReadonlySet<Extension>;
}

/** Parses a template. Failure: `TemplateSyntaxError`, with offsets into `normalise(file)`. */
export function parseTemplate(source: SourceFile, options: ParserOptions): Template {
  const file = normalise(source, options);
  try {
    return new TemplateParser(file, options).template();
  } catch (error) {
    // Thousands of nested brackets exhaust the stack before they exhaust anything else.
    if (error instanceof RangeError) throw new TemplateSyntaxError('too many nested expressions', 0);
    throw error;
  }
}

class TemplateParser {
  readonly #file: SourceFile;
  readonly #options: ParserOptions;
  readonly #stream: TokenStream;
  readonly #expressions: ExpressionParser;
  readonly #blocks = new Map<string, StatementOf<'block'>>();
  readonly #open: { readonly tag: string; readonly ends: readonly string[] }[] = [];
  #extends = false;
  #loops = 0;

  constructor(file: SourceFile, options: ParserOptions) {
    this.#file = file;
    this.#options = options;
    this.#stream = new TokenStream(tokenize(file, options));
    this.#expressions = new ExpressionParser(this.#stream, options.dialect);
  }

  template(): Template {
    const body = this.#body([]);
    return { file: this.#file, body, blocks: this.#blocks, extends: this.#extends };
  }

  /** Statements up to one of the end tags, whose name is left as the current token. */
  #body(ends: readonly string[]): Statement[] {
    const body: Statement[] = [];
    let parts: (string | Expression)[] = [];
    let partsStart = 0;
    const flush = () => {
      if (parts.length > 0) body.push({ kind: 'output', parts, start: partsStart, end: this.#stream.lastEnd });
      parts = [];
    };
    while (!this.#stream.is('end')) {
      const token = this.#stream.next();
      if (parts.length === 0) partsStart = token.start;
      if (token.kind === 'data') parts.push(token.text);
      else if (token.kind === 'variable-begin') {
        parts.push(this.#options.dialect === 'minijinja' ? this.#expressions.expression() : this.#expressions.tuple());
        this.#stream.expect('variable-end');
      } else {
        flush();
        if (this.#stream.isName(...ends) && ends.length > 0) return body;
        body.push(this.#statement());
        this.#stream.expect('block-end');
      }
    }
    flush();
    if (ends.length > 0) this.#failAtEnd(ends);
    return body;
  }

  #failAtEnd(ends: readonly string[]): never {
    const open = this.#open.at(-1);
    const wanted = ends.map((end) => `'${end}'`).join(' or ');
    return this.#stream.fail(
      `Unexpected end of template. Jinja was looking for the following tags: ${wanted}.${open ? ` The innermost block that needs to be closed is '${open.tag}'.` : ''}`,
    );
  }

  /** The body of a tag, up to and with the first of `ends`; the end tag's closing is left to the caller. */
  #inner(tag: string, ends: readonly string[], begin = true): Statement[] {
    if (begin) {
      this.#stream.skipOperator(':');
      this.#stream.expect('block-end');
    }
    this.#open.push({ tag, ends });
    const body = this.#body(ends);
    this.#open.pop();
    return body;
  }

  #closed(tag: string, end: string): Statement[] {
    const body = this.#inner(tag, [end]);
    this.#stream.next();
    return body;
  }

  #statement(): Statement {
    const token = this.#stream.current;
    if (token.kind !== 'name') this.#stream.fail('tag name expected');
    const { start } = token;
    const statement = this.#parse(token.text, start);
    return { ...statement, end: this.#stream.lastEnd };
  }

  #parse(tag: string, start: number): Statement {
    const at = { start, end: start };
    const { extensions } = this.#options;
    switch (tag) {
      case 'if':
        return this.#if(at);
      case 'for':
        return this.#for(at);
      case 'set':
        return this.#set(at);
      case 'block':
        return this.#block(at);
      case 'macro':
        return this.#macro(at);
      case 'with':
        return this.#with(at);
      case 'include':
      case 'import':
      case 'from':
        return this.#imports(tag, at);
      case 'call': {
        this.#stream.next();
        const parameters = this.#stream.isOperator('(') ? this.#parameters() : { names: [], defaults: [] };
        const call = this.#expressions.expression();
        if (call.kind !== 'call') this.#stream.fail('expected call', call);
        return { kind: 'call-block', call, parameters, body: this.#closed('call', 'endcall'), ...at };
      }
      case 'filter': {
        this.#stream.next();
        const filter = this.#expressions.filter(undefined, true);
        return { kind: 'filter-block', filter, body: this.#closed('filter', 'endfilter'), ...at };
      }
      case 'autoescape': {
        this.#stream.next();
        const enabled = this.#expressions.expression();
        return { kind: 'autoescape', enabled, body: this.#closed('autoescape', 'endautoescape'), ...at };
      }
      case 'extends':
        this.#stream.next();
        this.#extends = true;
        return { kind: 'extends', template: this.#expressions.expression(), ...at };
      case 'print': {
        if (this.#options.dialect === 'minijinja') break;
        this.#stream.next();
        const parts: Expression[] = [];
        while (!this.#stream.is('block-end')) {
          if (parts.length > 0) this.#stream.expect('operator', ',');
          parts.push(this.#expressions.expression());
        }
        return { kind: 'output', parts, ...at };
      }
      case 'do':
        if (!extensions.has('do')) break;
        this.#stream.next();
        return { kind: 'do', value: this.#doValue(), ...at };
      case 'break':
      case 'continue':
        if (!extensions.has('loopcontrols')) break;
        if (this.#loops === 0) this.#stream.fail(`'${tag}' must be placed inside a loop`);
        this.#stream.next();
        return { kind: tag, ...at };
      case 'debug':
        if (!extensions.has('debug')) break;
        this.#stream.next();
        return { kind: 'debug', ...at };
      default:
    }
    return this.#unknownTag(tag);
  }

  #doValue(): Expression {
    const value = this.#expressions.tuple();
    if (this.#options.dialect === 'minijinja' && value.kind !== 'call') this.#stream.fail('expected call expression in do block', value);
    return value;
  }

  #unknownTag(tag: string): never {
    const open = this.#open.at(-1);
    const looking = open
      ? ` Jinja was looking for the following tags: ${open.ends.map((end) => `'${end}'`).join(' or ')}. The innermost block that needs to be closed is '${open.tag}'.`
      : '';
    return this.#stream.fail(`Encountered unknown tag '${tag}'.${looking}`);
  }

  #if(at: { start: number; end: number }): Statement {
    const branches: { test: Expression; body: Statement[] }[] = [];
    let otherwise: Statement[] = [];
    this.#stream.next();
    for (;;) {
      const test = this.#expressions.tuple({ withConditional: this.#options.dialect === 'minijinja' });
      branches.push({ test, body: this.#inner('if', ['elif', 'else', 'endif']) });
      const end = this.#stream.next().text;
      if (end === 'elif') continue;
      if (end === 'else') {
        otherwise = this.#inner('if', ['endif']);
        this.#stream.next();
      }
      return { kind: 'if', branches, otherwise, ...at };
    }
  }

  #for(at: { start: number; end: number }): Statement {
    this.#stream.next();
    const target = this.#expressions.target({ until: (stream) => stream.isName('in') });
    this.#stream.expect('name', 'in');
    const iterable = this.#expressions.tuple({ withConditional: false, until: (stream) => stream.isName('recursive') });
    const filter = this.#stream.skipName('if') ? this.#expressions.expression() : undefined;
    const recursive = this.#stream.skipName('recursive');
    this.#loops += 1;
    const body = this.#inner('for', ['endfor', 'else']);
    this.#loops -= 1;
    const hasElse = this.#stream.next().text === 'else';
    const otherwise = hasElse ? this.#inner('for', ['endfor']) : [];
    if (hasElse) this.#stream.next();
    if (namesOf(target).includes('loop')) this.#stream.fail("Can't assign to special loop variable in for-loop", target);
    return { kind: 'for', target, iterable, filter, recursive, body, otherwise, ...at };
  }

  #set(at: { start: number; end: number }): Statement {
    this.#stream.next();
    const target = this.#expressions.target({ withNamespace: true });
    if (this.#stream.skipOperator('=')) return { kind: 'set', target, value: this.#expressions.tuple(), ...at };
    const filter = this.#stream.isOperator('|') ? this.#expressions.filter(undefined) : undefined;
    return { kind: 'set-block', target, filter, body: this.#closed('set', 'endset'), ...at };
  }

  #with(at: { start: number; end: number }): Statement {
    this.#stream.next();
    const targets: Target[] = [];
    const values: Expression[] = [];
    while (!this.#stream.is('block-end')) {
      if (targets.length > 0) this.#stream.expect('operator', ',');
      // A name list without brackets would swallow the next assignment.
      targets.push(this.#expressions.target({ nameOnly: !this.#stream.isOperator('(', '[') }));
      this.#stream.expect('operator', '=');
      values.push(this.#expressions.expression());
    }
    return { kind: 'with', targets, values, body: this.#closed('with', 'endwith'), ...at };
  }

  #block(at: { start: number; end: number }): Statement {
    this.#stream.next();
    const name = this.#stream.expect('name');
    const scoped = this.#stream.skipName('scoped');
    const required = this.#stream.skipName('required');
    if (this.#stream.isOperator('-'))
      this.#stream.fail('Block names in Jinja have to be valid Python identifiers and may not contain hyphens, use an underscore instead.');
    const body = this.#closed('block', 'endblock');
    if (
      required &&
      body.some((inner) => inner.kind !== 'output' || inner.parts.some((part) => typeof part !== 'string' || part.trim() !== ''))
    ) {
      this.#stream.fail('Required blocks can only contain comments or whitespace', name);
    }
    this.#stream.skipName(name.text);
    const block: StatementOf<'block'> = { kind: 'block', name: name.text, scoped, required, body, ...at };
    if (this.#blocks.has(name.text)) this.#stream.fail(`block '${name.text}' defined twice`, name);
    this.#blocks.set(name.text, block);
    return block;
  }

  #macro(at: { start: number; end: number }): Statement {
    this.#stream.next();
    const name = this.#stream.expect('name').text;
    const parameters = this.#parameters();
    const loops = this.#loops;
    this.#loops = 0;
    const body = this.#closed('macro', 'endmacro');
    this.#loops = loops;
    return { kind: 'macro', name, parameters, body, ...at };
  }

  #parameters(): MacroParameters {
    const names: string[] = [];
    const defaults: Expression[] = [];
    this.#stream.expect('operator', '(');
    while (!this.#stream.isOperator(')')) {
      if (names.length > 0) this.#stream.expect('operator', ',');
      if (this.#options.dialect === 'minijinja' && this.#stream.isOperator(')')) break;
      const name = this.#expressions.target({ nameOnly: true });
      if (this.#stream.skipOperator('=')) defaults.push(this.#expressions.expression());
      else if (defaults.length > 0) this.#stream.fail('non-default argument follows default argument');
      if (name.kind === 'name') {
        if (names.includes(name.name)) this.#stream.fail(`duplicate argument '${name.name}' in function definition`, name);
        names.push(name.name);
      }
    }
    this.#stream.next();
    return { names, defaults };
  }

  #imports(tag: 'include' | 'import' | 'from', at: { start: number; end: number }): Statement {
    this.#stream.next();
    const template = this.#expressions.expression();
    if (tag === 'include') {
      let ignoreMissing = false;
      if (this.#stream.isName('ignore') && this.#stream.look().text === 'missing') {
        this.#stream.next();
        this.#stream.next();
        ignoreMissing = true;
      }
      return { kind: 'include', template, ignoreMissing, withContext: this.#context() ?? true, ...at };
    }
    if (tag === 'import') {
      this.#stream.expect('name', 'as');
      const alias = this.#stream.expect('name').text;
      return { kind: 'import', template, alias, withContext: this.#context() ?? false, ...at };
    }
    this.#stream.expect('name', 'import');
    const names: { name: string; alias: string }[] = [];
    let withContext: boolean | undefined;
    for (;;) {
      if (names.length > 0) {
        this.#stream.expect('operator', ',');
        if (this.#options.dialect === 'minijinja' && this.#stream.is('block-end')) break;
      }
      withContext = this.#context();
      if (withContext !== undefined) break;
      const name = this.#stream.expect('name');
      if (name.text.startsWith('_') && this.#options.dialect === 'jinja')
        this.#stream.fail('names starting with an underline can not be imported', name);
      const alias = this.#stream.skipName('as') ? this.#stream.expect('name').text : name.text;
      names.push({ name: name.text, alias });
      withContext = this.#context();
      if (withContext !== undefined || !this.#stream.isOperator(',')) break;
    }
    return { kind: 'from-import', template, names, withContext: withContext ?? false, ...at };
  }

  /** `with context`, `without context`, or nothing. */
  #context(): boolean | undefined {
    if (!this.#stream.isName('with', 'without') || this.#stream.look().text !== 'context') return undefined;
    const isWith = this.#stream.next().text === 'with';
    this.#stream.next();
    return isWith;
  }
}

export function namesOf(target: Target | Expression): string[] {
  if (target.kind === 'name') return [target.name];
  return target.kind === 'tuple' || target.kind === 'list' ? target.items.flatMap(namesOf) : [];
}
