import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { taskNameOf } from '../../lib/cli/tasks/manifest.ts';
import type { Task } from '../../lib/core/index.ts';

const root = join(import.meta.dirname, '../..');
const effects = { read: 'changes nothing', write: 'writes files', mutate: 'changes machines', destroy: 'destroys' } as const;

test('docs/tasks.md lists the tasks that there are, with the words of tk --list', async () => {
  const files = readdirSync(join(root, 'tasks'), { recursive: true, withFileTypes: true }).filter((entry) => entry.name.endsWith('.ts'));
  const rows = await Promise.all(
    files.map(async (entry) => {
      const path = join(entry.parentPath, entry.name);
      const { definition } = ((await import(path)) as { readonly default: Task }).default;
      const name = taskNameOf(relative(join(root, 'tasks'), path)) ?? '';
      return definition.hidden ? undefined : `| \`${name}\` | ${definition.summary} | ${effects[definition.effect]} |`;
    }),
  );
  const listed = readFileSync(join(root, 'docs/tasks.md'), 'utf8')
    .split('\n')
    .filter((line) => /^\| `[a-z0-9:-]+` \| .* \| (changes|writes|destroys)/.test(line));
  const nameIn = (row: string) => row.split('`')[1] ?? '';
  expect(listed).toEqual(rows.filter((row) => row !== undefined).sort((a, b) => (nameIn(a) < nameIn(b) ? -1 : 1)));
});
