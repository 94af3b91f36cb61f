import { z } from 'zod';
import { type Failure, suggestionFor, TkError } from '../base/index.ts';
import { coreFailure } from './failures.ts';
import { type Answers, withAnswers } from './answers.ts';
import type { Prompter, Question } from './prompter.ts';
import { type ParamQuestion, paramsSchemaOf, type Task } from './task.ts';

/** How one param is written on a command line and shown in help. */
export interface ParamShape {
  /** kebab-case */
  readonly name: string;
  /** The key in the schema. */
  readonly key: string;
  readonly kind: 'value' | 'boolean' | 'list';
  readonly required: boolean;
  /** Place among the words without a name, from 0. */
  readonly position?: number;
  readonly description?: string;
  /** As it would be written. */
  readonly default?: string;
  readonly choices?: readonly string[];
  /** A file or folder, from `.meta({ path: true })`: words of the command line are taken from where the command was started. */
  readonly isPath?: true;
  /** A list of texts whose words keep their commas, from `.meta({ whole: true })`. */
  readonly isWhole?: true;
  /** Further names, kebab-case; from `.meta({ aliases: ['ip', 'hostname'] })`. */
  readonly aliases: readonly string[];
}

export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly failures: readonly [Failure, ...Failure[]] };

export const kebabCase = (key: string): string =>
  key
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replaceAll('_', '-')
    .toLowerCase();

/** The params of a task in the order of its schema. */
export function paramShapesOf(task: Task): readonly ParamShape[] {
  const positional = task.definition.positional ?? [];
  return Object.entries(paramsSchemaOf(task).shape).map(([key, schema]) => {
    const field = schema as z.ZodType;
    const core = unwrapped(field);
    const position = positional.indexOf(key);
    const aliases = field.meta()?.['aliases'];
    const initial = defaultOf(field);
    return {
      name: kebabCase(key),
      key,
      kind: core.def.type === 'boolean' ? 'boolean' : core.def.type === 'array' ? 'list' : 'value',
      required: !field.safeParse(undefined).success,
      aliases: Array.isArray(aliases) ? aliases.filter((alias) => typeof alias === 'string') : [],
      ...(field.meta()?.['path'] === true ? { isPath: true as const } : {}),
      ...(field.meta()?.['whole'] === true ? { isWhole: true as const } : {}),
      ...(position === -1 ? {} : { position }),
      ...(field.description === undefined ? {} : { description: field.description }),
      ...(initial === undefined ? {} : { default: initial }),
      ...choicesOf(core),
    };
  });
}

/**
 * Params from words, all problems at once. Keys may be written in any case, with dashes or underscores, or as an alias.
 * Failure: `params/unknown`, `params/missing`, `params/invalid`.
 */
export function parseParams(name: string, task: Task, words: Iterable<readonly [string, string | readonly string[]]>): Parsed<object> {
  const shapes = paramShapesOf(task);
  const byWord = new Map(shapes.flatMap((shape) => [shape.name, ...shape.aliases].map((word) => [squeezed(word), shape] as const)));
  const failures: Failure[] = [];
  const input: Record<string, unknown> = {};
  for (const [word, value] of words) {
    const shape = byWord.get(squeezed(word));
    if (!shape) {
      const suggestion = suggestionFor(
        kebabCase(word),
        shapes.map((known) => known.name),
      );
      failures.push(
        coreFailure('params/unknown', {
          task: name,
          param: word,
          ...(suggestion ? { suggestion } : {}),
          known: shapes.map((known) => known.name),
        }),
      );
      continue;
    }
    const field = paramsSchemaOf(task).shape[shape.key] as z.ZodType;
    input[shape.key] = shape.isWhole ? (typeof value === 'string' ? [value] : value) : coerced(field, value);
  }
  const parsed = checkParams(name, task, input);
  const [first, ...rest] = [...failures, ...(parsed.ok ? [] : parsed.failures)];
  if (first) return { ok: false, failures: [first, ...rest] };
  return parsed;
}

