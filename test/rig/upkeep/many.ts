import { lineOf, tellUpkeep } from './history.ts';
import { loadProduct } from './product.ts';
import { drawUpkeep } from './schedule.ts';
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

/** In this process. */
export async function tellSome(from: number, count: number, stories: readonly string[]): Promise<Told> {
  const product = await loadProduct();
  const tally = createTally();
  const wrong: string[] = [];
  const fingerprints = new Map<number, string>();
  for (let index = from; index < from + count; index += 1) {
    const upkeep = drawUpkeep(`upkeep-${index}`, stories);
    const history = await tellUpkeep(upkeep, product);
    tally.add(upkeep, history);
    if (history.violations.length > 0) wrong.push(lineOf(upkeep, history));
    if ((index - from) % toldTwice === 0) fingerprints.set(index, history.fingerprint);
  }
  for (const [index, fingerprint] of fingerprints) {
    const again = await tellUpkeep(drawUpkeep(`upkeep-${index}`, stories), product);
    if (again.fingerprint !== fingerprint) wrong.push(`upkeep-${index}: I-19 the same seed gave ${fingerprint} and ${again.fingerprint}`);
  }
  return { from, count, wrong, counts: tally.counts() };
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

/** So many in one process: each has to find the clusters at rest and the undisturbed histories for itself. */
const chunk = 500;

export async function tellMany({ from, count, stories, onTold, ...options }: ManyOptions): Promise<Told> {
  const tally = createTally();
  const wrong: string[] = [];
  let done = 0;
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
