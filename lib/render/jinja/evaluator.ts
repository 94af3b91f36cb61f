import { affirmed, iterate, negated, Slice, sliced } from '../python/operators.ts';
import {
  type Arguments,
  Callable,
  Dict,
  Instance,
  Markup,
  PythonError,
  Tuple,
  typeError,
  typeName,
  Undefined,
  type Value,
} from '../python/values.ts';
import type { CallArguments, Comparison, Expression, Template } from './ast.ts';
import { type Applied, type CallScope, type Environment, undefinedName } from './environment.ts';
import type { LoopObject } from './objects.ts';
import { SelfReference } from './self.ts';
import type { Semantics } from './semantics.ts';
import type { Context, Scope } from './scope.ts';

type ExpressionOf<K extends Expression['kind']> = Extract<Expression, { kind: K }>;

/** What evaluating needs of the render that it belongs to. */
export interface EvaluationHost {
  readonly environment: Environment;
  readonly autoescape: boolean;
  readonly template: Template;
  position: { readonly start: number; readonly end: number };
  step(): void;
  nested<T>(run: () => T): T;
  print(value: Value): string;
  loop(items: Value, depth0: number, recurse?: (items: Value, depth0: number) => Value): LoopObject;
  blockReference(name: string, context: Context): Value | undefined;
}

/** Expressions to values. The host's position is the innermost expression that is being worked on. */
export class Evaluator implements CallScope {
  readonly #host: EvaluationHost;

  constructor(host: EvaluationHost) {
    this.#host = host;
  }

  get environment(): Environment {
    return this.#host.environment;
  }

