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
    'configure.js': "import { defineTask } from 'talos-tk';",
    'talos/apply.js': "import configure from '../configure.js';\nimport { each } from './_shared.js';",
    'talos/_shared.js': "export { reboot } from './reboot.js';",
    // Circles are allowed, and so is what is imported only when it is needed.
    'talos/reboot.js': "import apply from './apply.js';\nconst later = () => import(\n  './reset.js');",
    'talos/reset.js': '',
    'talos/other.js': "import configure from '../configure.js';",
  });
  expect([...reachOf(folder, 'talos:apply')].sort()).toEqual(['configure', 'talos:apply', 'talos:reboot', 'talos:reset']);
  expect(reachOf(folder, 'talos:other')).toEqual(['talos:other', 'configure']);
  expect(reachOf(folder, 'configure')).toEqual(['configure']);
});
