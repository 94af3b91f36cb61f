import { endKeyOf, lineOf, tellUpkeep } from './history.ts';
import { loadProduct } from './product.ts';
import { drawUpkeep, type Upkeep } from './schedule.ts';
import { inOwnProcess, tellSlices } from './slices.ts';
import { type Counts, createTally } from './tally.ts';

/** Histories of neighbouring seeds, and what they came to. */
export interface Told {
  readonly from: number;
  readonly count: number;
  /** One for each that broke a promise. */
  readonly wrong: readonly string[];
  readonly counts: Counts;
}

/** Each so many-th is told again at the end: what a process has told meanwhile changes nothing about it. */
const toldTwice = 100;

/** So few are each held against the undisturbed one. */
const fewHistories = 20;

/** In this process. */
export async function tellSome(from: number, count: number, stories: readonly string[]): Promise<Told> {
  const product = await loadProduct();
  const tally = createTally();
  const wrong: string[] = [];
  const fingerprints = new Map<number, string>();
  const drawn = Array.from({ length: count }, (_, index) => drawUpkeep(`upkeep-${from + index}`, stories));
  const isShared = sharedEnds(drawn);
  for (const [number, upkeep] of drawn.entries()) {
    const index = from + number;
    const history = await tellUpkeep(upkeep, product, undefined, isShared(upkeep) ? 'everything' : 'alone');
    tally.add(upkeep, history);
    if (history.violations.length > 0) wrong.push(lineOf(upkeep, history));
    if ((index - from) % toldTwice === 0) fingerprints.set(index, history.fingerprint);
  }
  for (const [index, fingerprint] of fingerprints) {
    const again = await tellUpkeep(drawn[index - from] as Upkeep, product, undefined, 'alone');
    if (again.fingerprint !== fingerprint) wrong.push(`upkeep-${index}: I-19 the same seed gave ${fingerprint} and ${again.fingerprint}`);
  }
  return { from, count, wrong, counts: tally.counts() };
}

/** Of many, an undisturbed history is told only where it is one for several: of a single one it would be half the work. */
function sharedEnds(drawn: readonly Upkeep[]): (upkeep: Upkeep) => boolean {
  const uses = new Map<string, number>();
  for (const key of drawn.map(endKeyOf)) if (key !== undefined) uses.set(key, (uses.get(key) ?? 0) + 1);
  return (upkeep) => drawn.length < fewHistories || (uses.get(endKeyOf(upkeep) ?? '') ?? 0) > 1;
}

const wordsOf = (from: number, count: number, stories: readonly string[]) => ['some', String(from), String(count), stories.join(',')];

export const tellApart = (from: number, count: number, stories: readonly string[]): Promise<Told> =>
  inOwnProcess(wordsOf(from, count, stories)) as Promise<Told>;

export interface ManyOptions {
  readonly from: number;
  readonly count: number;
  readonly stories: readonly string[];
  readonly processes: number;
  readonly file?: string;
  readonly onTold?: (told: Told, done: number) => void;
}

/** At most so many in one process: each has to find the clusters at rest and the undisturbed histories for itself. */
const mostTogether = 2000;

export async function tellMany({ from, count, stories, onTold, ...options }: ManyOptions): Promise<Told> {
  const tally = createTally();
  const wrong: string[] = [];
  let done = 0;
  const chunk = Math.min(mostTogether, Math.ceil(count / options.processes));
  const starts = Array.from({ length: Math.ceil(count / chunk) }, (_, index) => from + index * chunk);
  await tellSlices<Told>({
    ...options,
    slices: starts.map((start) => wordsOf(start, Math.min(chunk, from + count - start), stories)),
    onTold: (told) => {
      tally.merge(told.counts);
      wrong.push(...told.wrong);
      done += told.count;
      onTold?.(told, done);
    },
  });
  return { from, count: done, wrong, counts: tally.counts() };
}
