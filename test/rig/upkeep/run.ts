// The swarm over work on running clusters, by command: `node --conditions=talos-tk-source test/rig/upkeep/run.ts COMMAND …`
//
//     random FROM COUNT [STORY,…] [PROCESSES] [FILE]   COUNT histories; told again with the same FILE, only what is missing
//     replay SEED [STORY,…] [BUG]                      the same history again, told in full; or a history as `shrink` prints it
//     shrink SEED [STORY,…] [BUG]                      the smallest one that breaks the same promise
//     calm [STORY,…] [SHAPE,…] [TALOS,…]               with nothing going wrong
//     exhaustive [STORY,…] [SHAPE,…] [TALOS,…]         every boundary of every step with every single fault, deaths, Ctrl-C
//     doubles [STORY,…] [SHAPE,…] [TALOS,…] [COUNT]    two deaths, of a process and of the one that continues
//     planted [BUG,…] [MOST]                           searches each planted bug
//     keep                                             searches each, and writes what finds it to museum.json
//     museum                                           replays that: every bug is found, and nothing without it
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { doubleDeaths, everyBoundary, tellEach } from './exhaustive.ts';
import { neverHappened } from './expectations.ts';
import { lineOf, tellUpkeep } from './history.ts';
import { tellMany, tellSome, type Told } from './many.ts';
import { plantBugs } from './mutants.ts';
import { type PlantedBug, plantedBugs } from './planted.ts';
import { loadProduct, type Product } from './product.ts';
import { calm, drawUpkeep, type Upkeep } from './schedule.ts';
import { shapeOf, shapeText } from './shape.ts';
import { shrink } from './shrink.ts';
import { stories as allStories, storyOf } from './stories.ts';

Error.stackTraceLimit = 0;
const [command = 'random', ...rest] = process.argv.slice(2);
const say = (text: string) => process.stdout.write(`${text}\n`);
const every = allStories.map(({ name }) => name);
const listed = (text: string | undefined): readonly string[] => (text ? text.split(',') : every);
const cpuMs = () => (process.cpuUsage().user + process.cpuUsage().system) / 1000;

async function random(from: number, count: number, stories: readonly string[], processes: number, file: string): Promise<number> {
  const onTold = ({ from: start, count: some, wrong }: Told, done: number) => {
    for (const line of wrong) say(line);
    say(`${done} told, at last ${some} from upkeep-${start}`);
  };
  const options = { from, count, stories, processes: processes || 1, onTold, ...(file ? { file } : {}) };
  const { wrong, counts } = count > 100 ? await tellMany(options) : await tellSome(from, count, stories);
  if (count <= 100) for (const line of wrong) say(line);
  for (const [group, kinds] of Object.entries(counts)) {
    say(`${group}:`);
    for (const [kind, hits] of Object.entries(kinds).toSorted(([a], [b]) => (a < b ? -1 : 1))) say(`${String(hits).padStart(9)}  ${kind}`);
  }
  const never = neverHappened(counts);
  say(`never: ${never.join(', ') || 'nothing'}`);
  say(`${count} histories from upkeep-${from}, ${wrong.length} with violations`);
  return wrong.length + (count >= 1000 && stories === every ? never.length : 0);
}

/** Every story on every kind of cluster that it fits. */
function* places(names: readonly string[], shapes: string, versions: string) {
  for (const name of names)
    for (const shape of shapes.split(',').map(shapeOf))
      for (const talos of versions.split(',')) if (storyOf(name).fits?.(shape) ?? true) yield { name, shape, talos };
}

async function undisturbed(names: readonly string[], shapes: string, versions: string): Promise<number> {
  const product = await loadProduct();
  let wrong = 0;
  for (const { name, shape, talos } of places(names, shapes, versions)) {
    const upkeep = calm(drawUpkeep('calm', [name], { shape, talos, isSingle: true }));
    const history = await tellUpkeep(upkeep, product);
    if (history.violations.length > 0) wrong += 1;
    say(`${history.violations.length === 0 ? 'fine' : 'WRONG'} ${lineOf(upkeep, history)}`);
  }
  return wrong;
}

async function exhaustive(names: readonly string[], shapes: string, versions: string): Promise<number> {
  let [all, bad] = [0, 0];
  for (const { name, shape, talos } of places(names, shapes, versions)) {
    const startedMs = cpuMs();
    const { told, wrong } = await tellEach(everyBoundary(name, shape, talos));
    for (const line of wrong) say(line);
    all += told;
    bad += wrong.length;
    const seconds = Math.round((cpuMs() - startedMs) / 1000);
    say(`${name} ${shapeText(shape)} ${talos}: ${told} histories, ${wrong.length} with violations, ${seconds} s of processor time`);
  }
  say(`every boundary, every single fault: ${all} histories, ${bad} with violations`);
  return bad;
}

