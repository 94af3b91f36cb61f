import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runProcess } from '../../rig/process.ts';

const say = join(import.meta.dirname, 'programs/say.ts');
const all = Array.from({ length: 3000 }, (_, line) => `line ${line} of the output – ${'x'.repeat(line % 40)}\n`).join('');

test('what goes to a pipe arrives whole and in order, also where Node takes over from what was written directly', async () => {
  const run = await runProcess(process.execPath, [say], { cwd: import.meta.dirname });
  expect(run).toMatchObject({ exitCode: 0, stdout: all, stderr: 'screen: false, 80 columns\n' });
});

test('a reader that has gone is told to the command', async () => {
  const run = await runProcess('sh', ['-c', '{ "$0" "$1"; echo "exit $?" >&2; } | true', process.execPath, say], {
    cwd: import.meta.dirname,
  });
  // Node tells of it in the next turn.
  expect(run.stderr).toBe('screen: false, 80 columns\nheard EPIPE\nexit 141\n');
});
