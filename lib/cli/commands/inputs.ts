import { resolve } from 'node:path';
import { hasCode, type SourceFile, TkError } from '../../base/index.ts';
import type { ArgumentValues } from '../argv.ts';
import type { FindOptions } from '../../config/index.ts';
import { cliFailure } from '../failures.ts';
import type { CommandContext } from './command.ts';

export const textOf = (values: ArgumentValues, name: string): string | undefined => values.get(name)?.[0];

/** Of an argument that the command's shape requires. */
export const requiredText = (values: ArgumentValues, name: string): string => textOf(values, name) ?? '';

export const isOn = (values: ArgumentValues, name: string): boolean => !['false', undefined].includes(textOf(values, name));

/** Failure: `usage/bad-value`. */
export function choiceOf<T extends string>(value: string, shown: string, choices: readonly T[]): T {
  const choice = choices.find((one) => one === value);
  if (choice === undefined) throw new TkError(cliFailure('usage/bad-value', { flag: shown, value, expected: choices.join(', ') }));
  return choice;
}

/** A file that was named on the command line; its path stays as it was typed. Failure: `usage/file-missing`. */
export async function readNamed({ world, directory }: CommandContext, path: string, argument: string): Promise<SourceFile> {
  const absolute = resolve(directory, path);
  const isFolder = (await world.files.stat(absolute))?.kind === 'directory';
  const text = isFolder ? undefined : await world.files.readText(absolute);
  if (text === undefined) throw new TkError(cliFailure('usage/file-missing', { path, argument }));
  return { path, text };
}

/** `--out F`, or standard output. */
export async function deliver(context: CommandContext, text: string, options: { readonly mode?: number } = {}): Promise<void> {
  const out = textOf(context.values, 'out');
  if (out === undefined) context.print(text);
  else await context.world.files.write(resolve(context.directory, out), text, options);
}

/** Where the repository of a command is looked for. */
export const placeOf = ({ isExactDirectory, talconfig }: CommandContext): FindOptions => ({
  exactly: isExactDirectory,
  ...(talconfig === undefined ? {} : { talconfig }),
});

/** The root of the repository around the command, or the folder itself where there is none. */
export async function rootOrFolder(context: CommandContext): Promise<string> {
  const { world, directory } = context;
  const { findRepository } = await import('../../config/find.ts');
  try {
    return (await findRepository(world.files, directory, placeOf(context))).root;
  } catch (error) {
    if (hasCode(error, 'config/no-repository', 'config/other-inputs', 'config/missing-file', 'config/ambiguous-cluster')) return directory;
    throw error;
  }
}
