import { Secret, TkError } from '../base/index.ts';
import { coreFailure, type Prompter, type Question, type SelectQuestion } from '../core/index.ts';

export interface PrompterOptions {
  /** The terminal's own streams; undefined when nobody can answer. */
  readonly streams: { readonly stdin: NodeJS.ReadStream; readonly stdout: NodeJS.WriteStream } | undefined;
  /** Called around each question, so that nothing else is drawn meanwhile. */
  readonly suspend: () => void;
  readonly resume: () => void;
}

/** A question as enquirer takes it. */
interface EnquirerQuestion {
  readonly type: string;
  readonly name: string;
  readonly message: string;
  readonly initial?: unknown;
  readonly choices?: readonly unknown[];
  readonly validate?: (answer: string) => true | string;
}

/**
 * Asks through enquirer, which is loaded at the first question.
 *
 * Failure: `prompt/no-terminal`, `prompt/cancelled`.
 */
export function createPrompter(options: PrompterOptions): Prompter {
  const ask = async <T>(question: EnquirerQuestion, isConfirmation = false, phrase?: string): Promise<T> => {
    const { streams } = options;
    if (!streams?.stdin.isTTY) {
      throw new TkError(
        coreFailure('prompt/no-terminal', {
          name: question.name,
          message: question.message,
          confirmation: isConfirmation,
          ...(phrase === undefined ? {} : { phrase }),
        }),
      );
    }
    const { default: Enquirer } = await import('enquirer');
    options.suspend();
    try {
      const enquirer = new Enquirer<Record<string, T>>(streams);
      enquirer.on('prompt', mendCtrlC);
      const answers = await enquirer.prompt({ ...streams, ...question } as never);
      return answers[question.name] as T;
    } catch (error) {
      // enquirer rejects with an empty text, not an Error, when a question is left.
      if (error === '' || error === undefined || isClosedReadline(error))
        throw new TkError(coreFailure('prompt/cancelled', { name: question.name }));
      throw error;
    } finally {
      options.resume();
    }
  };
  const choicesOf = (question: SelectQuestion) =>
    question.choices.map(({ value, label, hint }) => ({ name: value, message: label ?? value, ...(hint === undefined ? {} : { hint }) }));
  return {
    text: (question) =>
      ask<string>({
        type: 'input',
        name: question.name,
        message: question.message,
        ...(question.default === undefined ? {} : { initial: question.default }),
        validate: (answer) => question.validate?.(answer) ?? true,
      }),
    password: async (question: Question) =>
      new Secret(await ask<string>({ type: 'password', name: question.name, message: question.message })),
    async confirm(question) {
      const { phrase } = question;
      if (phrase === undefined)
        return ask<boolean>({ type: 'confirm', name: question.name, message: question.message, initial: question.default ?? false }, true);
      const typed = await ask<string>(
        {
          type: 'input',
          name: question.name,
          message: `${question.message}${/[.?!]$/.test(question.message) ? '' : '.'} Type ${phrase} to go on`,
        },
        true,
        phrase,
      );
      return typed.trim() === phrase;
    },
    select: (question) => ask<string>({ type: 'select', name: question.name, message: question.message, choices: choicesOf(question) }),
    multiselect: (question) =>
      ask<readonly string[]>({ type: 'multiselect', name: question.name, message: question.message, choices: choicesOf(question) }),
  };
}

const isClosedReadline = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ERR_USE_AFTER_CLOSE';

/**
 * On Node 24.2 and later readline closes itself on Ctrl-C, and enquirer 2.4.1 then pauses it once more, in a key handler that
 * nobody awaits: the process would die of `ERR_USE_AFTER_CLOSE`. Its `stop` is wrapped as soon as it is set.
 */
export function mendCtrlC(prompt: object): void {
  let stop: (() => void) | undefined;
  Object.defineProperty(prompt, 'stop', {
    configurable: true,
    get: () => stop,
    set(original: (() => void) | undefined) {
      stop =
        original &&
        (() => {
          try {
            original();
          } catch (error) {
            if (!isClosedReadline(error)) throw error;
          }
        });
    },
  });
}
