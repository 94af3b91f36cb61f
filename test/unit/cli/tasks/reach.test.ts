import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { reachOf } from '../../../../lib/cli/tasks/write-manifest.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function tasksOf(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'tk-reach-'));
  folders.push(folder);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

test('a task reaches what it imports, also through files that hold no task, and nothing else', () => {
  const folder = tasksOf({
    'configure.ts': "import { defineTask } from 'talos-tk';",
    'talos/apply.ts': "import configure from '../configure.ts';\nimport { each } from './_shared.ts';",
    'talos/_shared.ts': "export { reboot } from './reboot.ts';",
    // Circles are allowed, and so is what is imported only when it is needed.
    'talos/reboot.ts': "import apply from './apply.ts';\nconst later = () => import(\n  './reset.ts');",
    'talos/reset.ts': '',
    'talos/other.ts': "import configure from '../configure.ts';",
  });
  expect([...reachOf(folder, 'talos:apply')].sort()).toEqual(['configure', 'talos:apply', 'talos:reboot', 'talos:reset']);
  expect(reachOf(folder, 'talos:other')).toEqual(['talos:other', 'configure']);
  expect(reachOf(folder, 'configure')).toEqual(['configure']);
});
