import fc from 'fast-check';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { buildGraph, type TaskGraph } from '../../../lib/core/graph.ts';
import { createRegistry, forEach, inSequence, type Task, type TaskCall } from '../../../lib/core/index.ts';
import { schedule } from '../../../lib/core/scheduler.ts';
import { defineTask, rig } from './rig.ts';

interface Shape {
  /** For each node, which earlier ones it needs. */
  readonly needs: readonly (readonly number[])[];
  readonly locks: readonly (string | undefined)[];
  readonly fails: ReadonlySet<number>;
  readonly parallel: number;
  readonly keepGoing: boolean;
  /** After how many started nodes the run is told to stop. */
  readonly stopAfter: number | undefined;
}

const shapes: fc.Arbitrary<Shape> = fc.integer({ min: 1, max: 24 }).chain((count) =>
  fc.record({
    needs: fc.tuple(
      ...Array.from({ length: count }, (_, index) => fc.uniqueArray(fc.nat(Math.max(0, index - 1)), { maxLength: Math.min(index, 4) })),
    ),
    locks: fc.array(fc.option(fc.constantFrom('a', 'b'), { nil: undefined, freq: 2 }), { minLength: count, maxLength: count }),
    fails: fc.uniqueArray(fc.nat(count - 1), { maxLength: 2 }).map((list) => new Set(list)),
    parallel: fc.integer({ min: 1, max: 5 }),
    keepGoing: fc.boolean(),
    stopAfter: fc.option(fc.nat(count), { nil: undefined, freq: 4 }),
  }),
);

function graphOf(shape: Pick<Shape, 'needs'>): TaskGraph {
  const registry = createRegistry();
  const tasks: Task[] = [];
  const calls: TaskCall[] = [];
  for (const [index, needs] of shape.needs.entries()) {
    const task = defineTask({ summary: `${index}`, needs: needs.map((need) => calls[need] as TaskCall), effect: 'read', run() {} });
    registry.register(`t${index}`, task);
    tasks.push(task);
    calls.push(task());
  }
  return buildGraph(calls, registry, {});
}

/** Everything that comes after these nodes, directly or not. */
function afterAny(graph: TaskGraph, roots: ReadonlySet<string>): Set<string> {
  const found = new Set<string>();
  for (const node of graph.nodes.values()) if ([...node.after].some((before) => roots.has(before) || found.has(before))) found.add(node.id);
  return found;
}

test('any graph, any failures, any limits: order, limits and locks hold, and every node reaches an end', async () => {
  const seen = { blocked: 0, cancelled: 0, done: 0, failed: 0 };
  await fc.assert(
    fc.asyncProperty(shapes, fc.scheduler(), async (shape, s) => {
      const graph = graphOf(shape);
      const stopping = new AbortController();
      const running = new Set<string>();
      const held = new Set<string>();
      const ended = new Map<string, string>();
      const started: string[] = [];
      const lockOf = (id: string) => shape.locks[Number(id.slice(1))];
      const finished = schedule(graph, {
        parallel: shape.parallel,
        keepGoing: shape.keepGoing,
        stopping: stopping.signal,
        locksOf: (node) => [lockOf(node.id)].filter((lock) => lock !== undefined),
        async start(node) {
          expect(ended.has(node.id) || running.has(node.id)).toBe(false);
          for (const before of node.after) expect(ended.get(before)).toBe('done');
          expect(stopping.signal.aborted).toBe(false);
          if (!shape.keepGoing) expect([...ended.values()]).not.toContain('failed');
          running.add(node.id);
          started.push(node.id);
          expect(running.size).toBeLessThanOrEqual(shape.parallel);
          const lock = lockOf(node.id);
          if (lock !== undefined) {
            expect(held.has(lock)).toBe(false);
            held.add(lock);
          }
          if (shape.stopAfter === started.length) stopping.abort();
          await s.schedule(Promise.resolve(), node.id);
          running.delete(node.id);
          if (lock !== undefined) held.delete(lock);
          const state = shape.fails.has(Number(node.id.slice(1))) ? 'failed' : 'done';
          ended.set(node.id, state);
          return state === 'done' ? { state, value: node.id } : { state };
        },
        dropped(node, state) {
          expect(ended.has(node.id) || running.has(node.id)).toBe(false);
          ended.set(node.id, state.state);
        },
      });
      await s.waitFor(finished);
      const states = await finished;
      expect(ended.size).toBe(graph.nodes.size);
      for (const [id, state] of states) {
        expect(state.state).toBe(ended.get(id));
        seen[state.state as keyof typeof seen] += 1;
      }
      const failed = new Set([...ended].filter(([, state]) => state === 'failed').map(([id]) => id));
      const behind = afterAny(graph, failed);
      if (shape.keepGoing && !stopping.signal.aborted) {
        expect(new Set([...ended].filter(([, state]) => state === 'blocked').map(([id]) => id))).toEqual(behind);
        expect([...ended.values()]).not.toContain('cancelled');
      }
      for (const id of behind) expect(['blocked', 'cancelled']).toContain(ended.get(id));
      if (failed.size === 0 && !stopping.signal.aborted) expect(new Set(ended.values())).toEqual(new Set(['done']));
    }),
    { numRuns: 300 },
  );
  for (const [state, hits] of Object.entries(seen)) expect({ state, hit: hits > 0 }).toEqual({ state, hit: true });
});

