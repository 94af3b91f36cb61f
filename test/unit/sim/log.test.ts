import { expect, test } from 'vitest';
import { createMemoryFiles, openKernel, type SimTimer } from '../../../lib/sim/index.ts';
import { createSeededRandom } from '../../../lib/sim/random.ts';

const path = '/sandbox/cluster.jsonl';
const open = (files: ReturnType<typeof createMemoryFiles>) => openKernel({ seed: 'log', epochMs: 1000 }, files, path);

test('what was committed is there again, with its timers and its time', async () => {
  const files = createMemoryFiles(() => 0);
  const first = await open(files);
  first.register({ name: 'm', onTimer: () => {} });
  first.store.set('a', { deep: [1, 2] });
  first.store.set('b', 'gone later');
  first.schedule({ model: 'm', kind: 'ring', atMs: 5000, key: 'k' });
  await first.clock.sleep(2000);
  first.store.delete('b');
  await first.commit();
  // Killed: nothing is closed, and what was not committed is lost.
  first.store.set('c', 'never committed');

  const second = await open(files);
  const rung: [SimTimer, number][] = [];
  second.register({ name: 'm', onTimer: (timer) => rung.push([timer, second.clock.monotonicMs()]) });
  expect([second.store.get('a'), second.store.get('b'), second.store.get('c'), second.clock.monotonicMs()]).toEqual([
    { deep: [1, 2] },
    undefined,
    undefined,
    // Never the same moment twice: runs are known by when they began.
    2001,
  ]);
  expect(second.clock.now()).toBe(3001);
  await second.clock.sleep(10_000);
  expect(rung).toEqual([[{ model: 'm', kind: 'ring', atMs: 5000, key: 'k' }, 5000]]);
});

test('a torn last line is what a crash leaves, and costs only that line', async () => {
  for (let round = 0; round < 20; round += 1) {
    const files = createMemoryFiles(() => 0);
    const kernel = await open(files);
    kernel.store.set('kept', round);
    await kernel.commit();
    kernel.store.set('maybe', 'x'.repeat(40));
    await kernel.flush();
    files.crash(createSeededRandom('crash', String(round)));
    const again = await open(files);
    expect(again.store.get('kept')).toBe(round);
    expect(['x'.repeat(40), undefined]).toContain(again.store.get('maybe'));
  }
});

test('a damaged line before the last is refused, with its number', async () => {
  const files = createMemoryFiles(() => 0);
  const kernel = await open(files);
  for (const value of [1, 2, 3]) {
    kernel.store.set('n', value);
    await kernel.commit();
  }
  const lines = ((await files.readText(path)) ?? '').split('\n');
  lines[1] = `${lines[1]?.slice(0, -3)}9}}`;
  await files.write(path, lines.join('\n'));
  await expect(open(files)).rejects.toMatchObject({ failure: { code: 'sim/log-damaged', facts: { path, line: 2 } } });
});

test('opening compacts the log to one line', async () => {
  const files = createMemoryFiles(() => 0);
  const kernel = await open(files);
  for (let value = 0; value < 50; value += 1) {
    kernel.store.set('n', value);
    await kernel.commit();
  }
  const before = (await files.readText(path))?.length ?? 0;
  await open(files);
  const after = (await files.readText(path)) ?? '';
  expect(after.trim().split('\n')).toHaveLength(1);
  expect(after.length).toBeLessThan(before / 10);
});
