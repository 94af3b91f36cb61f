import { resolve } from 'node:path';
import { type Failure, TkError } from '../base/index.ts';
import { createHostWorld, ownOutput, standardError, standardOutput } from '../host/index.ts';
import { findCommand, type GlobalFlags, splitGlobalFlags } from './argv.ts';
import { commands } from './commands/index.ts';
import { type KnownTasks, knownTasks } from './tasks/known.ts';

/**
 * The command `tk`. Sets the process's exit code and returns; whatever a closed pipe or an unfinished promise does to the process,
 * it never ends with 0 unless the goal was met.
 */
export async function main(argv: readonly string[] = process.argv.slice(2)): Promise<void> {
  // An event loop that runs empty in the middle of a run must not look like success.
  process.exitCode = 1;
  ownOutput(leaveOnClosedPipe);
  try {
    process.exitCode = await dispatch(argv);
  } catch (error) {
    process.exitCode = await reportFailure(error);
  }
}

async function dispatch(argv: readonly string[]): Promise<number> {
  const { flags, words } = splitGlobalFlags(argv);
  if (flags.version) {
    standardOutput.write(`${(await import('./version.ts')).version}\n`);
    return 0;
  }
  if (words[0] === 'complete' && words[1] === '--') return complete(words.slice(2));
  if (words.length === 0 && !flags.list && !flags.help && !flags.json && process.stdin.isTTY && standardOutput.isTty) {
    const picked = await (await import('./pick.ts')).pickTask(flags, commands);
    standardError.write(`tk ${[...picked, ...argv].join(' ')}\n`);
    return dispatch([...picked, ...argv]);
  }
  // `tk run --record DIR TASK…` reads better than the flag alone.
  if (words[0] === 'run' && (words.length > 1 || flags.help) && !(await tasksHere(flags)).entries.some(({ name }) => name === 'run'))
    return dispatch(argv.toSpliced(argv.indexOf('run'), 1));
  if (flags.list || flags.help || words.length === 0) return showHelp(flags, words);
  if (words[0] === 'resume') {
    const again = await (await import('./resume.ts')).wordsToResume(flags, words[1]);
    standardError.write(`tk ${again.join(' ')}\n`);
    return dispatch(again);
  }
  const { entries: tasks, broken } = await tasksHere(flags);
  const { name, rest } = findCommand(words, namesOf(tasks, broken));
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

/** What a shell asks at each tab. */
async function complete(typed: readonly string[]): Promise<number> {
  const { completionOf, nodesInFiles, renderCompletion } = await import('./complete.ts');
  const { files } = createHostWorld();
  const at = typed.findIndex((word) => word === '-C' || word === '--directory');
  const directory = at === -1 ? undefined : typed[at + 1];
  const words = at === -1 ? typed : typed.toSpliced(at, 2);
  const where = directory === undefined ? {} : { directory };
  // A task file that does not load is told about when it is needed, not at each tab.
  const { entries: tasks } = await knownTasks(files, { plan: true, dryRun: false, ...where }).catch(async () => ({
    entries: (await import('./tasks/built-in.ts')).builtInManifest(),
  }));
  const nodes = () => nodesInFiles(files, resolve(directory ?? '.'), directory !== undefined);
  standardOutput.write(renderCompletion(await completionOf(words, { tasks, commands, nodes })));
  return 0;
}

async function showHelp(flags: GlobalFlags, words: readonly string[]): Promise<number> {
  const help = await import('./help.ts');
  const { entries: tasks, broken } = await tasksHere(flags);
  const failures = broken.map(({ failure }) => failure);
  if (words.length === 0) {
    standardOutput.write(flags.json ? `${JSON.stringify(tasks)}\n` : flags.list ? help.listText(tasks) : help.usageText(tasks, commands));
    // The list is there, and it is not whole.
    return failures.length === 0 ? 0 : reportFailures(failures);
  }
  const { name } = findCommand(words, namesOf(tasks, broken));
  const asked = broken.find((candidate) => candidate.name === name);
  if (asked) return reportFailures([asked.failure]);
  const command = commands.find((candidate) => candidate.name === name);
  const task = tasks.find((candidate) => candidate.name === name);
  standardOutput.write(command ? help.commandHelp(command) : task ? help.taskHelp(task) : '');
  return 0;
}

const tasksHere = (flags: GlobalFlags): Promise<KnownTasks> => knownTasks(createHostWorld().files, flags);

const namesOf = (...tasks: readonly (readonly { readonly name: string }[])[]): ReadonlySet<string> =>
  new Set([...tasks.flat(), ...commands].map(({ name }) => name));

/** A failure before there is a run that could report it. */
async function reportFailure(error: unknown): Promise<number> {
  const { printFailures } = await import('./print-failures.ts');
  return printFailures(error);
}

const reportFailures = async (failures: readonly Failure[]): Promise<number> =>
  (await import('./print-failures.ts')).printFailures(new TkError(...(failures as [Failure, ...Failure[]])));

function leaveOnClosedPipe(error: NodeJS.ErrnoException): void {
  // Whoever read us has gone; there is nobody left to tell. 128 + SIGPIPE, as a shell would report it.
  if (error.code === 'EPIPE') process.exit(141);
  // The terminal was closed. Its SIGHUP ends the run in order, and what it still says has nowhere to go.
  if (error.code === 'EIO') return;
  throw error;
}
