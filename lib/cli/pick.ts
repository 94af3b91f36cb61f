import { basename, join, resolve } from 'node:path';
import { formatDuration } from '../base/index.ts';
import { findRepository } from '../config/find.ts';
import { createHostWorld } from '../host/index.ts';
import type { GlobalFlags } from './argv.ts';
import type { Command } from './commands/command.ts';
import { knownTasks } from './tasks/known.ts';

/** Lets a person choose among the tasks; what the task still needs to know is asked afterwards. Failure: `prompt/cancelled`. */
export async function pickTask(flags: GlobalFlags, commands: readonly Command[]): Promise<readonly string[]> {
  const { files, clock } = createHostWorld();
  const { entries: tasks } = await knownTasks(files, flags);
  const { pick } = await import('../ui/index.ts');
  // Commands that take no argument can be run as they are.
  const plain = commands.filter((command) => !command.arguments.some(({ required }) => required));
  const picks = [
    ...tasks.filter(({ hidden }) => !hidden).map(({ name, summary }) => ({ value: name, about: summary })),
    ...plain.map(({ name, summary }) => ({ value: name, about: summary })),
  ].sort((a, b) => (a.value < b.value ? -1 : 1));
  const heading = await headingOf(files, clock.now(), flags);
  return [await pick({ streams: { stdin: process.stdin, stdout: process.stdout }, heading, picks })];
}

/** `home-ops · last run: talos:upgrade ✔ 2 days ago` */
async function headingOf(files: Parameters<typeof knownTasks>[0], nowMs: number, flags: GlobalFlags): Promise<string> {
  try {
    const { root } = await findRepository(files, resolve(flags.directory ?? '.'), { exactly: flags.directory !== undefined });
    const { loadRuns } = await import('../core/index.ts');
    const [last] = await loadRuns(files, join(root, '.tk'));
    if (last === undefined) return basename(root);
    const mark = last.end === undefined ? 'cut off' : last.end.exitCode === 0 ? '✔' : `exit ${last.end.exitCode}`;
    return `${basename(root)} · last run: ${last.goals.join(', ')} ${mark} ${formatDuration(Math.max(0, nowMs - last.startedMs))} ago`;
  } catch {
    return 'tk';
  }
}
