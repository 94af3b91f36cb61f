import { lineOf, tellUpkeep } from './history.ts';
import { loadProduct } from './product.ts';
import { calm, drawUpkeep, everyFault, type Upkeep } from './schedule.ts';
import type { Shape } from './shape.ts';
import { type Counts, createTally } from './tally.ts';

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
  /** Until its last command had ended: what is asked afterwards is asked by the test. */
  readonly visits: Readonly<Record<string, number>>;
  readonly operations: readonly number[];
}

/** What an undisturbed history goes through. */
async function courseOf(upkeep: Upkeep): Promise<Course> {
  const boundaries: Boundary[] = [];
  const visits: Record<string, number> = {};
  const operations: number[] = [];
  let untilEnd: Readonly<Record<string, number>> = {};
  await tellUpkeep(calm(upkeep), await loadProduct(), {
    visited: (point) => void (visits[point] = (visits[point] ?? 0) + 1),
    operated: (attempt, operation) => void (operations[attempt] = operation),
    atStep: (attempt) => void boundaries.push({ attempt, operation: operations[attempt] ?? 0, visits: { ...visits } }),
    ended: () => void (untilEnd = { ...visits }),
  });
  return { boundaries, visits: untilEnd, operations };
}

/** However late a step comes: what is set there is met. */
const everMs = 7 * 24 * 3_600_000;

/**
 * Every boundary of every step with every single fault, with a death before and after what comes next, and with one and two Ctrl-C.
 * All have the seed of the undisturbed history, so that they are that history until they come to the place.
 */
export async function everyBoundary(story: string, shape: Shape, talos: string): Promise<readonly Upkeep[]> {
  const base = calm(drawUpkeep(`every boundary of ${story}`, [story], { shape, talos, isSingle: true }));
  const { boundaries, visits, operations } = await courseOf(base);
  const found: Upkeep[] = [];
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
      const rule = { point, kind, probability: 1, atMost: 1, skip, untilMs: everMs, ...(drawn ? { facts: drawn } : {}) };
      found.push({ ...base, place: `${point} ${kind} at visit ${skip}`, faults: [rule] });
    }
  }
  const at = (attempt: number, operation: number) => [...Array.from({ length: attempt }, () => undefined), operation];
  const places = new Map(boundaries.map(({ attempt, operation }) => [`${attempt} ${operation}`, { attempt, operation }]));
  for (const { attempt, operation } of places.values()) {
    if (operation >= (operations[attempt] ?? 0)) continue;
    for (const next of [operation + 1, operation + 1.5])
      found.push({ ...base, place: `death of process ${attempt} at ${next}`, deaths: at(attempt, next) });
    found.push({ ...base, place: `Ctrl-C in process ${attempt} at ${operation + 1}`, stops: at(attempt, operation + 1) });
    found.push({
      ...base,
      place: `Ctrl-C twice in process ${attempt} at ${operation + 1}`,
      stops: at(attempt, operation + 1),
      secondStops: at(attempt, 0),
    });
  }
  return found;
}

/** The process dies, and the next one dies too, anywhere. */
export async function doubleDeaths(story: string, shape: Shape, talos: string, count: number): Promise<readonly Upkeep[]> {
  const base = calm(drawUpkeep(`double deaths of ${story}`, [story], { shape, talos, isSingle: true }));
  const { operations } = await courseOf(base);
  const most = operations[0] ?? 1;
  // A step of the golden ratio goes everywhere, and nowhere twice.
  const place = (number: number, ratio: number) => 1 + Math.floor(((number * ratio) % 1) * most * 2) / 2;
  return Array.from({ length: count }, (_, number) => {
    const deaths = [place(number, 0.618_034), place(number, 0.754_878)];
    return { ...base, place: `deaths at ${deaths.join(' and ')}`, deaths };
  });
}

export interface Gone {
  readonly told: number;
  readonly wrong: readonly string[];
  readonly counts: Counts;
}

/** Each of them, and that what was set was met: a fault that nobody met proves nothing. What is wrong can be given to `replay`. */
export async function tellEach(schedules: readonly Upkeep[]): Promise<Gone> {
  const product = await loadProduct();
  const tally = createTally();
  const wrong: string[] = [];
  for (const upkeep of schedules) {
    const history = await tellUpkeep(upkeep, product);
    tally.add(upkeep, history);
    const firstDeath = upkeep.deaths.findIndex((operation) => operation !== undefined);
    const unmet = [
      ...upkeep.faults.filter(({ point, kind }) => !history.faultHits[`${point} ${kind}`]).map(({ point, kind }) => `${point} ${kind}`),
      ...(firstDeath !== -1 && history.attempts[firstDeath]?.exit !== 'dead' ? ['death'] : []),
    ].map((what) => `nobody met this ${what}`);
    if (unmet.length > 0 || history.violations.length > 0)
      wrong.push(`${lineOf(upkeep, { ...history, violations: [...history.violations, ...unmet] })}\n    ${JSON.stringify(upkeep)}`);
  }
  return { told: schedules.length, wrong, counts: tally.counts() };
}
