import type { Overload } from './library.ts';
import { BadExpression, type Expression, parseExpression } from './syntax.ts';
import {
  bool,
  duration,
  timestamp,
  type CelType,
  dyn,
  list,
  map,
  nothing,
  object,
  optional,
  scalars,
  Substitutions,
  typeName,
  typeOf,
} from './types.ts';

/** What an expression may speak of. */
export interface Environment {
  readonly variables: Readonly<Record<string, CelType>>;
  readonly functions: ReadonlyMap<string, readonly Overload[]>;
  /** Fields of the messages that it knows. */
  readonly messages: Readonly<Record<string, Readonly<Record<string, CelType>>>>;
  readonly hasOptionals: boolean;
}

/**
 * What is wrong with an expression, in the words of the node, or undefined. Only the first thing is told.
 *
 * Source: cel-go v0.31.0 checker/checker.go; pkg/machinery/cel/cel.go
 */
export function expressionError(text: string, environment: Environment, wanted: 'bool' | 'double'): string | undefined {
  try {
    const type = new Checker(environment).whole(parseExpression(text, environment.hasOptionals));
    return typeName(type) === wanted ? undefined : `expression output type is ${typeName(type)}, expected ${wanted}`;
  } catch (error) {
    if (!(error instanceof BadExpression)) throw error;
    const before = text.slice(0, error.at).split('\n');
    const column = [...(before.at(-1) ?? '')].length;
    const line = text.split('\n')[before.length - 1] ?? '';
    return `ERROR: <input>:${before.length}:${column + 1}: ${error.message}\n | ${line}\n | ${'.'.repeat(column)}^`;
  }
}

const literals: Readonly<Record<(Expression & { is: 'literal' })['type'], CelType>> = {
  ...scalars,
  null: nothing,
};

/** Names of types are values too. */
const typeNames: Readonly<Record<string, CelType>> = {
  ...scalars,
  dyn,
  null_type: nothing,
  list: list(dyn),
  map: map(dyn, dyn),
  type: typeOf(dyn),
  'google.protobuf.Duration': duration,
  'google.protobuf.Timestamp': timestamp,
};

type Scope = ReadonlyMap<string, CelType>;

class Checker {
  readonly #environment: Environment;
  readonly #types = new Substitutions();

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  whole(expression: Expression): CelType {
    return this.#types.apply(this.#check(expression, new Map()), true);
  }

