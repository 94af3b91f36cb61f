import { parseArguments } from '../../../../lib/cli/argv.ts';
import { commands } from '../../../../lib/cli/commands/index.ts';
import { type Compute, TkError } from '../../../../lib/base/index.ts';
import { createHostWorld } from '../../../../lib/host/index.ts';

export interface Answer {
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly notes: readonly string[];
  /** Codes of what was thrown. */
  readonly failures: readonly string[];
}

export interface InFolderOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly json?: boolean;
  readonly isSandbox?: boolean;
  readonly signal?: AbortSignal;
  /** Shared by several calls, so that its worker starts once. Default: one of its own. */
  readonly compute?: Compute;
  /** Called with everything noted so far. */
  readonly onNote?: (note: string) => void;
}

/** Runs a command's body in this process on the real file system, with no keys of the machine that tests it. */
export async function inFolder(directory: string, words: readonly string[], options: InFolderOptions = {}): Promise<Answer> {
  const command = [...commands]
    .sort((a, b) => b.name.length - a.name.length)
    .find(({ name }) => words.slice(0, name.split(':').length).join(':') === name || words[0] === name);
  if (!command) throw new Error(`no command ${words.join(' ')}`);
  const rest = words[0] === command.name ? words.slice(1) : words.slice(command.name.split(':').length);
  const host = createHostWorld();
  let stdout = '';
  const notes: string[] = [];
  const end = (exitCode: number | undefined, failures: readonly string[]): Answer => ({ exitCode, stdout, notes, failures });
  try {
    const { run } = await command.load();
    const exitCode = await run({
      world: {
        ...host,
        env: { home: directory, platform: host.env.platform, get: (name) => options.env?.[name] },
        ...(options.compute === undefined ? {} : { compute: options.compute }),
      },
      values: parseArguments(command.name, rest, command.arguments),
      json: options.json ?? false,
      isSandbox: options.isSandbox ?? false,
      answersFile: undefined,
      directory,
      isExactDirectory: false,
      print: (text) => {
        stdout += text;
      },
      note: (text) => {
        notes.push(text);
        options.onNote?.(text);
      },
      signal: options.signal ?? new AbortController().signal,
    });
    return end(exitCode, []);
  } catch (error) {
    if (!(error instanceof TkError)) throw error;
    return end(
      undefined,
      error.failures.map(({ code }) => code),
    );
  }
}
