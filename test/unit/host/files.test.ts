import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createHostWorld } from '../../../lib/host/index.ts';

const { files } = createHostWorld();
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tk-files-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const modeOf = async (path: string) => (await stat(path)).mode & 0o777;

test('a written file has its content and mode, and nothing else lies beside it', async () => {
  const path = join(folder, 'a/b/secret.yaml');
  await files.write(path, 'one', { mode: 0o600 });
  expect([await files.readText(path), await modeOf(path)]).toEqual(['one', 0o600]);
  // A mode that was set stays when none is given.
  await files.write(path, new TextEncoder().encode('two'));
  expect([await files.readText(path), await modeOf(path)]).toEqual(['two', 0o600]);
  await files.write(path, 'three', { mode: 0o644 });
  expect([await files.readText(path), await modeOf(path)]).toEqual(['three', 0o644]);
  expect(await readdir(join(folder, 'a/b'))).toEqual(['secret.yaml']);
});

test('what a killed process left half written is gone with the next write to its folder', async () => {
  const gone = spawn(process.execPath, ['-e', '']);
  await once(gone, 'close');
  await writeFile(join(folder, `.secret.yaml.${gone.pid}-0a1b2c3d.tk-tmp`), 'half a sec');
  await writeFile(join(folder, `.other.${process.ppid}-0a1b2c3d.tk-tmp`), 'being written');
  await files.write(join(folder, 'a'), 'x');
  expect((await readdir(folder)).sort()).toEqual([`.other.${process.ppid}-0a1b2c3d.tk-tmp`, 'a']);
});

test('many writers of one file leave one of their contents whole', async () => {
  const path = join(folder, 'shared');
  const contents = Array.from({ length: 20 }, (_, index) => String(index).repeat(50_000));
  await Promise.all(contents.map((content) => files.write(path, content)));
  expect(contents).toContain(await files.readText(path));
  expect(await readdir(folder)).toEqual(['shared']);
});

test('where no folder can be made, that is said at once', async () => {
  await symlink('nowhere', join(folder, 'link'));
  const nowhere = [join(folder, 'link/at/all'), ...(existsSync('/proc/self') ? ['/proc/none/at/all'] : [])];
  for (const path of nowhere) {
    await expect(files.write(path, '')).rejects.toMatchObject({ failure: { code: 'host/file', facts: { operation: 'write', path } } });
    await expect(files.makeDirectory(path)).rejects.toMatchObject({ failure: { code: 'host/file' } });
  }
});

test('what is not there is absent, not an error', async () => {
  const path = join(folder, 'none/at/all');
  expect(await files.read(path)).toBeUndefined();
  expect(await files.readText(path)).toBeUndefined();
  expect(await files.stat(path)).toBeUndefined();
  expect(await files.realPath(path)).toBeUndefined();
  expect(await files.list(path)).toEqual([]);
  await files.remove(path);
  await files.removeTree(path);
});

test('what a file stands in the way of is absent too', async () => {
  const path = join(folder, 'file/below');
  await writeFile(join(folder, 'file'), '');
  expect([
    await files.read(path),
    await files.readText(path),
    await files.stat(path),
    await files.realPath(path),
    await files.list(path),
  ]).toEqual([undefined, undefined, undefined, undefined, []]);
  await files.remove(path);
});

test('a byte-order mark stays in the text', async () => {
  await writeFile(join(folder, 'bom'), '\uFEFFa: 1\r\n');
  expect(await files.readText(join(folder, 'bom'))).toBe('\uFEFFa: 1\r\n');
});

test('entries are listed by name with their kind, and links are not followed', async () => {
  await files.write(join(folder, 'b.txt'), 'x');
  await files.makeDirectory(join(folder, 'a/deep'));
  await symlink(join(folder, 'b.txt'), join(folder, 'c'));
  expect(await files.list(folder)).toEqual([
    { name: 'a', kind: 'directory' },
    { name: 'b.txt', kind: 'file' },
    { name: 'c', kind: 'link' },
  ]);
  expect((await files.stat(join(folder, 'c')))?.kind).toBe('link');
  expect(await files.realPath(join(folder, 'c'))).toBe(await files.realPath(join(folder, 'b.txt')));
});

