import { type Failure, placeOf, TkError } from '../../base/index.ts';
import { renderFailure } from '../failures.ts';
import { LimitReached } from '../python/operators.ts';
import { textOf } from '../python/text.ts';
import { type Arguments, Callable, Markup, orElse, PythonError, Tuple, type Value } from '../python/values.ts';
import { type Expression, type Statement, type StatementOf, spanOf, type Target, type Template } from './ast.ts';
import { type CallScope, type Environment, type TemplateSource, undefinedHint, unpack } from './environment.ts';
import { type EvaluationHost, Evaluator } from './evaluator.ts';
import { makeMacro } from './macro.ts';
import { LoopObject, TemplateModule } from './objects.ts';
import { listOf } from '../python/operators.ts';
import { type BlockSource, Context, Scope } from './scope.ts';

/** How a statement ended inside a loop. */
type Outcome = 'break' | 'continue' | undefined;

/** One render: walks the tree, never makes code. */
export class Interpreter implements EvaluationHost {
  readonly environment: Environment;
  readonly #templates: TemplateSource;
  readonly #evaluator: Evaluator;
  autoescape: boolean;
  template: Template;
  position: { readonly start: number; readonly end: number } = { start: 0, end: 0 };
  #output: string[] = [];
  #size = 0;
  #steps = 0;
  #depth = 0;

  constructor(environment: Environment, templates: TemplateSource, template: Template) {
    this.environment = environment;
    this.#templates = templates;
    this.template = template;
    this.autoescape = environment.autoescape;
    this.#evaluator = new Evaluator(this);
  }

  /** The text. Failure: `render/*`, with the place in the template that was running. */
  render(given: ReadonlyMap<string, Value>): string {
    try {
      this.#root(new Context(this.template, given));
      return this.#output.join('');
    } catch (error) {
      throw this.#located(error);
    }
  }

  // --- what expressions need of the render ---------------------------------------------------------------------------

  step(): void {
    this.#steps += 1;
    if (this.#steps > this.environment.limits.steps) throw new LimitReached('steps', this.environment.limits.steps);
  }

  nested<T>(run: () => T): T {
    this.#depth += 1;
    if (this.#depth > this.environment.limits.depth) throw new LimitReached('depth', this.environment.limits.depth);
    try {
      return run();
    } finally {
      this.#depth -= 1;
    }
  }

  capture(run: () => void): string {
    const outer = this.#output;
    this.#output = [];
    try {
      run();
      return this.#output.join('');
    } finally {
      this.#output = outer;
    }
  }

  captured(run: () => void): Value {
    const text = this.capture(run);
    return this.autoescape ? new Markup(text) : text;
  }

  /** Runs in another template, whose places failures name. Not restored after a failure: that is where it happened. */
  inTemplate<T>(template: Template, run: () => T): T {
    const [outer, position] = [this.template, this.position];
    this.template = template;
    const result = run();
    this.template = outer;
    this.position = position;
    return result;
  }

  callScope(): CallScope {
    return this.#evaluator;
  }

  #write(text: string): void {
    this.#size += text.length;
    if (this.#size > this.environment.limits.size) throw new LimitReached('size', this.environment.limits.size);
    this.#output.push(text);
  }

  #located(error: unknown): TkError {
    if (error instanceof TkError) return error;
    const template = this.template.file.path;
    const where = placeOf(spanOf(this.template.file, this.position));
    const failure = (): Failure => {
      if (error instanceof LimitReached)
        return renderFailure('render/limit', { template, limit: error.limit, allowed: error.allowed }, { where });
      if (error instanceof RangeError)
        return renderFailure('render/limit', { template, limit: 'depth', allowed: this.environment.limits.depth }, { where });
      if (error instanceof PythonError && error.kind === 'UndefinedError')
        return renderFailure('render/undefined', { template, detail: error.message }, { where });
      if (error instanceof PythonError)
        return renderFailure('render/runtime', { template, kind: error.kind, detail: error.message }, { where });
      throw error;
    };
    return new TkError(failure());
  }

  // --- templates -----------------------------------------------------------------------------------------------------

  #root(context: Context): void {
    this.#body(context.template, context);
  }

  /** The body of a template, then of its parents, over one context. */
  #body(template: Template, context: Context): void {
    this.inTemplate(template, () => {
      const scope = new Scope(context);
      const outer = this.#output;
      const frame: RootFrame = { scope, parent: undefined };
      this.#statements(template.body, scope, frame);
      this.#output = outer;
      const { parent } = frame;
      if (parent) this.nested(() => this.#body(parent, context));
    });
  }

