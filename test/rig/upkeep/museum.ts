import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { foundBy } from '../mutants.ts';
import { tellUpkeep } from './history.ts';
import { plantBugs } from './mutants.ts';
import { type PlantedBug, plantedBugs } from './planted.ts';
import { loadProduct } from './product.ts';
import { drawUpkeep, type Upkeep } from './schedule.ts';

const museumPath = join(import.meta.dirname, 'museum.json');
const foundPath = join(import.meta.dirname, 'found.json');

/** A planted bug and the whole history that shows it: it is told again when other faults are drawn for that seed later. */
export interface Exhibit {
  readonly bug: string;
  readonly upkeep: Upkeep;
}

/** `number` schedules were fine before it. */
export interface Find extends Exhibit {
  readonly number: number;
  readonly found: string;
}

/** The first schedule that shows a bug and is fine without it. Absent: none of so many. */
export async function searchBug(bug: PlantedBug, most: number, say: (text: string) => void): Promise<Find | undefined> {
  plantBugs();
  const product = await loadProduct(bug.name);
  for (let number = 0; number < most; number += 1) {
    const upkeep = drawUpkeep(`${bug.name}-${number}`, bug.stories, { talos: 'v1.14.1', isSingle: true, ...bug.bias });
    const [found] = foundBy(bug.name, (await tellUpkeep(upkeep, product)).violations);
    if (found === undefined) continue;
    const [own] = (await tellUpkeep(upkeep, await loadProduct())).violations;
    if (own === undefined) return { bug: bug.name, upkeep, number, found };
    say(`${bug.name}: schedule ${number} breaks a promise without the bug: ${own}`);
  }
  return undefined;
}

export const exhibits = async (): Promise<readonly Exhibit[]> =>
  JSON.parse(await readFile(museumPath, 'utf8').catch(() => '[]')) as Exhibit[];

/** In the order of the bugs; those that are not among them keep what they have. */
export async function keepExhibits(found: readonly Exhibit[]): Promise<void> {
  const others = (await exhibits()).filter(({ bug }) => !found.some((one) => one.bug === bug));
  const all = [...others, ...found.map(({ bug, upkeep }) => ({ bug, upkeep }))];
  const ordered = plantedBugs.flatMap(({ name }) => all.filter(({ bug }) => bug === name));
  await writeFile(museumPath, `[\n${ordered.map((one) => JSON.stringify(one)).join(',\n')}\n]\n`);
}

export interface Visited {
  readonly bug: string;
  /** What its history breaks with it and without it; empty: nothing. */
  readonly found: string;
  readonly without: string;
}

export async function* visitMuseum(): AsyncGenerator<Visited> {
  plantBugs();
  const clean = await loadProduct();
  for (const { bug, upkeep } of await exhibits()) {
    const violations = foundBy(bug, (await tellUpkeep(upkeep, await loadProduct(bug))).violations);
    const own = (await tellUpkeep(upkeep, clean)).violations;
    yield { bug, found: violations[0] ?? '', without: own[0] ?? '' };
  }
}

/** A history that broke a promise before something was mended. */
interface Found {
  readonly what: string;
  readonly upkeep: Upkeep;
}

/** All that was ever found, told again. */
export async function* tellFound(): AsyncGenerator<{ readonly what: string; readonly violations: readonly string[] }> {
  const product = await loadProduct();
  for (const { what, upkeep } of JSON.parse(await readFile(foundPath, 'utf8')) as Found[])
    yield { what, violations: (await tellUpkeep(upkeep, product)).violations };
}
