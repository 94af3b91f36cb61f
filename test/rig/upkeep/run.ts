// The swarm over work on running clusters, by command: `node --conditions=talos-tk-source test/rig/upkeep/run.ts COMMAND …`
//
//     random FROM COUNT [STORY,…] [PROCESSES] [FILE]   COUNT histories; told again with the same FILE, only what is missing
//     replay SEED [STORY,…] [BUG]                      the same history again, told in full; or a history as `shrink` prints it
//     shrink SEED [STORY,…] [BUG]                      the smallest one that breaks the same promise
//     calm [STORY,…] [SHAPE,…] [TALOS,…]               with nothing going wrong
//     exhaustive [STORY,…] [SHAPE,…] [TALOS,…] [PROCESSES] [FILE]
//                                                      every boundary of every step with every single fault, deaths, Ctrl-C
//     doubles [STORY,…] [SHAPE,…] [TALOS,…] [COUNT] [PROCESSES] [FILE]
//                                                      two deaths, of a process and of the one that continues
//     planted [BUG,…] [MOST]                           searches each planted bug
//     keep [BUG,…] [MOST]                              searches each, and writes what finds it to museum.json
//     museum                                           replays that: every bug is found, and nothing without it; and what was ever found
import { doubleDeaths, everyBoundary, type Gone, tellEach } from './exhaustive.ts';
import { neverHappened } from './expectations.ts';
import { lineOf, tellUpkeep } from './history.ts';
import { tellMany, tellSome, type Told } from './many.ts';
import { plantBugs } from './mutants.ts';
import { type Find, keepExhibits, searchBug, tellFound, visitMuseum } from './museum.ts';
import { plantedBugs } from './planted.ts';
import { loadProduct, type Product } from './product.ts';
import { calm, drawUpkeep, type Upkeep } from './schedule.ts';
import { shapeOf } from './shape.ts';
import { shrink } from './shrink.ts';
import { tellSlices } from './slices.ts';
import { stories as allStories, storyOf } from './stories.ts';
import { createTally, tableOf } from './tally.ts';

Error.stackTraceLimit = 0;
const [command = 'random', ...rest] = process.argv.slice(2);
const say = (text: string) => process.stdout.write(`${text}\n`);
const every = allStories.map(({ name }) => name);
const listed = (text: string | undefined): readonly string[] => (text ? text.split(',') : every);
const cpuSeconds = () => Math.round((process.cpuUsage().user + process.cpuUsage().system) / 1e6);

async function random(from: number, count: number, stories: readonly string[], processes: number, file: string): Promise<number> {
  const onTold = ({ from: start, count: some, wrong }: Told, done: number) => {
    for (const line of wrong) say(line);
    say(`${done} told, at last ${some} from upkeep-${start}`);
  };
  const options = { from, count, stories, processes, onTold, ...(file ? { file } : {}) };
  const { wrong, counts } = count > 100 ? await tellMany(options) : await tellSome(from, count, stories);
  if (count <= 100) for (const line of wrong) say(line);
  say(tableOf(counts));
  const never = neverHappened(counts);
  say(`never: ${never.join(', ') || 'nothing'}`);
  say(`${count} histories from upkeep-${from}, ${wrong.length} with violations`);
  return wrong.length + (count >= 2000 && stories === every ? never.length : 0);
}

/** Every story on every kind of cluster that it fits. */
function places(names: string, shapes: string, versions: string): readonly (readonly [story: string, shape: string, talos: string])[] {
  return listed(names).flatMap((name) =>
    shapes
      .split(',')
      .filter((shape) => storyOf(name).fits?.(shapeOf(shape)) ?? true)
      .flatMap((shape) => versions.split(',').map((talos) => [name, shape, talos] as const)),
  );
}

async function undisturbed(all: ReturnType<typeof places>): Promise<number> {
  const product = await loadProduct();
  let wrong = 0;
  for (const [name, shape, talos] of all) {
    const upkeep = calm(drawUpkeep('calm', [name], { shape: shapeOf(shape), talos, isSingle: true }));
    const history = await tellUpkeep(upkeep, product);
    if (history.violations.length > 0) wrong += 1;
    say(`${history.violations.length === 0 ? 'fine' : 'WRONG'} ${lineOf(upkeep, history)}`);
  }
  return wrong;
}

/** A part of what there is to tell at one place, as a process of its own tells it. */
type Part = Gone & { readonly from: number; readonly all: number; readonly seconds: number };
/** So many at a time: each process has to find the cluster at rest and the course of the flow for itself. */
const partLength = 500;

async function part(schedules: readonly Upkeep[], from: number): Promise<Part> {
  const gone = await tellEach(schedules.slice(from, from + partLength));
  return { ...gone, from, all: schedules.length, seconds: cpuSeconds() };
}