  #load(name: Value): Template {
    const found = this.#find(name);
    if (found) return found;
    const names = (name instanceof Tuple ? [...name.items] : Array.isArray(name) ? name : [name]).map(textOf);
    throw new TkError(
      renderFailure(
        'render/template-not-found',
        { template: this.template.file.path, names },
        { where: placeOf(spanOf(this.template.file, this.position)) },
      ),
    );
  }

  #find(name: Value): Template | undefined {
    const names = name instanceof Tuple || Array.isArray(name) ? listOf(name) : [name];
    for (const one of names) {
      const template = this.#templates.load(textOf(one));
      if (template) return template;
    }
    return undefined;
  }

  renderBlock(sources: readonly BlockSource[], depth: number, context: Context): void {
    const source = sources[depth];
    if (!source) return;
    this.nested(() =>
      this.inTemplate(source.template, () => {
        const scope = new Scope(context);
        const { name } = source.block;
        scope.set('super', this.#super(name, sources, depth, context));
        this.#statements(source.block.body, scope);
      }),
    );
  }

  #super(name: string, sources: readonly BlockSource[], depth: number, context: Context): Value {
    if (depth + 1 >= sources.length) return undefinedHint(this.environment, `there is no parent block called '${name}'.`, 'super');
    const call = () => this.captured(() => this.renderBlock(sources, depth + 1, context));
    return new Callable('super', 'method', call, new Map([['super', this.#super(name, sources, depth + 1, context)]]));
  }

  // --- statements ----------------------------------------------------------------------------------------------------

  #statements(body: readonly Statement[], scope: Scope, root?: RootFrame): Outcome {
    for (const statement of body) {
      const outcome = this.#statement(statement, scope, root);
      if (outcome) return outcome;
    }
    return undefined;
  }

  #statement(statement: Statement, scope: Scope, root: RootFrame | undefined): Outcome {
    this.step();
    this.position = statement;
    const evaluator = this.#evaluator;
    switch (statement.kind) {
      case 'output':
        // What follows `extends` at the top of a template is not even evaluated.
        if (root?.parent) return undefined;
        for (const part of statement.parts) {
          if (typeof part === 'string') this.#write(part);
          else {
            const value = evaluator.evaluate(part, scope);
            this.position = part;
            this.#write(evaluator.printed(value));
          }
        }
        return undefined;
      case 'if': {
        const branch = statement.branches.find(({ test }) => evaluator.isTrue(evaluator.evaluate(test, scope)));
        return this.#statements(branch ? branch.body : statement.otherwise, scope, root);
      }
      case 'for':
        this.#for(statement, scope, scope, undefined, 0);
        return undefined;
      case 'set':
        this.assign(statement.target, evaluator.evaluate(statement.value, scope), scope, root);
        return undefined;
      case 'set-block': {
        let value = this.captured(() => this.#statements(statement.body, scope.inner()));
        if (statement.filter) value = evaluator.filterBlock(statement.filter, value, scope);
        this.assign(statement.target, value, scope, root);
        return undefined;
      }
      case 'with': {
        const inner = scope.inner();
        const { hasScopes } = this.environment.semantics;
        // Jinja evaluates all values outside; in minijinja later ones see the earlier names.
        const values = hasScopes ? statement.values.map((value) => evaluator.evaluate(value, scope)) : undefined;
        statement.targets.forEach((target, index) => {
          const value = values ? (values[index] ?? null) : evaluator.evaluate(statement.values[index] as Expression, inner);
          this.assign(target, value, inner, undefined);
        });
        return this.#statements(statement.body, inner);
      }
      case 'filter-block': {
        const text = this.captured(() => this.#statements(statement.body, scope.inner()));
        this.#write(evaluator.printed(evaluator.filterBlock(statement.filter, text, scope)));
        return undefined;
      }
      case 'autoescape': {
        const outer = this.autoescape;
        this.autoescape = evaluator.isTrue(evaluator.evaluate(statement.enabled, scope));
        try {
          return this.#statements(statement.body, scope.inner());
        } finally {
          this.autoescape = outer;
        }
      }
      case 'block':
        if (root?.parent) return undefined;
        this.#block(statement, scope);
        return undefined;
      case 'extends':
        this.#extends(statement, scope, root);
        return undefined;
      case 'include':
        this.#include(statement, scope);
        return undefined;
      case 'import':
        this.#bind(statement.alias, this.#module(statement, scope), scope, root);
        return undefined;
      case 'from-import': {
        const module = this.#module(statement, scope);
        for (const { name, alias } of statement.names) {
          const origin = `imported on line ${this.#line()} in '${this.template.file.path}'`;
          const message = `the template '${module.name}' (${origin}) does not export the requested name '${name}'`;
          const value = orElse(module.attribute(name), () => undefinedHint(this.environment, message, name));
          this.#bind(alias, value, scope, root);
        }
        return undefined;
      }
      case 'macro':
        this.#bind(statement.name, makeMacro(this, this.#evaluator, statement, scope), scope, root);
        return undefined;
      case 'call-block': {
        const caller = makeMacro(this, this.#evaluator, { ...statement, kind: 'macro', name: 'caller' }, scope);
        this.#write(evaluator.printed(evaluator.call(statement.call, scope, caller)));
        return undefined;
      }
      case 'do':
        evaluator.evaluate(statement.value, scope);
        return undefined;
      case 'break':
      case 'continue':
        return statement.kind;
      case 'debug':
        return undefined;
    }
  }

  runMacroBody(body: readonly Statement[], scope: Scope): Value {
    return this.captured(() => this.#statements(body, scope));
  }

  #line(): number {
    return this.template.file.text.slice(0, this.position.start).split('\n').length;
  }

  #bind(name: string, value: Value, scope: Scope, root: RootFrame | undefined): void {
    scope.set(name, value);
    if (root) scope.context.exported.set(name, value);
  }

  assign(target: Target, value: Value, scope: Scope, root: RootFrame | undefined): void {
    if (target.kind === 'name') this.#bind(target.name, value, scope, root);
    else if (target.kind === 'namespace-field') this.#evaluator.assignField(target, value, scope);
    else {
      this.position = target;
      const values = unpack(Array.from(this.#evaluator.iterate(value)), target.items.length);
      target.items.forEach((item, index) => this.assign(item as Target, values[index] ?? null, scope, root));
    }
  }

  #for(statement: StatementOf<'for'>, scope: Scope, source: Scope, items: Value | undefined, depth0: number): void {
    const evaluator = this.#evaluator;
    let iterable = items === undefined ? evaluator.evaluate(statement.iterable, source) : items;
    this.position = statement.iterable;
    const { filter } = statement;
    if (filter) {
      const kept: Value[] = [];
      for (const item of evaluator.iterate(iterable)) {
        this.step();
        const inner = scope.inner();
        this.assign(statement.target, item, inner, undefined);
        if (evaluator.isTrue(evaluator.evaluate(filter, inner))) kept.push(item);
      }
      iterable = kept;
    }
    const recurse = (next: Value, depth: number) => this.nested(() => this.captured(() => this.#for(statement, scope, scope, next, depth)));
    const loop = evaluator.loop(iterable, depth0, statement.recursive ? recurse : undefined);
    let ran = false;
    for (let step = loop.advance(); step; step = loop.advance()) {
      this.step();
      ran = true;
      const inner = scope.inner();
      inner.set('loop', loop);
      this.assign(statement.target, step.value, inner, undefined);
      if (this.#statements(statement.body, inner) === 'break') break;
    }
    if (!ran) this.#statements(statement.otherwise, scope.inner());
  }

  #block(statement: StatementOf<'block'>, scope: Scope): void {
    const { context } = scope;
    const sources = context.blocks.get(statement.name) ?? [];
    if (statement.required && sources.length <= 1)
      throw new PythonError('TemplateRuntimeError', `Required block '${statement.name}' not found`);
    this.renderBlock(sources, 0, statement.scoped || !this.environment.semantics.hasScopes ? context.derived(scope.locals()) : context);
  }

  #extends(statement: StatementOf<'extends'>, scope: Scope, root: RootFrame | undefined): void {
    if (!root) throw new PythonError('TemplateRuntimeError', 'cannot use extend from a non top-level scope');
    if (root.parent) throw new PythonError('TemplateRuntimeError', 'extended multiple times');
    const name = this.#evaluator.evaluate(statement.template, scope);
    this.position = statement.template;
    root.parent = this.#load(name);
    scope.context.addBlocks(root.parent);
    // What follows at the top of this template prints nothing; only the parent does.
    this.#output = [];
  }

  #include(statement: StatementOf<'include'>, scope: Scope): void {
    const name = this.#evaluator.evaluate(statement.template, scope);
    this.position = statement.template;
    const template = statement.ignoreMissing ? this.#find(name) : this.#load(name);
    if (!template) return;
    const given =
      statement.withContext || !this.environment.semantics.hasScopes ? scope.context.all(scope.locals()) : this.environment.globals;
    this.nested(() => this.#root(new Context(template, given)));
  }

  #module(statement: StatementOf<'import' | 'from-import'>, scope: Scope): TemplateModule {
    const name = this.#evaluator.evaluate(statement.template, scope);
    this.position = statement.template;
    const template = this.#load(name);
    const context = new Context(
      template,
      statement.withContext || !this.environment.semantics.hasScopes ? scope.context.all(scope.locals()) : this.environment.globals,
    );
    const text = this.nested(() => this.capture(() => this.#root(context)));
    this.position = statement;
    return new TemplateModule(template.file.path, context.exported, text);
  }

  /** `self`: the blocks of the template as functions. */
  blockReference(name: string, context: Context): Value | undefined {
    const sources = context.blocks.get(name);
    return sources && new Callable(name, 'method', (_args: Arguments) => this.captured(() => this.renderBlock(sources, 0, context)));
  }

  print(value: Value): string {
    const { semantics } = this.environment;
    return this.autoescape ? semantics.escape(value).text : semantics.text(value);
  }

  isTrue(value: Value): boolean {
    return this.environment.semantics.isTrue(value);
  }

  loop(items: Value, depth0: number, recurse?: (items: Value, depth0: number) => Value): LoopObject {
    return new LoopObject(this.environment, items, depth0, recurse);
  }
}

/** The top of one template while its body runs. */
interface RootFrame {
  readonly scope: Scope;
  parent: Template | undefined;
}
