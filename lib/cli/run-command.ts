import { resolve } from 'node:path';
import { createHostWorld } from '../host/index.ts';
import { type GlobalFlags, parseArguments } from './argv.ts';
import type { Command } from './commands/index.ts';

/** Runs a command that is not a task. Ctrl-C fires its signal; a second one ends the process. */
export async function runCommand(command: Command, flags: GlobalFlags, words: readonly string[]): Promise<number> {
  const values = parseArguments(command.name.replaceAll(':', ' '), words, command.arguments);
  const aborting = new AbortController();
  let received: NodeJS.Signals | undefined;
  const onSignal = (signal: NodeJS.Signals) => {
    if (received !== undefined) process.exit(exitCodeOf(signal));
    received = signal;
    aborting.abort();
  };
  for (const signal of signals) process.on(signal, onSignal);
  try {
    const { run } = await command.load();
    const exitCode = await run({
      world: createHostWorld(),
      values,
      json: flags.json,
      isSandbox: flags.sim,
      directory: resolve(flags.directory ?? '.'),
      isExactDirectory: flags.directory !== undefined,
      ...(flags.talconfig === undefined ? {} : { talconfig: resolve(flags.directory ?? '.', flags.talconfig) }),
      print: (text) => void process.stdout.write(text),
      note: (text) => void process.stderr.write(`${text}\n`),
      signal: aborting.signal,
    });
    return received === undefined ? exitCode : exitCodeOf(received);
  } finally {
    for (const signal of signals) process.off(signal, onSignal);
  }
}

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export const exitCodeOf = (signal: NodeJS.Signals): number => ({ SIGINT: 130, SIGTERM: 143, SIGHUP: 129 })[signal as 'SIGINT'] ?? 1;
