import { Callable, Dict, orElse, Tuple, typeError, type Value } from '../python/values.ts';
import type { Statement, StatementOf } from './ast.ts';
import { undefinedHint } from './environment.ts';
import type { Evaluator } from './evaluator.ts';
import type { Interpreter } from './interpreter.ts';
import type { Scope } from './scope.ts';
import { mentions } from './walk.ts';

/** A macro over the scope where it stands; its body sees names as they are when it is called. */
export function makeMacro(interpreter: Interpreter, evaluator: Evaluator, macro: StatementOf<'macro'>, closure: Scope): Callable {
  const { names, defaults } = macro.parameters;
  const gathers = interpreter.environment.semantics.hasScopes ? ['caller', 'kwargs', 'varargs'] : ['caller'];
  const used = new Set(gathers.filter((name) => !names.includes(name) && mentions(macro.body, name)));
  const explicitCaller = names.includes('caller');
  const template = interpreter.template;
  const label = macro.name;
  const attributes = new Map<string, Value>([
    ['name', label],
    ['arguments', interpreter.environment.semantics.hasScopes ? new Tuple(names) : [...names]],
    ['catch_kwargs', used.has('kwargs')],
    ['catch_varargs', used.has('varargs')],
    ['caller', used.has('caller') || explicitCaller],
  ]);
  return new Callable(
    label,
    'macro',
    ({ positional, named }) => {
      const rest = new Map(named);
      const scope = closure.inner();
      const given = names.map((name, index) => {
        if (index < positional.length) return positional[index];
        const value = rest.get(name);
        rest.delete(name);
        return value;
      });
      let caller: Value | undefined;
      if (used.has('caller')) {
        caller = orElse(rest.get('caller'), () => undefinedHint(interpreter.environment, 'No caller defined', 'caller'));
        rest.delete('caller');
      }
      const [unexpected] = rest.keys();
      if (unexpected !== undefined && !used.has('kwargs')) {
        if (unexpected === 'caller')
          throw typeError(`macro '${label}' was invoked with two values for the special caller argument. This is most likely a bug.`);
        throw typeError(`macro '${label}' takes no keyword argument '${unexpected}'`);
      }
      if (positional.length > names.length && !used.has('varargs'))
        throw typeError(`macro '${label}' takes not more than ${names.length} argument(s)`);
      return interpreter.nested(() =>
        interpreter.inTemplate(template, () => {
          if (caller !== undefined) scope.set('caller', caller);
          if (used.has('kwargs')) scope.set('kwargs', Dict.of(rest));
          if (used.has('varargs')) scope.set('varargs', new Tuple(positional.slice(names.length)));
          bindParameters(names, given, scope, interpreter.environment.semantics.hasScopes, (index) => {
            const fallback = defaults[index - (names.length - defaults.length)];
            return fallback
              ? evaluator.evaluate(fallback, scope)
              : undefinedHint(interpreter.environment, `parameter '${names[index]}' was not provided`, names[index]);
          });
          return interpreter.runMacroBody(macro.body as readonly Statement[], scope);
        }),
      );
    },
    attributes,
  );
}

/** Defaults see the parameters before them; in minijinja those behind them. */
function bindParameters(
  names: readonly string[],
  given: readonly (Value | undefined)[],
  scope: Scope,
  isForward: boolean,
  otherwise: (index: number) => Value,
): void {
  if (!isForward) {
    for (let index = names.length - 1; index >= 0; index -= 1)
      scope.set(
        names[index] ?? '',
        orElse(given[index], () => otherwise(index)),
      );
    return;
  }
  names.forEach((name, index) => {
    const value = given[index];
    if (value !== undefined) scope.set(name, value);
  });
  names.forEach((name, index) => {
    if (given[index] === undefined) scope.set(name, otherwise(index));
  });
}
