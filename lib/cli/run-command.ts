import { resolve } from 'node:path';
import { createHostWorld, standardError, standardOutput } from '../host/index.ts';
import { type GlobalFlags, parseArguments } from './argv.ts';
import type { Command } from './commands/command.ts';
import { catchSignals, type EndSignal, exitCodeOf } from './signals.ts';

/** Runs a command that is not a task. Ctrl-C fires its signal; a second one ends the process. */
export async function runCommand(command: Command, flags: GlobalFlags, words: readonly string[]): Promise<number> {
  const values = parseArguments(command.name.replaceAll(':', ' '), words, command.arguments);
  const aborting = new AbortController();
  let received: EndSignal | undefined;
  const signals = catchSignals();
  signals.tell((signal) => {
    if (received !== undefined) process.exit(exitCodeOf(received));
    received = signal;
    aborting.abort();
  });
  try {
    const { run } = await command.load();
    const exitCode = await run({
      world: createHostWorld(),
      values,
      json: flags.json,
      isSandbox: flags.sim,
      answersFile: flags.answers,
      directory: resolve(flags.directory ?? '.'),
      isExactDirectory: flags.directory !== undefined,
      ...(flags.talconfig === undefined ? {} : { talconfig: resolve(flags.directory ?? '.', flags.talconfig) }),
      print: (text) => standardOutput.write(text),
      note: (text) => standardError.write(`${text}\n`),
      signal: aborting.signal,
    });
    return received === undefined ? exitCode : exitCodeOf(received);
  } finally {
    signals.release();
  }
}
