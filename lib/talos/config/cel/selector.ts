import { expressionEnvironments, expressionFields, type ExpressionSubject, type TalosMinor } from '../../../upstream/tables.ts';
import { type Environment, expressionError } from './check.ts';
import { functionsOf, readType } from './library.ts';

const environments = new Map<string, Environment>();
/** Many machines have the same selectors. */
const known = new Map<string, string | undefined>();
const mostKnown = 1000;

/** What a node says of an expression: `disk`, `volume` and so on is what it may speak of. Undefined when it takes it. */
export function selectorError(text: string, subject: ExpressionSubject, minor: TalosMinor): string | undefined {
  // A sentence quotes the text and counts its columns; that nothing is wrong holds for all of one shape.
  const ofShape = `${subject} ${minor} ${shapeOf(text)}`;
  const question = `${subject} ${minor} ${text}`;
  if (known.has(ofShape) && known.get(ofShape) === undefined) return undefined;
  if (known.has(question)) return known.get(question);
  const said = expressionError(text, environmentFor(subject, minor), subject === 'scoring' ? 'double' : 'bool');
  if (known.size >= mostKnown) known.clear();
  known.set(said === undefined ? ofShape : question, said);
  return said;
}

/**
 * The expression with one word in place of every quoted text: only types are checked, and each machine's selector has an address of its
 * own. The expression itself where quotes are not simply the next two.
 */
function shapeOf(text: string): string {
  return /['\\\n\r]|"""|\/\//.test(text) ? text : text.replace(/"[^"]*"/g, '"x"');
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
