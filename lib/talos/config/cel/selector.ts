import { expressionEnvironments, expressionFields, type ExpressionSubject, type TalosMinor } from '../../../upstream/tables.ts';
import { type Environment, expressionError } from './check.ts';
import { functionsOf, readType } from './library.ts';

const environments = new Map<string, Environment>();
/** Many machines have the same selectors. */
const known = new Map<string, string | undefined>();
const mostKnown = 1000;

/** What a node says of an expression: `disk`, `volume` and so on is what it may speak of. Undefined when it takes it. */
export function selectorError(text: string, subject: ExpressionSubject, minor: TalosMinor): string | undefined {
  const question = `${subject} ${minor} ${text}`;
  if (known.has(question)) return known.get(question);
  const said = expressionError(text, environmentFor(subject, minor), subject === 'scoring' ? 'double' : 'bool');
  if (known.size >= mostKnown) known.clear();
  known.set(question, said);
  return said;
}

function environmentFor(subject: ExpressionSubject, minor: TalosMinor): Environment {
  const id = `${subject} ${minor}`;
  let environment = environments.get(id);
  if (!environment) {
    environment = environmentOf(subject, minor);
    environments.set(id, environment);
  }
  return environment;
}

function environmentOf(subject: ExpressionSubject, minor: TalosMinor): Environment {
  const { variables, functions, hasOptionals } = expressionEnvironments[subject];
  const typed = (entries: readonly (readonly [string, string])[]) =>
    Object.fromEntries(entries.map(([name, type]) => [name, readType(type)]));
  return {
    variables: typed(variables.map((line) => line.split(' ') as [string, string])),
    functions: functionsOf(functions, hasOptionals),
    messages: Object.fromEntries(Object.entries(expressionFields(minor)).map(([name, fields]) => [name, typed(Object.entries(fields))])),
    hasOptionals,
  };
}