async function inParts(what: string, slices: (readonly string[])[], processes: number, file: string): Promise<number> {
  const tally = createTally();
  const places = new Map<string, { told: number; wrong: number; seconds: number }>();
  const onTold = ({ from, all, told, wrong, seconds, counts }: Part, words: readonly string[]) => {
    for (const line of wrong) say(line);
    tally.merge(counts);
    // Where there is more than one part, the first one knows how many.
    if (from === 0) for (let next = partLength; next < all; next += partLength) slices.unshift([...words.slice(0, -1), String(next)]);
    const place = words.slice(1, 4).join(' ');
    const before = places.get(place) ?? { told: 0, wrong: 0, seconds: 0 };
    const sum = { told: before.told + told, wrong: before.wrong + wrong.length, seconds: before.seconds + seconds };
    places.set(place, sum);
    if (sum.told === all) say(`${place}: ${sum.told} histories, ${sum.wrong} with violations, ${sum.seconds} s of processor time`);
  };
  await tellSlices<Part>({ slices, processes, onTold, ...(file ? { file } : {}) });
  say(tableOf(tally.counts()));
  const [all, bad] = [...places.values()].reduce(([told, wrong], one) => [told + one.told, wrong + one.wrong], [0, 0]);
  say(`${what}: ${all} histories, ${bad} with violations`);
  return bad;
}

/** With `isKept`, what finds them is written to the museum. */
async function planted(names: readonly string[], most: number, isKept: boolean): Promise<number> {
  const finds: Find[] = [];
  for (const bug of plantedBugs.filter(({ name }) => names.includes(name))) {
    const started = cpuSeconds();
    const find = await searchBug(bug, most, say);
    if (find) finds.push(find);
    const text = find ? `schedule ${find.number}: ${find.found}` : `not found in ${most} schedules`;
    say(`${bug.name}: ${text} (${cpuSeconds() - started} s)`);
  }
  if (isKept) await keepExhibits(finds);
  return names.length - finds.length;
}

async function visit(): Promise<number> {
  let missing = 0;
  for await (const seen of visitMuseum()) {
    if (seen.found === '' || seen.without !== '') missing += 1;
    say(JSON.stringify(seen));
  }
  for await (const told of tellFound()) {
    missing += told.violations.length;
    say(JSON.stringify(told));
  }
  return missing;
}

const upkeepOf = (text: string, stories: string | undefined): Upkeep =>
  text.startsWith('{') ? (JSON.parse(text) as Upkeep) : drawUpkeep(text, listed(stories));

/** With a planted bug, or without. */
function productWith(bug: string) {
  if (bug !== '') plantBugs();
  return bug === '' ? loadProduct() : loadProduct(bug);
}

async function replay(upkeep: Upkeep, product: Product): Promise<number> {
  const history = await tellUpkeep(upkeep, product);
  say(JSON.stringify(upkeep));
  for (const { task, events, exit, failures } of history.attempts) {
    say(`--- ${task}`);
    for (const event of events) {
      const { elapsedMs, schema: _, sequence: __, run: ___, atMs: ____, event: kind, ...facts } = event;
      if (kind !== 'run-started')
        say(`${String(Math.round(elapsedMs / 1000)).padStart(6)} s  ${kind} ${JSON.stringify(facts).slice(0, 300)}`);
    }
    say(`exit ${exit} ${JSON.stringify(failures)}`);
  }
  say(lineOf(upkeep, history));
  return history.violations.length;
}

/** What a process of its own says to the one that started it. */
function answer(told: { readonly wrong: readonly string[] }): number {
  say(JSON.stringify(told));
  return told.wrong.length;
}

const wrong = await (async () => {
  const [one = '', two = '', three = '', four = '', five = '', six = ''] = rest;
  const [shapes, versions] = [two || '1+0,3+0', three || 'v1.14.1'];
  switch (command) {
    case 'random':
      return random(Number(one || 0), Number(two || 100), listed(three), Number(four || 1), five);
    case 'some':
      return answer(await tellSome(Number(one), Number(two), listed(three)));
    case 'replay':
      return replay(upkeepOf(one, two), await productWith(three));
    case 'shrink':
      say(JSON.stringify(await shrink(upkeepOf(one, two), await productWith(three))));
      return 0;
    case 'calm':
      return undisturbed(places(one, two || '1+0,1+1,3+0,3+2', versions));
    case 'exhaustive': {
      const slices = places(one, shapes, versions).map((place) => ['boundaries', ...place, '0']);
      return inParts('every boundary, every single fault', slices, Number(four || 1), five);
    }
    case 'boundaries':
      return answer(await part(await everyBoundary(one, shapeOf(two), three), Number(four)));
    case 'doubles': {
      const slices = places(one, shapes, versions).map((place) => ['deaths', ...place, four || '50', '0']);
      return inParts('double deaths', slices, Number(five || 1), six);
    }
    case 'deaths':
      return answer(await part(await doubleDeaths(one, shapeOf(two), three, Number(four)), Number(five)));
    case 'planted':
    case 'keep':
      return planted(one === '' ? plantedBugs.map(({ name }) => name) : one.split(','), Number(two || 500), command === 'keep');
    case 'museum':
      return visit();
    default:
      throw new Error(`no command is called ${command}`);
  }
})();
process.exitCode = wrong > 0 ? 1 : 0;
