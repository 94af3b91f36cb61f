import { foundBy, loadMutants } from '../mutants.ts';
import type * as historyDoor from './history.ts';
import { plantedBugs } from './planted.ts';
import type * as prepareDoor from './prepare.ts';
import { scheduleOf } from './schedule.ts';
import type * as storyDoor from './bootstrap-story.ts';

/** What one bug is looked for in, and how often. */
export interface Search {
  readonly bug: string;
  readonly seeds: readonly number[];
  /** Ends after so many histories that went wrong. */
  readonly many: number;
}

export interface Found {
  readonly seed: number;
  readonly violations: readonly string[];
}

/** Rooms whose classes must be the same for everybody, unless the bug is in one of them. */
const shared = /^lib\/(?:base|sim|upstream|format|pki|wasm|host|ui|secrets|render)\//;

/** `node search.ts SEARCHES` tells histories with a product that has each bug, and prints which went wrong and how: one JSON document. */
const searches = JSON.parse(process.argv[2] ?? '[]') as readonly Search[];
Error.stackTraceLimit = 0;
loadMutants({
  mutants: plantedBugs,
  mayBeOwn: (path, { edits }) =>
    /^(?:lib|tasks|test\/rig)\//.test(path) && (!shared.test(path) || edits.some(({ file }) => shared.test(file))),
});
const all: Found[][] = [];
for (const { bug, seeds, many } of searches) {
  // The histories as this product tells them: everything below them has the bug.
  const { tellHistory } = (await import(`./history.ts?bug=${bug}`)) as typeof historyDoor;
  const { prepared } = (await import(`./prepare.ts?bug=${bug}`)) as typeof prepareDoor;
  const { bootstrapStory } = (await import(`./bootstrap-story.ts?bug=${bug}`)) as typeof storyDoor;
  const found: Found[] = [];
  for (const seed of seeds) {
    if (found.length >= many) break;
    const schedule = scheduleOf(`swarm-${seed}`);
    const violations = foundBy(bug, (await tellHistory(bootstrapStory, schedule, await prepared(schedule))).violations);
    if (violations.length > 0) found.push({ seed, violations });
  }
  all.push(found);
}
process.stdout.write(`${JSON.stringify(all)}\n`, () => process.exit(0));
