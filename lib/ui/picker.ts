import { TkError } from '../base/index.ts';
import { coreFailure } from '../core/index.ts';
import { mendCtrlC } from './prompter.ts';
import { truncated } from './width.ts';

export interface Pick {
  readonly value: string;
  readonly about: string;
}

export interface PickerOptions {
  readonly streams: { readonly stdin: NodeJS.ReadStream; readonly stdout: NodeJS.WriteStream };
  /** Stands above the question: where we are. */
  readonly heading: string;
  readonly picks: readonly Pick[];
}

/** Whether every word of the input occurs, in any order: `up node` finds `talos:upgrade-node`. Names go before summaries. */
export function fitting(input: string, picks: readonly Pick[]): readonly Pick[] {
  const words = input.toLowerCase().split(/\s+/).filter(Boolean);
  const isIn = (text: string) => words.every((word) => text.toLowerCase().includes(word));
  const byName = picks.filter(({ value }) => isIn(value));
  return [...byName, ...picks.filter((pick) => !byName.includes(pick) && isIn(`${pick.value} ${pick.about}`))];
}

/** A list that narrows while one types. Failure: `prompt/cancelled`. */
export async function pick({ streams, heading, picks }: PickerOptions): Promise<string> {
  const { default: Enquirer } = await import('enquirer');
  const width = Math.max(0, ...picks.map(({ value }) => value.length));
  const columns = streams.stdout.columns || 80;
  const choiceOf = ({ value, about }: Pick) => ({
    name: value,
    message: truncated(`${value.padEnd(width)}  ${about}`, Math.max(20, columns - 4)),
  });
  const choices = picks.map(choiceOf);
  try {
    const enquirer = new Enquirer<{ task: string }>(streams);
    enquirer.on('prompt', mendCtrlC);
    const { task } = await enquirer.prompt({
      ...streams,
      type: 'autocomplete',
      name: 'task',
      message: heading,
      // Question, and the line below the list.
      limit: Math.max(3, Math.min(16, (streams.stdout.rows || 24) - 4)),
      choices,
      // Names before summaries, so that Enter takes what was typed. The prompt hands in the choices as it has made them its own.
      suggest: (input: string, own: readonly { readonly name: string }[]) => {
        const byName = new Map(own.map((choice) => [choice.name, choice]));
        return fitting(input, picks).flatMap(({ value }) => byName.get(value) ?? []);
      },
      // A colour alone would not tell everybody which one Enter takes.
      pointer(this: { readonly index: number }, _choice: unknown, index: number) {
        return this.index === index ? '❯' : ' ';
      },
    } as never);
    return task;
  } catch (error) {
    // enquirer rejects with an empty text when a question is left.
    if (error instanceof Error) throw error;
    throw new TkError(coreFailure('prompt/cancelled', { name: 'task' }));
  }
}
