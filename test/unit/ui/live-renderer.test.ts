import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { onPty } from './pty.ts';

/** The program's tasks end when the test says so: not by keys, because a terminal echoes them into the picture. */
async function gatedProgram(size: { readonly columns: number; readonly rows: number }) {
  const directory = await mkdtemp(join(tmpdir(), 'tk-live-'));
  const server = createServer();
  server.listen(join(directory, 'gate'));
  await once(server, 'listening');
  const connected = once(server, 'connection') as Promise<[Socket]>;
  const program = onPty('run', [join(directory, 'gate')], size);
  const [socket] = await connected;
  return {
    ...program,
    letEnd: (count: number) => socket.write('go\n'.repeat(count)),
    async [Symbol.asyncDispose]() {
      socket.destroy();
      server.close();
      await rm(directory, { recursive: true });
    },
  };
}

test('sixty tasks on 80×24: the picture stays whole while log lines go by above it', { timeout: 20_000 }, async () => {
  await using program = await gatedProgram({ columns: 80, rows: 24 });
  await program.shows('0 of 60');
  program.letEnd(20);
  await program.shows('20 of 60');
  await program.shows('worked on n19');
  // What is begun next comes with the next picture.
  for (const running of ['n20', 'n21', 'n22']) await program.shows(`❯ ${running}`);
  const screen = program.lines().slice(-24);
  expect(screen.filter((line) => line.includes('❯ all'))).toHaveLength(1);
  expect(screen.filter((line) => line.includes('Ctrl-C stops safely'))).toHaveLength(1);
  expect(screen.at(-1)).toMatch(/^ \d.* · Ctrl-C stops safely · log \.tk\/runs\/01J\/$/);
  for (const running of ['n20', 'n21', 'n22']) expect(screen.some((line) => line.trim().startsWith(`❯ ${running}`))).toBe(true);
  program.letEnd(40);
  expect(await program.exitCode).toBe(1);
  const all = program.lines();
  // Each log line exactly once, in spite of every redraw; no remains of pictures between them.
  const logged = all.filter((line) => line.includes('worked on')).map((line) => line.trim());
  expect(new Set(logged).size).toBe(logged.length);
  expect(all.filter((line) => line.includes('Ctrl-C stops safely'))).toEqual([]);
  expect(all.join('\n')).toContain('error[task/failed]: n57 broke\nbecause: it is old\nstep: one node=n57\nhelp: replace it');
  expect(program.raw().lastIndexOf('\u001b[?25h')).toBeGreaterThan(program.raw().lastIndexOf('\u001b[?25l'));
});

test('a terminal that becomes narrower and lower keeps one picture; Ctrl-C stops safely and says how to go on', {
  timeout: 20_000,
}, async () => {
  await using program = await gatedProgram({ columns: 120, rows: 40 });
  await program.shows('0 of 60');
  program.letEnd(3);
  await program.shows('3 of 60');
  program.resize(50, 12);
  program.letEnd(1);
  await program.shows('4 of 60');
  const screen = program.lines().slice(-12);
  expect(screen.filter((line) => line.includes('❯ all'))).toHaveLength(1);
  for (const line of screen) expect(line.length).toBeLessThanOrEqual(50);
  program.type('\u0003');
  await program.shows('stopping: what runs is let end');
  program.letEnd(3);
  expect(await program.exitCode).toBe(130);
  const end = program.lines();
  expect(end.slice(end.indexOf(' Stopped.'))).toEqual([
    ' Stopped.',
    ' Not done   one node=n7 · one node=n8',
    '            one node=n9 · one node=n10 · one',
    '            node=n11 and 49 more (the run was',
    '            stopped)',
    ' Log        .tk/runs/01J/journal.jsonl',
    ' Continue   npx tk resume',
  ]);
});
