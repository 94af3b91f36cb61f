import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { commands } from '../../../lib/cli/commands/index.ts';
import { taskNameOf } from '../../../lib/cli/tasks/manifest.ts';

const root = join(import.meta.dirname, '../../..');
const below = (folder: string) =>
  readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name));

test('every command that a failure or a wait recommends exists', () => {
  const tasks = below('tasks').map((path) => taskNameOf(relative(join(root, 'tasks'), path)));
  const known = new Set([...tasks, ...commands.map((command) => command.name), 'resume']);
  const wrong = [...below('lib'), ...below('tasks')].flatMap((path) =>
    [...readFileSync(path, 'utf8').matchAll(/npx tk ([a-z][a-z0-9:-]*(?: (?:encrypt|decrypt|id|gen|patch|validate)\b)?)/g)]
      .map((match) => (match[1] ?? '').replace(' ', ':'))
      .filter((name) => !known.has(name))
      .map((name) => `${relative(root, path)}: ${name}`),
  );
  expect(wrong).toEqual([]);
});