  get #semantics(): Semantics {
    return this.environment.semantics;
  }

  get autoescape(): boolean {
    return this.#host.autoescape;
  }

  evaluate(node: Expression, scope: Scope): Value {
    this.#host.step();
    switch (node.kind) {
      case 'constant':
        return node.value;
      case 'name':
        return this.#name(node.name, scope);
      case 'namespace-field':
        return this.#semantics.attribute(this.environment, this.#name(node.name, scope), node.field);
      case 'list':
        return node.items.map((item) => this.evaluate(item, scope));
      case 'tuple':
        return new Tuple(node.items.map((item) => this.evaluate(item, scope)));
      case 'dict': {
        const dict = new Dict();
        for (const { key, value } of node.pairs) dict.set(this.evaluate(key, scope), this.evaluate(value, scope));
        return dict;
      }
      case 'attribute': {
        const object = this.evaluate(node.object, scope);
        this.#host.position = node;
        return this.#semantics.attribute(this.environment, object, node.name);
      }
      case 'subscript':
        return this.#subscript(node, scope);
      case 'slice':
        throw typeError('a slice stands alone');
      case 'call':
        return this.call(node, scope);
      case 'filter':
        return this.#filter(node, scope, node.input ? this.evaluate(node.input, scope) : '');
      case 'test':
        return this.#test(node, scope);
      case 'unary': {
        const operand = this.evaluate(node.operand, scope);
        this.#host.position = node;
        if (node.operator === 'not') return !this.isTrue(operand);
        return node.operator === '-' ? (this.#semantics.negate ?? negated)(operand) : affirmed(operand);
      }
      case 'binary': {
        const left = this.evaluate(node.left, scope);
        const right = this.evaluate(node.right, scope);
        this.#host.position = node;
        return this.#semantics.arithmetic(left, node.operator, right);
      }
      case 'logic': {
        const left = this.evaluate(node.left, scope);
        this.#host.position = node.left;
        return this.isTrue(left) === (node.operator === 'and') ? this.evaluate(node.right, scope) : left;
      }
      case 'concat': {
        const values = node.parts.map((part) => this.evaluate(part, scope));
        this.#host.position = node;
        if (this.autoescape && values.some((value) => value instanceof Markup))
          return new Markup(values.map((value) => this.#semantics.escape(value).text).join(''));
        return values.map((value) => this.#semantics.text(value)).join('');
      }
      case 'compare':
        return this.#compare(node, scope);
      case 'conditional': {
        if (this.isTrue(this.evaluate(node.test, scope))) return this.evaluate(node.then, scope);
        if (node.otherwise) return this.evaluate(node.otherwise, scope);
        const line = this.#host.template.file.text.slice(0, node.start).split('\n').length;
        const message = `the inline if-expression on line ${line} in '${this.#host.template.file.path}' evaluated to false and no else section was defined.`;
        // Even strict environments print nothing here.
        return new Undefined('default', message);
      }
    }
  }

  isTrue(value: Value): boolean {
    return this.#semantics.isTrue(value);
  }

  iterate(value: Value): Iterable<Value> {
    return this.#semantics.iterate(value);
  }

  printed(value: Value): string {
    return this.#host.print(value);
  }

  loop(items: Value, depth0: number, recurse?: (items: Value, depth0: number) => Value): LoopObject {
    return this.#host.loop(items, depth0, recurse);
  }

  #name(name: string, scope: Scope): Value {
    const value = scope.get(name);
    if (value !== undefined) return value;
    if (name === 'self' && this.#semantics.hasScopes)
      return new SelfReference(this.#host.template.file.path, (block) => this.#host.blockReference(block, scope.context));
    return undefinedName(this.environment, name);
  }

  #subscript(node: ExpressionOf<'subscript'>, scope: Scope): Value {
    const object = this.evaluate(node.object, scope);
    if (node.key.kind === 'slice') {
      const bound = (expression: Expression | undefined) => (expression ? this.evaluate(expression, scope) : null);
      const slice = new Slice(bound(node.key.from), bound(node.key.to), bound(node.key.step));
      this.#host.position = node;
      if (object instanceof Undefined) {
        return this.#semantics.hasScopes || object.mode === 'strict' ? this.#semantics.item(this.environment, object, null) : [];
      }
      if (object === null && !this.#semantics.hasScopes) return [];
      const part = sliced(object, slice);
      if (part === undefined)
        throw typeError(object instanceof Dict ? "unhashable type: 'slice'" : `'${typeName(object)}' object is not subscriptable`);
      return part;
    }
    const key = this.evaluate(node.key, scope);
    this.#host.position = node;
    return this.#semantics.item(this.environment, object, key);
  }

  #compare(node: ExpressionOf<'compare'>, scope: Scope): Value {
    let left = this.evaluate(node.first, scope);
    for (const { operator, operand } of node.rest) {
      const right = this.evaluate(operand, scope);
      this.#host.position = node;
      if (!compared(this.#semantics, left, operator, right)) return false;
      left = right;
    }
    return true;
  }

  // --- calls, filters, tests -----------------------------------------------------------------------------------------

  arguments(args: CallArguments, scope: Scope, before: readonly Value[] = []): Arguments {
    const positional = [...before, ...args.positional.map((arg) => this.evaluate(arg, scope))];
    const named = new Map<string, Value>();
    for (const { name, value } of args.named) {
      if (named.has(name)) throw new PythonError('TypeError', `keyword argument repeated: ${name}`);
      named.set(name, this.evaluate(value, scope));
    }
    if (args.rest) positional.push(...iterate(this.evaluate(args.rest, scope)));
    if (args.namedRest) {
      const more = this.evaluate(args.namedRest, scope);
      if (!(more instanceof Dict)) throw typeError(`argument after ** must be a mapping, not ${typeName(more)}`);
      for (const [name, value] of more.entries()) {
        if (typeof name !== 'string') throw typeError('keywords must be strings');
        if (named.has(name)) throw typeError(`got multiple values for keyword argument '${name}'`);
        named.set(name, value);
      }
    }
    return { positional, named };
  }

  call(node: Expression, scope: Scope, caller?: Callable): Value {
    if (node.kind !== 'call') return this.evaluate(node, scope);
    if (this.#semantics.method && node.callee.kind === 'attribute') return this.#method(node, node.callee, scope, caller);
    const callee = this.evaluate(node.callee, scope);
    const args = this.arguments(node.args, scope);
    this.#host.position = node;
    return this.invoke(callee, caller ? { positional: args.positional, named: new Map([...args.named, ['caller', caller]]) } : args);
  }

  #method(node: ExpressionOf<'call'>, callee: ExpressionOf<'attribute'>, scope: Scope, caller: Callable | undefined): Value {
    const isSelf = callee.object.kind === 'name' && callee.object.name === 'self' && scope.get('self') === undefined;
    const object = isSelf
      ? new SelfReference('', (block) => this.#host.blockReference(block, scope.context))
      : this.evaluate(callee.object, scope);
    const given = this.arguments(node.args, scope);
    const args = caller ? { positional: given.positional, named: new Map([...given.named, ['caller', caller as Value]]) } : given;
    this.#host.position = node;
    const result = isSelf ? undefined : this.#semantics.method?.(this.environment, object, callee.name, args);
    if (result !== undefined) return result;
    return this.invoke(this.#semantics.attribute(this.environment, object, callee.name), args);
  }

  invoke(callee: Value, args: Arguments): Value {
    if (callee instanceof Undefined) return callee.fail();
    if (callee instanceof Callable) return callee.call(args);
    if (callee instanceof Instance && callee.isCallable()) return callee.call(args);
    throw typeError(`'${typeName(callee)}' object is not callable`);
  }

  #filter(node: ExpressionOf<'filter'>, scope: Scope, input: Value): Value {
    const args = this.arguments(node.args, scope, [input]);
    this.#host.position = node;
    return this.filter(node.name, args);
  }

  /** The chain of a filter block, which begins with the block's text. */
  filterBlock(node: Expression, text: Value, scope: Scope): Value {
    if (node.kind !== 'filter') return text;
    return this.#filter(node, scope, node.input ? this.filterBlock(node.input, text, scope) : text);
  }

  #test(node: ExpressionOf<'test'>, scope: Scope): Value {
    const args = this.arguments(node.args, scope, [this.evaluate(node.input, scope)]);
    this.#host.position = node;
    return this.test(node.name, args) !== node.negated;
  }

  filter(name: string, args: Arguments): Value {
    return this.#applied(this.environment.filters, 'filter', name)(this, args);
  }

  test(name: string, args: Arguments): boolean {
    return this.#semantics.isTrue(this.#applied(this.environment.tests, 'test', name)(this, args));
  }

  #applied(table: ReadonlyMap<string, Applied>, what: 'filter' | 'test', name: string): Applied {
    const applied = table.get(name);
    if (!applied) throw new PythonError('TemplateRuntimeError', `No ${what} named '${name}' found.`);
    return applied;
  }

  assignField(target: ExpressionOf<'namespace-field'>, value: Value, scope: Scope): void {
    const object = this.#name(target.name, scope);
    this.#host.position = target;
    if (!(object instanceof Instance && object.assign(target.field, value))) {
      throw new PythonError('TemplateRuntimeError', 'cannot assign attribute on non-namespace object');
    }
  }
}

function compared({ isEqual, isOrdered, contains }: Semantics, left: Value, operator: Comparison, right: Value): boolean {
  switch (operator) {
    case '==':
      return isEqual(left, right);
    case '!=':
      return !isEqual(left, right);
    case 'in':
      return contains(right, left);
    case 'not in':
      return !contains(right, left);
    case '<':
    case '<=':
    case '>':
    case '>=':
      return isOrdered(left, operator, right);
  }
}
