import { createHostWorld } from '../host/index.ts';
import { findCommand, type GlobalFlags, splitGlobalFlags } from './argv.ts';
import { commands } from './commands/index.ts';
import { knownTasks } from './tasks/known.ts';

/**
 * The command `tk`. Sets the process's exit code and returns; whatever a closed pipe or an unfinished promise does to the process,
 * it never ends with 0 unless the goal was met.
 */
export async function main(argv: readonly string[] = process.argv.slice(2)): Promise<void> {
  // An event loop that runs empty in the middle of a run must not look like success.
  process.exitCode = 1;
  for (const stream of [process.stdout, process.stderr]) stream.on('error', leaveOnClosedPipe);
  try {
    process.exitCode = await dispatch(argv);
  } catch (error) {
    process.exitCode = await reportFailure(error);
  }
}

async function dispatch(argv: readonly string[]): Promise<number> {
  const { flags, words } = splitGlobalFlags(argv);
  if (flags.version) {
    process.stdout.write(`${(await import('./version.ts')).version}\n`);
    return 0;
  }
  if (flags.list || flags.help || words.length === 0) return showHelp(flags, words);
  if (words[0] === 'resume') {
    const again = await (await import('./resume.ts')).wordsToResume(flags, words[1]);
    process.stderr.write(`tk ${again.join(' ')}\n`);
    return dispatch(again);
  }
  const tasks = await knownTasks(createHostWorld().files, flags);
  const { name, rest } = findCommand(words, new Set([...tasks.map((task) => task.name), ...commands.map((command) => command.name)]));
  const command = commands.find((candidate) => candidate.name === name);
  if (command) return (await import('./run-command.ts')).runCommand(command, flags, rest);
  return (await import('./run-task.ts')).runTask({
    name,
    params: tasks.find((task) => task.name === name)?.params ?? [],
    words: rest,
    argv,
    flags,
  });
}

async function showHelp(flags: GlobalFlags, words: readonly string[]): Promise<number> {
  const help = await import('./help.ts');
  const tasks = await knownTasks(createHostWorld().files, flags);
  if (words.length === 0) {
    process.stdout.write(flags.json ? `${JSON.stringify(tasks)}\n` : flags.list ? help.listText(tasks) : help.usageText(tasks, commands));
    return 0;
  }
  const { name } = findCommand(words, new Set([...tasks.map((task) => task.name), ...commands.map((command) => command.name)]));
  const command = commands.find((candidate) => candidate.name === name);
  const task = tasks.find((candidate) => candidate.name === name);
  process.stdout.write(command ? help.commandHelp(command) : task ? help.taskHelp(task) : '');
  return 0;
}

/** A failure before there is a run that could report it. */
async function reportFailure(error: unknown): Promise<number> {
  const { printFailures } = await import('./print-failures.ts');
  return printFailures(error);
}

function leaveOnClosedPipe(error: NodeJS.ErrnoException): void {
  // Whoever read us has gone; there is nobody left to tell. 128 + SIGPIPE, as a shell would report it.
  if (error.code === 'EPIPE') process.exit(141);
  // The terminal was closed. Its SIGHUP ends the run in order, and what it still says has nowhere to go.
  if (error.code === 'EIO') return;
  throw error;
}
