import { expect, test } from 'vitest';
import { waitFor, holds, notYet } from '../../../lib/base/index.ts';
import { createKernel, type SimEvent, type SimTimer } from '../../../lib/sim/index.ts';

const kernel = () => createKernel({ seed: 'one', epochMs: Date.UTC(2026, 0, 1) });

test('virtual time jumps to the next timer and wakes sleepers in order', async () => {
  const { clock } = kernel();
  const woken: string[] = [];
  await Promise.all(
    [30_000, 10_000, 20_000].map(async (ms) => {
      await clock.sleep(ms);
      woken.push(`${ms} at ${clock.monotonicMs()}`);
    }),
  );
  expect(woken).toEqual(['10000 at 10000', '20000 at 20000', '30000 at 30000']);
  expect(clock.now()).toBe(Date.UTC(2026, 0, 1) + 30_000);
});

test('a sleeper that is aborted wakes at once and time stays where it is', async () => {
  const { clock } = kernel();
  const stop = new AbortController();
  const asleep = clock.sleep(60_000, stop.signal);
  stop.abort();
  await expect(asleep).rejects.toMatchObject({ failure: { code: 'run/aborted' } });
  expect(clock.monotonicMs()).toBe(0);
});

test('a deadline fires once at its time; one that was taken back never does, and nobody waits for it', async () => {
  const { clock } = kernel();
  const fired: string[] = [];
  const takeBack = clock.after?.(1000, () => fired.push('taken back'));
  const first = new Promise<void>((resolve) => clock.after?.(2000, () => resolve(void fired.push(`at ${clock.monotonicMs()}`))));
  takeBack?.();
  takeBack?.();
  await first;
  clock.after?.(60_000, () => fired.push('late'))();
  for (let turns = 0; turns < 5; turns += 1) await new Promise((resolve) => setImmediate(resolve));
  expect(fired).toEqual(['at 2000']);
  expect(clock.monotonicMs()).toBe(2000);
});

test('time stands still during real work, and goes on when that work itself sleeps', async () => {
  const { clock } = kernel();
  let gate = () => {};
  const work = clock.whileBusy(async () => {
    await new Promise<void>((resolve) => {
      gate = resolve;
    });
    const before = clock.monotonicMs();
    await clock.sleep(500);
    return [before, clock.monotonicMs()];
  });
  const asleep = clock.sleep(1000);
  for (let turns = 0; turns < 20; turns += 1) await new Promise((resolve) => setImmediate(resolve));
  expect(clock.monotonicMs()).toBe(0);
  gate();
  expect(await work).toEqual([0, 500]);
  await asleep;
  expect(clock.monotonicMs()).toBe(1000);
});

test('a model timer fires on the way to a later sleeper, and never on its own', async () => {
  const sim = kernel();
  const seen: [string, number][] = [];
  sim.register({ name: 'm', onTimer: (timer: SimTimer) => seen.push([timer.kind, sim.clock.monotonicMs()]) });
  sim.schedule({ model: 'm', kind: 'late', atMs: 5000 });
  sim.schedule({ model: 'm', kind: 'early', atMs: 1000 });
  sim.schedule({ model: 'm', kind: 'dropped', atMs: 2000, key: 'k' });
  sim.cancel('m', 'dropped', 'k');
  for (let turns = 0; turns < 5; turns += 1) await new Promise((resolve) => setImmediate(resolve));
  expect(seen).toEqual([]);
  await sim.clock.sleep(3000);
  expect(seen).toEqual([['early', 1000]]);
});

test('a poll of every five virtual seconds is exact', async () => {
  const sim = kernel();
  sim.register({ name: 'm', onTimer: () => sim.store.set('ready', true) });
  sim.schedule({ model: 'm', kind: 'ready', atMs: 4_999_000 });
  let polls = 0;
  await waitFor(
    {
      description: 'readiness',
      deadlineMs: 10_000_000,
      intervalMs: 5000,
      check: async () => {
        polls += 1;
        return sim.store.get('ready') ? holds(true) : notYet('not ready');
      },
    },
    sim.clock,
    new AbortController().signal,
  );
  expect([polls, sim.clock.monotonicMs()]).toEqual([1001, 5_000_000]);
});

test('streams of randomness are independent and repeat with the seed', () => {
  const first = kernel();
  const second = kernel();
  second.random('other').bytes(100);
  expect(first.random('node').bytes(16)).toEqual(second.random('node').bytes(16));
  expect(first.random('node').bytes(16)).not.toEqual(first.random('other').bytes(16));
});

test('the store keeps keys sorted and tells the next change', async () => {
  const { store, changed } = kernel();
  for (const key of ['b/2', 'a/1', 'b/10', 'c', 'b/1']) store.set(key, key);
  expect(store.keys('b/')).toEqual(['b/1', 'b/10', 'b/2']);
  store.delete('b/10');
  expect(store.keys('b/')).toEqual(['b/1', 'b/2']);
  const next = changed(new AbortController().signal);
  store.set('d', 1);
  await next;
});

test('faults hit only where and as often as the rule says, and are counted', () => {
  const sim = createKernel({
    seed: 'one',
    epochMs: 0,
    faults: [{ point: 'wire/reply', kind: 'lost', probability: 1, skip: 1, atMost: 1, only: { node: 'cp-1' } }],
  });
  const ask = (node: string) => sim.fault('wire/reply', { node })?.kind;
  expect([ask('cp-1'), ask('cp-2'), ask('cp-1'), ask('cp-1')]).toEqual([undefined, undefined, 'lost', undefined]);
  expect(sim.faultHits()).toEqual({ 'wire/reply lost': 1 });
});

test('events carry the instant at which they happened', async () => {
  const sim = kernel();
  const seen: SimEvent[] = [];
  sim.onEvent((event) => seen.push(event));
  await sim.clock.sleep(250);
  sim.emit({ kind: 'talos/boot', facts: { node: 'cp-1' } });
  expect(seen).toEqual([{ kind: 'talos/boot', atMs: 250, facts: { node: 'cp-1' } }]);
});
