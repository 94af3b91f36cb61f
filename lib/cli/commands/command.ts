import type { World } from '../../base/index.ts';
import type { ArgumentValues } from '../argv.ts';
import type { CommandHelp } from '../help.ts';

/** What a command that is not a task is given. */
export interface CommandContext {
  readonly world: World;
  readonly values: ArgumentValues;
  readonly json: boolean;
  /** Whether --sim was given. */
  readonly isSandbox: boolean;
  /** `--answers`, as typed. */
  readonly answersFile: string | undefined;
  /** Absolute; where relative arguments and the search for the repository begin. */
  readonly directory: string;
  /** Whether `directory` was named with -C, so that no search goes upwards from it. */
  readonly isExactDirectory: boolean;
  /** Absolute; named with --talconfig. */
  readonly talconfig?: string;
  /** The result, on standard output. */
  print(text: string): void;
  /** What a person should know, on standard error. */
  note(text: string): void;
  readonly signal: AbortSignal;
}

/** Works on files or on the sandbox, and needs no graph of tasks. */
export interface Command extends CommandHelp {
  /** Loads the body. The exit code is what it returns. */
  readonly load: () => Promise<{ readonly run: (context: CommandContext) => Promise<number> }>;
}
