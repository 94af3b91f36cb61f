import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

test('each difference from talhelper names a test that exists', () => {
  const root = join(import.meta.dirname, '../../..');
  const rows = readFileSync(join(root, 'docs/differences-from-talhelper.md'), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('| ---') && !line.startsWith('| talhelper 3'));
  const tests = readdirSync(join(root, 'test/unit'), { recursive: true })
    .map(String)
    .filter((path) => path.endsWith('.test.ts'))
    .map((path) => readFileSync(join(root, 'test/unit', path), 'utf8'))
    .join('\n');
  // Titles that count their cases are templates.
  const spoken = (title: string) => title.replace(/^\d+ /, '').replace(/ (?:at contract |talosctl |for )?1\.1\d.*$/, '');
  const missing = rows.map((row) => row.split('|').at(-2)?.trim() ?? '').filter((title) => !tests.includes(spoken(title)));
  expect(rows.length).toBeGreaterThan(15);
  expect(missing).toEqual([]);
});