export interface MissingOptions {
  /** Absent: nobody can be asked. */
  readonly prompter?: Prompter;
  /** Looked into before anybody is asked. */
  readonly answers: Answers;
  /** What the task's `questions` get. */
  readonly scope: object;
}

/**
 * Params from words; what is missing is taken from the answers that were given, or asked for, before anything is done: first what
 * the schema requires, in its order, then the task's own `questions`.
 *
 * Failure: `params/*` for everything that a question cannot mend, `prompt/*`.
 */
export async function askForMissing(
  name: string,
  task: Task,
  words: Iterable<readonly [string, string | readonly string[]]>,
  options: MissingOptions,
): Promise<object> {
  const given: [string, string | readonly string[]][] = [...words].map(([word, value]) => [word, value]);
  const required = await requiredParams(name, task, given, options);
  const questions = (task.definition.questions as ((params: object, scope: object) => readonly ParamQuestion[]) | undefined)?.(
    required,
    options.scope,
  );
  if (questions === undefined || questions.length === 0) return required;
  for (const { param, message, choices } of questions) {
    const question = { name: kebabCase(param), message };
    const { prompter } = options;
    if (options.answers(question.name) === undefined && prompter === undefined)
      throw new TkError(
        coreFailure('prompt/no-terminal', {
          ...question,
          confirmation: false,
          ...(choices === undefined ? {} : { choices: choices.map(({ value }) => value) }),
        }),
      );
    const asked = withAnswers(prompter ?? nobody, options.answers);
    given.push([question.name, choices === undefined ? await asked.text(question) : await asked.select({ ...question, choices })]);
  }
  const complete = parseParams(name, task, given);
  if (!complete.ok) throw new TkError(...complete.failures);
  return complete.value;
}

const never = (question: Question): Promise<never> =>
  Promise.reject(new TkError(coreFailure('prompt/no-terminal', { name: question.name, message: question.message, confirmation: false })));
const nobody: Prompter = { text: never, password: never, confirm: never, select: never, multiselect: never };

async function requiredParams(
  name: string,
  task: Task,
  given: [string, string | readonly string[]][],
  options: MissingOptions,
): Promise<object> {
  const prompter = withAnswers(options.prompter ?? nobody, options.answers);
  const parsed = parseParams(name, task, given);
  if (parsed.ok) return parsed.value;
  if (parsed.failures.some((failure) => failure.code !== 'params/missing')) throw new TkError(...parsed.failures);
  const open = parsed.failures.filter((failure) => options.answers(String(failure.facts['param'])) === undefined);
  if (options.prompter === undefined && open.length > 0) throw new TkError(...(open as unknown as readonly [Failure, ...Failure[]]));
  const shapes = paramShapesOf(task);
  for (const failure of parsed.failures) {
    const shape = shapes.find((candidate) => candidate.name === failure.facts['param']);
    if (!shape) continue;
    const question = { name: shape.name, message: shape.description ?? shape.name };
    const field = paramsSchemaOf(task).shape[shape.key] as z.ZodType;
    const answer =
      shape.choices === undefined
        ? await prompter.text({ ...question, validate: (text) => field.safeParse(coerced(field, text)).error?.issues[0]?.message })
        : await prompter.select({ ...question, choices: shape.choices.map((value) => ({ value })) });
    given.push([shape.name, answer]);
  }
  const complete = parseParams(name, task, given);
  if (!complete.ok) throw new TkError(...complete.failures);
  return complete.value;
}