test('a sequence runs one after the other and stops at a failure; among ready nodes the first declared starts first', async () => {
  const registry = createRegistry();
  const tasks = ['a', 'b', 'c', 'd'].map((name) => {
    const task = defineTask({ summary: name, effect: 'read', run() {} });
    registry.register(name, task);
    return task;
  });
  const row = defineTask({ summary: 'row', needs: inSequence(tasks.map((task) => task())), effect: 'read', run() {} });
  registry.register('row', row);
  const story: string[] = [];
  await schedule(buildGraph([row()], registry, {}), {
    parallel: 8,
    stopping: new AbortController().signal,
    locksOf: () => [],
    async start(node) {
      story.push(node.id);
      return node.id === 'c' ? { state: 'failed' } : { state: 'done', value: 1 };
    },
    dropped: (node, state) => void story.push(`${node.id} ${state.state}`),
  });
  expect(story).toEqual(['a', 'b', 'c', 'd blocked', 'row blocked']);
});

test('a list inside a sequence starts after what stands before it, and is awaited by what stands behind it', async () => {
  const one = defineTask({ summary: 'one', params: z.object({ name: z.string() }), effect: 'read', run: ({ params }) => params.name });
  const row = defineTask({
    summary: 'row',
    needs: inSequence([
      one({ name: 'a' }),
      forEach(['b', 'c', 'd'], (name) => one({ name }), { parallel: 2 }),
      forEach([], one),
      one({ name: 'e' }),
    ]),
    effect: 'read',
    run: ({ needs }) => needs,
  });
  const world = rig({ one, row });
  expect((await world.run(row())).values).toEqual([['a', 'b', 'c', 'd', 'e']]);
  expect(world.story().filter((line) => line.startsWith('one'))).toEqual(
    ['a started', 'a done', 'b started', 'c started', 'b done', 'c done', 'd started', 'd done', 'e started', 'e done'].map((line) => {
      const [name, state] = line.split(' ');
      return `one{"name":"${name}"} ${state}${state === 'done' ? ' changes=0' : ''}`;
    }),
  );
});

test('ten thousand tasks in a chain, side by side and in a tree', async () => {
  const size = 10_000;
  const chain = Array.from({ length: size }, (_, index) => (index === 0 ? [] : [index - 1]));
  const wide = Array.from({ length: size }, () => []);
  const tree = Array.from({ length: size }, (_, index) => (index < 2 ? [] : [Math.floor(index / 2), Math.floor(index / 3)]));
  for (const needs of [chain, wide, tree.map((list) => [...new Set(list)])]) {
    const graph = graphOf({ needs });
    let running = 0;
    const states = await schedule(graph, {
      parallel: 8,
      stopping: new AbortController().signal,
      locksOf: () => [],
      async start() {
        running += 1;
        expect(running).toBeLessThanOrEqual(8);
        await undefined;
        running -= 1;
        return { state: 'done', value: undefined };
      },
      dropped() {},
    });
    expect([...states.values()].every((state) => state.state === 'done')).toBe(true);
  }
});