async function doubles(names: readonly string[], shapes: string, versions: string, count: number): Promise<number> {
  let [all, bad] = [0, 0];
  for (const { name, shape, talos } of places(names, shapes, versions)) {
    const { told, wrong } = await tellEach(doubleDeaths(name, shape, talos, count));
    for (const line of wrong) say(line);
    all += told;
    bad += wrong.length;
  }
  say(`double deaths: ${all} histories, ${bad} with violations`);
  return bad;
}

const museumPath = join(import.meta.dirname, 'museum.json');
type Exhibit = { readonly bug: string; readonly upkeep: Upkeep };

/** The first schedule that shows a bug and is fine without it. */
async function search(bug: PlantedBug, most: number): Promise<(Exhibit & { readonly number: number; readonly found: string }) | undefined> {
  const product = await loadProduct(bug.name);
  for (let number = 0; number < most; number += 1) {
    const upkeep = drawUpkeep(`${bug.name}-${number}`, bug.stories, { talos: 'v1.14.1', isSingle: true, ...bug.bias });
    const [found] = (await tellUpkeep(upkeep, product)).violations;
    if (found === undefined) continue;
    const [own] = (await tellUpkeep(upkeep, await loadProduct())).violations;
    if (own === undefined) return { bug: bug.name, upkeep, number, found };
    say(`${bug.name}: schedule ${number} breaks a promise without the bug: ${own}`);
  }
  return undefined;
}

async function planted(names: readonly string[], most: number): Promise<readonly Exhibit[]> {
  plantBugs();
  const exhibits: Exhibit[] = [];
  for (const bug of plantedBugs.filter(({ name }) => names.includes(name))) {
    const startedMs = cpuMs();
    const found = await search(bug, most);
    if (found) exhibits.push({ bug: found.bug, upkeep: found.upkeep });
    const text = found ? `schedule ${found.number}: ${found.found}` : `not found in ${most} schedules`;
    say(`${bug.name}: ${text} (${Math.round((cpuMs() - startedMs) / 1000)} s)`);
  }
  return exhibits;
}

const museumText = (exhibits: readonly Exhibit[]) => `[\n${exhibits.map((one) => JSON.stringify(one)).join(',\n')}\n]\n`;

/** Keeps the whole history of each find: it is told again when other faults are drawn for that seed later. */
async function keep(names: readonly string[], most: number): Promise<number> {
  const others = ((await museum()) as Exhibit[]).filter(({ bug }) => !names.includes(bug));
  const exhibits = [...others, ...(await planted(names, most))];
  const ordered = plantedBugs.flatMap(({ name }) => exhibits.filter(({ bug }) => bug === name));
  await writeFile(museumPath, museumText(ordered));
  return plantedBugs.length - ordered.length;
}

const museum = async (): Promise<readonly Exhibit[]> => JSON.parse(await readFile(museumPath, 'utf8').catch(() => '[]')) as Exhibit[];

async function visit(): Promise<number> {
  plantBugs();
  const clean = await loadProduct();
  let missing = 0;
  for (const { bug, upkeep } of await museum()) {
    const { violations } = await tellUpkeep(upkeep, await loadProduct(bug));
    const own = (await tellUpkeep(upkeep, clean)).violations;
    if (violations.length === 0 || own.length > 0) missing += 1;
    say(JSON.stringify({ bug, found: violations[0] ?? '', without: own[0] ?? '' }));
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

const wrong = await (async () => {
  const [one = '', two = '', three = '', four = '', five = ''] = rest;
  const [shapes, versions] = [two || '1+0,3+0', three || 'v1.14.1'];
  switch (command) {
    case 'random':
      return random(Number(one || 0), Number(two || 100), listed(three), Number(four || 1), five);
    case 'some': {
      const told = await tellSome(Number(one), Number(two), listed(three));
      say(JSON.stringify(told));
      return told.wrong.length;
    }
    case 'replay':
      return replay(upkeepOf(one, two), await productWith(three));
    case 'shrink':
      say(JSON.stringify(await shrink(upkeepOf(one, two), await productWith(three))));
      return 0;
    case 'calm':
      return undisturbed(listed(one), two || '1+0,1+1,3+0,3+2', versions);
    case 'exhaustive':
      return exhaustive(listed(one), shapes, versions);
    case 'doubles':
      return doubles(listed(one), shapes, versions, Number(four || 50));
    case 'planted':
    case 'keep': {
      const names = one === '' ? plantedBugs.map(({ name }) => name) : one.split(',');
      const most = Number(two || 500);
      return command === 'keep' ? keep(names, most) : names.length - (await planted(names, most)).length;
    }
    case 'museum':
      return visit();
    default:
      throw new Error(`no command is called ${command}`);
  }
})();
process.exitCode = wrong > 0 ? 1 : 0;