/** Params as another task gave them, through the schema: defaults filled in. */
export function checkParams(name: string, task: Task, input: object): Parsed<object> {
  const schema = paramsSchemaOf(task);
  const result = schema.safeParse(input);
  if (result.success) return { ok: true, value: result.data };
  const failures = result.error.issues.map((issue): Failure => {
    const key = String(issue.path[0] ?? '');
    const param = issue.path.map((part, index) => (index === 0 ? kebabCase(String(part)) : String(part))).join('.');
    if (issue.code === 'unrecognized_keys')
      return coreFailure('params/unknown', { task: name, param: issue.keys.join(', '), known: Object.keys(schema.shape).map(kebabCase) });
    if (issue.path.length === 1 && !(key in input)) {
      const description = (schema.shape[key] as z.ZodType | undefined)?.description;
      return coreFailure('params/missing', { task: name, param, ...(description === undefined ? {} : { description }) });
    }
    return coreFailure('params/invalid', { task: name, param, problem: issue.message });
  });
  const [first, ...rest] = failures;
  return first ? { ok: false, failures: [first, ...rest] } : { ok: true, value: input };
}

const squeezed = (word: string): string => word.replace(/[-_]/g, '').toLowerCase();

/** Of a list those of its items. */
function choicesOf(core: z.ZodType): { readonly choices?: readonly string[] } {
  const item = core instanceof z.ZodArray ? unwrapped(core.element as z.ZodType) : core;
  return item instanceof z.ZodEnum ? { choices: item.options.map(String) } : {};
}

/** The schema under `optional`, `default`, `nullable`, transformations and the like. */
function unwrapped(schema: z.ZodType): z.ZodType {
  if (schema instanceof z.ZodPipe) return unwrapped(schema.in as z.ZodType);
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodReadonly ||
    schema instanceof z.ZodCatch
  )
    return unwrapped(schema.unwrap() as z.ZodType);
  return schema;
}

function defaultOf(schema: z.ZodType): string | undefined {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) {
    const value: unknown = schema.def.defaultValue;
    return Array.isArray(value) ? value.join(',') : typeof value === 'object' ? JSON.stringify(value) : String(value);
  }
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable || schema instanceof z.ZodReadonly)
    return defaultOf(schema.unwrap() as z.ZodType);
  return undefined;
}

/** What the words mean for this schema. Words that mean nothing for it stay text, so that the schema says what it expected. */
function coerced(schema: z.ZodType, value: string | readonly string[]): unknown {
  const core = unwrapped(schema);
  if (core instanceof z.ZodArray) {
    const items = typeof value === 'string' ? [value] : value;
    return items
      .flatMap((item) => item.split(','))
      .filter((item) => item !== '')
      .map((item) => coerced(core.element as z.ZodType, item.trim()));
  }
  const text = typeof value === 'string' ? value : (value.at(-1) ?? '');
  if (core instanceof z.ZodBoolean) return booleanWords.get(text.toLowerCase()) ?? text;
  if (core instanceof z.ZodNumber) return text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
  if (core instanceof z.ZodLiteral) return [...core.values].find((literal) => String(literal) === text) ?? text;
  if (core instanceof z.ZodUnion) {
    for (const option of core.options as readonly z.ZodType[]) {
      const candidate = coerced(option, text);
      if (option.safeParse(candidate).success) return candidate;
    }
    return text;
  }
  if (core instanceof z.ZodObject || core instanceof z.ZodRecord) {
    try {
      return JSON.parse(text);
    } catch {
      return text;
    }
  }
  return text;
}

const booleanWords: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['yes', true],
  ['on', true],
  ['1', true],
  ['', true],
  ['false', false],
  ['no', false],
  ['off', false],
  ['0', false],
]);

/** The same text for the same params, whatever the order of their keys. Undefined for values that are not plain data. */
export function canonicalText(value: unknown): string | undefined {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return JSON.stringify(value);
  if (typeof value === 'number') return Number.isFinite(value) ? JSON.stringify(value) : undefined;
  if (Array.isArray(value)) {
    const items = value.map(canonicalText);
    return items.includes(undefined) ? undefined : `[${items.join(',')}]`;
  }
  if (typeof value !== 'object' || value === undefined) return undefined;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return undefined;
  const entries: string[] = [];
  for (const [key, item] of Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (item === undefined) continue;
    const text = canonicalText(item);
    if (text === undefined) return undefined;
    entries.push(`${JSON.stringify(key)}:${text}`);
  }
  return `{${entries.join(',')}}`;
}