  #check(expression: Expression, scope: Scope): CelType {
    return this.#types.apply(this.#typeOf(expression, scope));
  }

  #typeOf(expression: Expression, scope: Scope): CelType {
    switch (expression.is) {
      case 'literal':
        return literals[expression.type];
      case 'ident':
        return this.#named(expression.name, scope) ?? undeclared(expression.name.replace(/^\./, ''), expression.at);
      case 'select':
        return this.#select(expression, scope);
      case 'call':
        return this.#call(expression, scope);
      case 'list': {
        let element: CelType | undefined;
        expression.items.forEach((item, index) => {
          element = this.#types.join(element, this.#element(item, expression.optional[index] === true, scope));
        });
        return list(element ?? this.#types.fresh());
      }
      case 'map': {
        let key: CelType | undefined;
        let value: CelType | undefined;
        for (const entry of expression.entries) {
          key = this.#types.join(key, this.#check(entry.key, scope));
          value = this.#types.join(value, this.#element(entry.value, entry.optional, scope));
        }
        return map(key ?? this.#types.fresh(), value ?? this.#types.fresh());
      }
      case 'message':
        return this.#message(expression, scope);
    }
  }

  /** `?a` in a list or map is there only if it has a value. */
  #element(item: Expression, isOptional: boolean, scope: Scope): CelType {
    const type = this.#check(item, scope);
    if (!isOptional) return type;
    const inner = this.#types.fresh();
    if (!this.#types.fits(type, optional(inner))) mismatch(optional(dyn), this.#types.apply(type, true), item.at);
    return this.#types.apply(inner);
  }

  #named(name: string, scope: Scope): CelType | undefined {
    const { variables, messages } = this.#environment;
    const local = name.startsWith('.') ? undefined : scope.get(name);
    if (local) return local;
    const plain = name.replace(/^\./, '');
    if (Object.hasOwn(variables, plain)) return variables[plain];
    if (Object.hasOwn(typeNames, plain)) return typeOf(typeNames[plain] ?? dyn);
    return Object.hasOwn(messages, plain) || isMessageElsewhere(plain) ? typeOf(object(plain)) : undefined;
  }

  #select(expression: Expression & { is: 'select' }, scope: Scope): CelType {
    const name = expression.optional ? undefined : qualifiedName(expression);
    // A local variable hides every longer name that begins with it.
    const isLocal = name !== undefined && scope.has(name.split('.')[0] ?? '');
    const whole = name === undefined || isLocal ? undefined : this.#named(name, scope);
    return whole ?? this.#field(expression, expression.of, expression.field, expression.optional, scope);
  }

  #field(at: Expression, of: Expression, field: string, isOptional: boolean, scope: Scope): CelType {
    const operand = this.#check(of, scope);
    const target = operand.is === 'optional' ? (operand.of[0] ?? dyn) : operand;
    const found = this.#fieldType(target, field, at.at);
    return operand.is === 'optional' || isOptional ? optional(found) : found;
  }

  #fieldType(target: CelType, field: string, at: number): CelType {
    if (target.is === 'map') return target.of[1] ?? dyn;
    if (target.is === 'object') {
      const fields = this.#environment.messages[target.name];
      if (!fields) return dyn;
      const type = Object.hasOwn(fields, field) ? fields[field] : undefined;
      if (type === undefined) throw new BadExpression(`undefined field '${field}'`, at);
      return type;
    }
    if (target.is === 'variable') this.#types.fits(dyn, target);
    else if (target.is !== 'dyn') throw new BadExpression(`type '${typeName(target)}' does not support field selection`, at);
    return dyn;
  }

  #message({ name, fields, at }: Expression & { is: 'message' }, scope: Scope): CelType {
    const plain = name.replace(/^\./, '');
    const known = Object.hasOwn(this.#environment.messages, plain) ? this.#environment.messages[plain] : undefined;
    if (!known && !isMessageElsewhere(plain)) undeclared(plain, at);
    for (const field of fields) {
      const value = this.#element(field.value, field.optional, scope);
      if (!known) continue;
      const wanted = Object.hasOwn(known, field.name) ? known[field.name] : undefined;
      if (wanted === undefined) throw new BadExpression(`undefined field '${field.name}'`, field.at);
      if (!this.#types.fits(wanted, value))
        throw new BadExpression(
          `expected type of field '${field.name}' is '${typeName(wanted)}' but provided type is '${typeName(value)}'`,
          field.at,
        );
    }
    if (plain === 'google.protobuf.Duration' || plain === 'google.protobuf.Timestamp') return typeNames[plain] ?? dyn;
    return known ? object(plain) : dyn;
  }

  #call(call: Expression & { is: 'call' }, scope: Scope): CelType {
    const macro = this.#macro(call, scope);
    if (macro) return macro;
    const { functions } = this.#environment;
    const prefix = call.target ? qualifiedName(call.target) : undefined;
    const longName = prefix === undefined ? call.name.replace(/^\./, '') : `${prefix.replace(/^\./, '')}.${call.name}`;
    const isLong = call.target === undefined || (prefix !== undefined && functions.has(longName));
    const name = isLong ? longName : call.name;
    const overloads = functions.get(name);
    if (!overloads) {
      // What it is asked of comes first.
      if (call.target) this.#check(call.target, scope);
      for (const arg of call.args) this.#check(arg, scope);
      return undeclared(name, call.at);
    }
    const operands = isLong || !call.target ? call.args : [call.target, ...call.args];
    const types = operands.map((one) => this.#check(one, scope));
    return this.#resolve(name, overloads, types, !isLong, call.at);
  }

  #resolve(name: string, overloads: readonly Overload[], types: readonly CelType[], isMember: boolean, at: number): CelType {
    let result: CelType | undefined;
    for (const overload of overloads) {
      if (overload.isMember !== isMember) continue;
      const own = new Substitutions(
        new Map([
          [1, this.#types.fresh()],
          [2, this.#types.fresh()],
        ]),
      );
      if (
        !this.#types.allFit(
          types,
          overload.args.map((arg) => own.apply(arg)),
        )
      )
        continue;
      const found = this.#types.apply(own.apply(overload.result));
      if (result === undefined) result = found;
      else if (result.is !== 'dyn' && typeName(result) !== typeName(found)) result = dyn;
    }
    if (result) return result;
    const names = types.map((type) => typeName(this.#types.apply(type, true)));
    const applied = isMember ? `${names[0]}.(${names.slice(1).join(', ')})` : `(${names.join(', ')})`;
    throw new BadExpression(`found no matching overload for '${name}' applied to '${applied}'`, at);
  }

  /** Source: cel-go v0.31.0 parser/macro.go, cel/library.go */
  #macro({ name, target, args, at }: Expression & { is: 'call' }, scope: Scope): CelType | undefined {
    const [first, second, third] = args;
    if (name === 'has' && !target && args.length === 1 && first) {
      if (first.is !== 'select' || first.optional) throw new BadExpression('invalid argument to has() macro', first.at);
      this.#field(first, first.of, first.field, false, scope);
      return bool;
    }
    if (!target || !first || !second) return undefined;
    if (this.#environment.hasOptionals && (name === 'optMap' || name === 'optFlatMap') && args.length === 2)
      return this.#optionalMacro(name, target, first, second, scope);
    const isMap = name === 'map' && (args.length === 2 || args.length === 3);
    if (!isMap && !(['all', 'exists', 'exists_one', 'existsOne', 'filter'].includes(name) && args.length === 2)) return undefined;
    if (first.is !== 'ident' || first.name.startsWith('.')) throw new BadExpression('argument must be a simple name', first.at);
    const element = this.#rangeOf(target, scope);
    const inside = new Map([...scope, [first.name, element]]);
    const isTrue = (predicate: Expression) => {
      const type = this.#check(predicate, inside);
      if (!this.#types.fits(type, bool)) mismatch(bool, this.#types.apply(type, true), predicate.at);
    };
    if (!isMap || third) isTrue(second);
    if (isMap) return list(this.#check(third ?? second, inside));
    return name === 'filter'
      ? list(element)
      : this.#resolve('_&&_', this.#environment.functions.get('_&&_') ?? [], [bool, bool], false, at);
  }

  #optionalMacro(name: string, target: Expression, variable: Expression, body: Expression, scope: Scope): CelType {
    if (variable.is !== 'ident') throw new BadExpression(`${name}() variable name must be a simple identifier`, variable.at);
    const inner = this.#types.fresh();
    const type = this.#check(target, scope);
    if (!this.#types.fits(type, optional(inner)))
      throw new BadExpression(
        `found no matching overload for 'hasValue' applied to '${typeName(this.#types.apply(type, true))}.()'`,
        target.at,
      );
    const result = this.#check(body, new Map([...scope, [variable.name, this.#types.apply(inner)]]));
    if (name === 'optMap') return optional(result);
    const flat = optional(this.#types.fresh());
    if (!this.#types.fits(result, flat)) mismatch(flat, this.#types.apply(result, true), body.at);
    return this.#types.apply(flat);
  }

  #rangeOf(target: Expression, scope: Scope): CelType {
    const range = this.#check(target, scope);
    if (range.is === 'list' || range.is === 'map') return range.of[0] ?? dyn;
    if (range.is === 'variable') this.#types.fits(dyn, range);
    else if (range.is !== 'dyn')
      throw new BadExpression(
        `expression of type '${typeName(range)}' cannot be range of a comprehension (must be list, map, or dynamic)`,
        target.at,
      );
    return dyn;
  }
}

/** `a.b.c`, or undefined for what is not only names. */
function qualifiedName(expression: Expression): string | undefined {
  if (expression.is === 'ident') return expression.name;
  if (expression.is !== 'select' || expression.optional) return undefined;
  const before = qualifiedName(expression.of);
  return before === undefined ? undefined : `${before}.${expression.field}`;
}

/** Files of messages are known as a whole; those that nobody writes into a selector are not listed. */
const isMessageElsewhere = (name: string) => /^(?:talos\.resource\.definitions|google\.protobuf|common)\.(?:\w+\.)?[A-Z]\w*$/.test(name);

function undeclared(name: string, at: number): never {
  throw new BadExpression(`undeclared reference to '${name}' (in container '')`, at);
}

function mismatch(wanted: CelType, found: CelType, at: number): never {
  throw new BadExpression(`expected type '${typeName(wanted)}' but found '${typeName(found)}'`, at);
}
