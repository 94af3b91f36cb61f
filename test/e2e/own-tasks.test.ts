import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runTk, temporaryFolder } from '../rig/process.ts';

/** A process has to start, and the machine may be busy with something else. */
const patience = 60_000;

test('a task file that does not load is told with its place, and stands in nobody else’s way', { timeout: patience }, async () => {
  using repository = temporaryFolder({
    'tasks/good.ts': "export default Object.assign(() => {}, { definition: { summary: 'Good one', effect: 'read', run() {} } });\n",
    'tasks/nas/bad.ts': 'const disk: string = ;\nexport default disk;\n',
    'tasks/doctor.ts': 'const { nas } = undefined as unknown as { nas: object };\nexport default nas;\n',
    'tasks/_shared.ts': 'export const disks = 2;\n',
  });
  cpSync(join(import.meta.dirname, 'fixtures/talhelper'), repository.path, { recursive: true });
  const tk = (...words: string[]) => runTk(words, { cwd: repository.path });
  const bad = [
    'error[usage/task-file]: the task file `tasks/nas/bad.ts` could not be loaded',
    ' ——▶ tasks/nas/bad.ts:1:1',
    '  │',
    '1 │ const disk: string = ;',
    '  │ ^^^^^^^^^^^^^^^^^^^^^^',
    'because: Expression expected',
    'help: mend it; a file that holds no task gets a name that begins with `_`',
    '',
  ].join('\n');
  const list = await tk('--list');
  expect(list.exitCode).toBe(2);
  expect(list.stdout).toMatch(/^ {2}good +Good one$/m);
  // The built-in task of that name would not be the one that is meant.
  expect(list.stdout).not.toMatch(/^ {2}(?:doctor|nas:bad) /m);
  expect(list.stderr).toMatch(
    /^error\[usage\/task-file\]: the task file `tasks\/doctor\.ts` could not be loaded\n +——▶ tasks\/doctor\.ts:1:9$/m,
  );
  expect(list.stderr).toContain(bad);
  expect(await tk('nas:bad')).toMatchObject({ exitCode: 2, stdout: '', stderr: expect.stringContaining(bad) });
  rmSync(join(repository.path, 'tasks/doctor.ts'));
  expect(await tk('good')).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('✔ good') });
});
