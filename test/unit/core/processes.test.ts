import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const program = fileURLToPath(new URL('./programs/start-machine.ts', import.meta.url));
const argv = (...words: string[]) => ['--conditions=talos-tk-source', program, ...words];

function run(...words: string[]): Promise<{ readonly exit: number | string; readonly stdout: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, argv(...words), (error, stdout) => {
      resolve({ exit: error === null ? 0 : (error.signal ?? (error.code as number)), stdout });
    });
  });
}

async function directory() {
  const path = await mkdtemp(join(tmpdir(), 'tk-once-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

test('killed with SIGKILL, the same command ends well and the act happened once', { timeout: 60_000 }, async () => {
  // Event 5 is the begin of the step, 6 its end, 10 the last event of the run; `once.test.ts` dies at every file operation.
  const deaths = ['1', '5', 'before-act', 'after-act', '6', '10'];
  const ends = await Promise.all(
    deaths.map(async (death) => {
      await using place = await directory();
      const first = await run(place.path, 'cp-1', death);
      const second = await run(place.path, 'cp-2', 'never');
      return [death, first.exit, second.exit, (await readFile(join(place.path, 'machine'), 'utf8')).trim()];
    }),
  );
  // Before the intent is on disk the second process chooses for itself; after that the first choice holds.
  expect(ends).toEqual([
    ['1', 'SIGKILL', 0, 'cp-2'],
    ['5', 'SIGKILL', 0, 'cp-2'],
    ['before-act', 'SIGKILL', 0, 'cp-1'],
    ['after-act', 'SIGKILL', 0, 'cp-1'],
    ['6', 'SIGKILL', 0, 'cp-1'],
    ['10', 'SIGKILL', 0, 'cp-1'],
  ]);
});

test('a second process is told who holds the repository; one that was killed holds nothing', { timeout: 30_000 }, async () => {
  await using place = await directory();
  const holder = spawn(process.execPath, argv(place.path, 'first tk', 'wait'));
  await once(holder.stdout, 'data');
  const refused = await run(place.path, 'second tk', 'never');
  expect({ ...refused, stdout: JSON.parse(refused.stdout) }).toEqual({
    exit: 4,
    stdout: { outcome: 'locked', failures: [{ code: 'lock/held', facts: { heldBy: 'first tk', path: join(place.path, '.tk/lock') } }] },
  });
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  expect((await run(place.path, 'third tk', 'never')).exit).toBe(0);
  expect((await readFile(join(place.path, 'machine'), 'utf8')).trim()).toBe('first tk');
  expect(await readFile(join(place.path, '.tk/.gitignore'), 'utf8')).toBe('*\n');
  expect((await stat(join(place.path, '.tk'))).mode & 0o777).toBe(0o700);
});
