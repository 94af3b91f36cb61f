import { Secret, TkError } from '../base/index.ts';
import { coreFailure } from './failures.ts';
import type { Prompter, Question } from './prompter.ts';

/** An answer that was given before the question: by the environment, a file, the settings. */
export interface GivenAnswer {
  readonly value: unknown;
  /** For people: `TK_ANSWER_NODE`, the name of a file. */
  readonly from: string;
}

/** By the question's name. Undefined: nobody answered it yet. */
export type Answers = (name: string) => GivenAnswer | undefined;

/** The first of several that knows the answer. */
export const firstAnswer =
  (...sources: readonly Answers[]): Answers =>
  (name) => {
    for (const source of sources) {
      const found = source(name);
      if (found !== undefined) return found;
    }
    return undefined;
  };

const words = new Map([
  ['yes', true],
  ['y', true],
  ['true', true],
  ['1', true],
  ['no', false],
  ['n', false],
  ['false', false],
  ['0', false],
]);

/**
 * Answers questions with what was given before and asks only the others. An answer is checked as a typed one would be.
 *
 * Failure: `prompt/bad-answer`.
 */
export function withAnswers(prompter: Prompter, answers: Answers): Prompter {
  const settled = async <A>(question: Question, read: (given: GivenAnswer) => A, ask: () => Promise<A>): Promise<A> => {
    const given = answers(question.name);
    return given === undefined ? ask() : read(given);
  };
  const textOf = (question: Question, { value, from }: GivenAnswer): string => {
    if (['string', 'number', 'boolean'].includes(typeof value)) return String(value);
    throw bad(question, from, 'it is not a text');
  };
  const choiceOf = (question: Question, choices: readonly { readonly value: string }[], given: GivenAnswer): string => {
    const text = textOf(question, given);
    if (choices.some(({ value }) => value === text)) return text;
    throw bad(question, given.from, `it is none of ${choices.map(({ value }) => value).join(', ')}`);
  };
  return {
    text: (question) =>
      settled(
        question,
        (given) => {
          const text = textOf(question, given);
          const problem = question.validate?.(text);
          if (problem !== undefined) throw bad(question, given.from, problem);
          return text;
        },
        () => prompter.text(question),
      ),
    password: (question) =>
      settled(
        question,
        (given) => new Secret(textOf(question, given)),
        () => prompter.password(question),
      ),
    confirm: (question) =>
      settled(
        question,
        (given) => {
          if (question.phrase !== undefined) return textOf(question, given).trim() === question.phrase;
          const answer = words.get(textOf(question, given).trim().toLowerCase());
          if (answer === undefined) throw bad(question, given.from, 'it is neither yes nor no');
          return answer;
        },
        () => prompter.confirm(question),
      ),
    select: (question) =>
      settled(
        question,
        (given) => choiceOf(question, question.choices, given),
        () => prompter.select(question),
      ),
    multiselect: (question) =>
      settled(
        question,
        (given) => {
          const items = Array.isArray(given.value) ? given.value : textOf(question, given).split(',');
          return items.map((value: unknown) =>
            choiceOf(question, question.choices, { value: typeof value === 'string' ? value.trim() : value, from: given.from }),
          );
        },
        () => prompter.multiselect(question),
      ),
  };
}

const bad = ({ name, message }: Question, from: string, problem: string): TkError =>
  new TkError(coreFailure('prompt/bad-answer', { name, message, from, problem }));
