import { lineOf, tellUpkeep, type UpkeepHistory } from './history.ts';
import { loadProduct } from './product.ts';
import { calm, drawUpkeep, everyFault, type Upkeep } from './schedule.ts';
import type { Shape } from './shape.ts';

/** Where a step of an undisturbed history begins or ends. */
interface Boundary {
  /** Of the process, from 0. */
  readonly attempt: number;
  /** Operations of that process on files and wires until then. */
  readonly operation: number;
  /** Visits of each fault point until then, over the whole history. */
  readonly visits: Readonly<Record<string, number>>;
}

interface Course {
  readonly boundaries: readonly Boundary[];
  readonly visits: Readonly<Record<string, number>>;
  readonly operations: readonly number[];
}

/** What an undisturbed history goes through. */
async function courseOf(upkeep: Upkeep): Promise<Course> {
  const boundaries: Boundary[] = [];
  const visits: Record<string, number> = {};
  const operations: number[] = [];
  await tellUpkeep(calm(upkeep), await loadProduct(), {
    visited: (point) => void (visits[point] = (visits[point] ?? 0) + 1),
    operated: (attempt, operation) => void (operations[attempt] = operation),
    atStep: (attempt) => void boundaries.push({ attempt, operation: operations[attempt] ?? 0, visits: { ...visits } }),
  });
  return { boundaries, visits, operations };
}

/** Every boundary of every step with every single fault, with a death before and after what comes next, and with Ctrl-C. */
export async function* everyBoundary(story: string, shape: Shape, talos: string): AsyncGenerator<Upkeep> {
  const base = calm(drawUpkeep(`every boundary of ${story}`, [story], { shape, talos, isSingle: true }));
  const { boundaries, visits, operations } = await courseOf(base);
  for (const { point, kind, facts } of everyFault) {
    // Boundaries between which the point is not visited are one and the same for its faults.
    const places = new Set([0, ...boundaries.map((boundary) => boundary.visits[point] ?? 0)]);
    for (const skip of places) {
      if (skip >= (visits[point] ?? 0)) continue;
      const drawn = facts?.({
        fraction: () => 0.5,
        bytes: (n) => new Uint8Array(n),
        privateKey: () => Promise.reject(new Error('no keys')),
      });
      const rule = { point, kind, probability: 1, atMost: 1, skip, ...(drawn ? { facts: drawn } : {}) };
      yield { ...base, seed: `${point} ${kind} at visit ${skip}`, faults: [rule] };
    }
  }
  const at = (attempt: number, operation: number) => [...Array.from({ length: attempt }, () => undefined), operation];
  const places = new Map(boundaries.map(({ attempt, operation }) => [`${attempt} ${operation}`, { attempt, operation }]));
  for (const { attempt, operation } of places.values()) {
    if (operation >= (operations[attempt] ?? 0)) continue;
    for (const next of [operation + 1, operation + 1.5])
      yield { ...base, seed: `death of process ${attempt} at ${next}`, deaths: at(attempt, next) };
    yield { ...base, seed: `Ctrl-C in process ${attempt} at ${operation + 1}`, stops: at(attempt, operation + 1) };
    yield {
      ...base,
      seed: `Ctrl-C twice in process ${attempt} at ${operation + 1}`,
      stops: at(attempt, operation + 1),
      secondStops: at(attempt, 0),
    };
  }
}

/** The process dies, and the next one dies too, anywhere. */
export async function* doubleDeaths(story: string, shape: Shape, talos: string, count: number): AsyncGenerator<Upkeep> {
  const base = calm(drawUpkeep(`double deaths of ${story}`, [story], { shape, talos, isSingle: true }));
  const { operations } = await courseOf(base);
  const most = operations[0] ?? 1;
  // A step of the golden ratio goes everywhere, and nowhere twice.
  const place = (number: number, ratio: number) => 1 + Math.floor(((number * ratio) % 1) * most * 2) / 2;
  for (let number = 0; number < count; number += 1) {
    const deaths = [place(number, 0.618_034), place(number, 0.754_878)];
    yield { ...base, seed: `deaths at ${deaths.join(' and ')}`, deaths };
  }
}

export interface Gone {
  readonly told: number;
  readonly wrong: readonly string[];
}

export async function tellEach(
  schedules: AsyncGenerator<Upkeep>,
  on: (upkeep: Upkeep, history: UpkeepHistory) => void = () => {},
): Promise<Gone> {
  const product = await loadProduct();
  const wrong: string[] = [];
  let told = 0;
  for await (const upkeep of schedules) {
    told += 1;
    const history = await tellUpkeep(upkeep, product);
    on(upkeep, history);
    if (history.violations.length > 0) wrong.push(lineOf(upkeep, history));
  }
  return { told, wrong };
}
