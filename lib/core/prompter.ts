import type { Secret } from '../base/index.ts';

/**
 * Asks the person in front of the terminal. `name` is the param or answer that would make the question unnecessary.
 * Failure: `prompt/no-terminal` when nobody can answer, `prompt/cancelled` on Ctrl-C.
 */
export interface Prompter {
  text(question: TextQuestion): Promise<string>;
  password(question: Question): Promise<Secret<string>>;
  confirm(question: ConfirmQuestion): Promise<boolean>;
  select(question: SelectQuestion): Promise<string>;
  multiselect(question: SelectQuestion): Promise<readonly string[]>;
}

export interface Question {
  readonly name: string;
  readonly message: string;
}

export interface TextQuestion extends Question {
  readonly default?: string;
  /** Undefined when the answer is fine, otherwise what is wrong with it. */
  readonly validate?: (answer: string) => string | undefined;
}

export interface ConfirmQuestion extends Question {
  /** Absent: no. */
  readonly default?: boolean;
  /** The person has to type this word; for what cannot be undone. */
  readonly phrase?: string;
}

export interface Choice {
  readonly value: string;
  readonly label?: string;
  readonly hint?: string;
}

export interface SelectQuestion extends Question {
  readonly choices: readonly Choice[];
}
