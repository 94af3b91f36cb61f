import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isTask, type Task } from '../../lib/core/index.ts';
import { projectRoot } from './process.ts';

let known: Promise<ReadonlyMap<string, Task>> | undefined;

/** Every task of `tasks/` under its name, read once per process. */
export const builtInTasks = (): Promise<ReadonlyMap<string, Task>> => (known ??= read());

async function read(): Promise<ReadonlyMap<string, Task>> {
  const tasks = new Map<string, Task>();
  const directory = join(projectRoot, 'tasks');
  for (const file of await readdir(directory, { recursive: true })) {
    if (!file.endsWith('.ts')) continue;
    const { default: task } = (await import(pathToFileURL(join(directory, file)).href)) as { readonly default: unknown };
    if (isTask(task)) tasks.set(file.slice(0, -3).replaceAll('/', ':'), task);
  }
  return tasks;
}