test('a failure names the operation, the path and the error', async () => {
  await files.write(join(folder, 'file'), 'x');
  await expect(files.write(join(folder, 'file/below'), 'x')).rejects.toMatchObject({
    failure: {
      code: 'host/file',
      facts: { operation: 'write', path: join(folder, 'file/below'), errno: expect.stringMatching(/^(ENOTDIR|EEXIST)$/) },
    },
  });
  await expect(files.readText(folder)).rejects.toMatchObject({
    failure: { code: 'host/file', facts: { operation: 'read', path: folder, errno: 'EISDIR' } },
  });
  await files.makeDirectory(join(folder, 'full/below'));
  await expect(files.remove(join(folder, 'full'))).rejects.toMatchObject({
    failure: { facts: { operation: 'remove', errno: 'ENOTEMPTY' } },
  });
});

test('appended lines keep their order and survive a reader half way', async () => {
  const path = join(folder, 'runs/1/journal.jsonl');
  const journal = await files.append(path, { mode: 0o600 });
  await Promise.all(Array.from({ length: 50 }, (_, index) => journal.write(`${index}\n`, { sync: index % 10 === 0 })));
  expect(await readFile(path, 'utf8')).toBe(Array.from({ length: 50 }, (_, index) => `${index}\n`).join(''));
  await journal.close();
  const again = await files.append(path);
  await again.write('more\n', { sync: true });
  await again.close();
  expect((await readFile(path, 'utf8')).endsWith('49\nmore\n')).toBe(true);
  expect(await modeOf(path)).toBe(0o600);
});

test('a read-only folder is said to be one', async () => {
  if (process.getuid?.() === 0) {
    // Root may write anywhere: a file where a folder is needed stands in for it.
    await files.write(join(folder, 'locked'), '');
    await expect(files.append(join(folder, 'locked/journal'))).rejects.toMatchObject({ failure: { code: 'host/file' } });
    return;
  }
  await chmod(folder, 0o500);
  await expect(files.write(join(folder, 'x'), '')).rejects.toMatchObject({ failure: { facts: { errno: 'EACCES' } } });
});

test('a lock has one holder, in this process too, and is free after its release', async () => {
  const path = join(folder, '.tk/lock');
  const first = await files.lock(path, 'tk bootstrap');
  if ('heldBy' in first) throw new Error('nobody else is here');
  expect(await files.lock(path, 'tk apply')).toEqual({ heldBy: 'tk bootstrap' });
  await first.release();
  const second = await files.lock(path, 'tk apply');
  expect('release' in second).toBe(true);
  expect(await readdir(join(folder, '.tk'))).toEqual(['lock']);
});

test('of many who want it at once exactly one gets the lock', async () => {
  const path = join(folder, 'lock');
  const locks = await Promise.all(Array.from({ length: 20 }, (_, index) => files.lock(path, String(index))));
  const winners = locks.filter((lock) => 'release' in lock);
  expect(winners.length).toBe(1);
});

test('the lock of a process that was killed is taken over, by exactly one', async () => {
  const path = join(folder, 'lock');
  const module = new URL('../../../lib/host/index.ts', import.meta.url).href;
  const child = spawn(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `const { createHostWorld } = await import(${JSON.stringify(module)});
       await createHostWorld().files.lock(${JSON.stringify(path)}, 'the other tk');
       console.log('locked'); setInterval(() => {}, 1000);`,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  await once(child.stdout, 'data');
  expect(await files.lock(path, 'me')).toEqual({ heldBy: 'the other tk' });
  child.kill('SIGKILL');
  await once(child, 'close');
  const locks = await Promise.all(Array.from({ length: 10 }, (_, index) => files.lock(path, String(index))));
  expect(locks.filter((lock) => 'release' in lock).length).toBe(1);
  expect(await readdir(folder)).toEqual(['lock']);
});

test('a number that was given to another process since is no owner, one of another machine is', async () => {
  const path = join(folder, 'lock');
  const mine = await files.lock(path, 'me');
  const claim = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
  if ('release' in mine) await mine.release();
  await writeFile(path, JSON.stringify({ ...claim, owner: 'long gone', started: '1' }));
  expect('release' in (await files.lock(path, 'me'))).toBe(true);
  await writeFile(path, JSON.stringify({ ...claim, owner: 'before the reboot', boot: 'another' }));
  expect('release' in (await files.lock(path, 'me'))).toBe(true);
  await writeFile(path, JSON.stringify({ ...claim, owner: 'the laptop', host: 'laptop' }));
  expect(await files.lock(path, 'me')).toEqual({ heldBy: 'the laptop' });
});
