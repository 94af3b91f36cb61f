// The swarm over work on running clusters, by command:
//
//     node --conditions=talos-tk-source test/rig/upkeep/run.ts random FROM COUNT [STORY,…]
//     node --conditions=talos-tk-source test/rig/upkeep/run.ts replay SEED [STORY,…]         the same history again, told in full
//     node --conditions=talos-tk-source test/rig/upkeep/run.ts shrink SEED [STORY,…]
//     node --conditions=talos-tk-source test/rig/upkeep/run.ts calm [STORY,…] [SHAPE,…] [TALOS,…]   with nothing going wrong
//     node --conditions=talos-tk-source test/rig/upkeep/run.ts exhaustive STORY CONTROL_PLANES+WORKERS TALOS [EVERY]
//     node --conditions=talos-tk-source test/rig/upkeep/run.ts planted [BUG,…] [MOST]        searches each planted bug
//     node --conditions=talos-tk-source test/rig/upkeep/run.ts keep                          writes what those seeds draw to museum.json
//     node --conditions=talos-tk-source test/rig/upkeep/run.ts museum                        replays it: every bug is found again
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { faultClasses } from '../../../lib/sim/index.ts';
import { lineOf, tellUpkeep } from './history.ts';
import { plantBugs } from './mutants.ts';
import { plantedBugs } from './planted.ts';
import { loadProduct } from './product.ts';
import { calm, drawUpkeep, type Upkeep } from './schedule.ts';
import { shrink } from './shrink.ts';
import { shapeOf } from './shape.ts';
import { stories as allStories, storyOf } from './stories.ts';
import { createTally } from './tally.ts';

const [command = 'random', ...rest] = process.argv.slice(2);
const say = (text: string) => process.stdout.write(`${text}\n`);
const every = allStories.map(({ name }) => name);
const listed = (text: string | undefined): readonly string[] => text?.split(',') ?? every;

async function random(from: number, count: number, stories: readonly string[]): Promise<number> {
  const product = await loadProduct();
  const tally = createTally();
  let wrong = 0;
  const startedMs = performance.now();
  for (let index = from; index < from + count; index += 1) {
    const upkeep = drawUpkeep(`upkeep-${index}`, stories);
    const history = await tellUpkeep(upkeep, product);
    tally.add(upkeep, history);
    if (history.violations.length === 0) continue;
    wrong += 1;
    say(lineOf(upkeep, history));
  }
  for (const [name, counts] of Object.entries(tally.counts())) say(`${name}: ${JSON.stringify(counts)}`);
  say(`never: ${tally.missed().join(', ') || 'nothing'}`);
  say(`${count} histories from upkeep-${from}, ${wrong} with violations, ${Math.round((performance.now() - startedMs) / count)} ms each`);
  return wrong;
}

/** Every visit of every point with every kind of fault, and a death before and after every operation, one at a time. */
async function exhaustive(story: string, shapeText: string, talos: string, stride: number): Promise<number> {
  const product = await loadProduct();
  const [controlPlanes = 1, workers = 0] = shapeText.split('+').map(Number);
  const base = calm(drawUpkeep('exhaustive', [story], { shape: { controlPlanes, workers }, talos }));
  let told = 0;
  let wrong = 0;
  const tell = async (upkeep: Upkeep) => {
    told += 1;
    const history = await tellUpkeep(upkeep, product);
    if (history.violations.length > 0) {
      wrong += 1;
      say(lineOf(upkeep, history));
    }
    return history;
  };
  for (const { point, kind, facts } of faultClasses) {
    for (let skip = 0; ; skip += stride) {
      const drawnFacts = facts?.({
        fraction: () => 0.5,
        bytes: (n) => new Uint8Array(n),
        privateKey: () => Promise.reject(new Error('no keys')),
      });
      const rule = { point, kind, probability: 1, atMost: 1, skip, ...(drawnFacts ? { facts: drawnFacts } : {}) };
      const history = await tell({ ...base, seed: `${point} ${kind} visit ${skip}`, faults: [rule] });
      if (!history.faultHits[`${point} ${kind}`]) break;
    }
  }
  for (let operation = 1; ; operation += stride) {
    const history = await tell({ ...base, seed: `death at ${operation}`, deaths: [operation] });
    if (history.attempts[0]?.exit !== 'dead') break;
  }
  say(
    `${told} histories of ${story} on ${shapeText} with ${talos}: every visit of every point${stride === 1 ? '' : ` (each ${stride}th)`}, ${wrong} with violations`,
  );
  return wrong;
}

/** Every story on every kind of cluster with nothing going wrong. */
async function undisturbed(names: readonly string[], shapes: readonly string[], versions: readonly string[]): Promise<number> {
  const product = await loadProduct();
  let wrong = 0;
  for (const name of names)
    for (const shape of shapes.map(shapeOf))
      for (const talos of versions) {
        if (!(storyOf(name).fits?.(shape) ?? true)) continue;
        const upkeep = calm(drawUpkeep('calm', [name], { shape, talos }));
        const history = await tellUpkeep(upkeep, product);
        const isFine = history.violations.length === 0;
        if (!isFine) wrong += 1;
        say(`${isFine ? 'fine' : 'WRONG'} ${lineOf(upkeep, history)}`);
      }
  return wrong;
}

async function planted(names: readonly string[], most: number): Promise<number> {
  plantBugs();
  let missing = 0;
  for (const bug of plantedBugs.filter(({ name }) => names.includes(name))) {
    let found: string | undefined;
    const startedMs = performance.now();
    try {
      const product = await loadProduct(bug.name);
      for (let index = 0; index < most && found === undefined; index += 1) {
        const upkeep = drawUpkeep(`${bug.name}-${index}`, bug.stories, { talos: 'v1.14.1', ...bug.bias });
        const { violations } = await tellUpkeep(upkeep, product);
        const [first] = violations;
        if (first === undefined) continue;
        // What the product does without the bug too is no find of it.
        const [own] = (await tellUpkeep(upkeep, await loadProduct())).violations;
        if (own === undefined) found = `schedule ${index}: ${first}`;
        else say(`${bug.name}: schedule ${index} breaks a promise without the bug: ${own}`);
      }
    } catch (error) {
      found = undefined;
      say(`${bug.name}: ${String(error)}`);
    }
    if (found === undefined) missing += 1;
    say(`${bug.name}: ${found ?? `not found in ${most} schedules`} (${Math.round((performance.now() - startedMs) / 1000)} s)`);
  }
  return missing;
}

const museumPath = join(import.meta.dirname, 'museum.json');

/** Keeps the whole history that each seed draws now: it is found again when other faults are drawn for that seed later. */
async function keep(): Promise<number> {
  const kept = plantedBugs.flatMap(({ name, seed, stories, bias }) =>
    seed === undefined ? [] : [{ bug: name, upkeep: drawUpkeep(`${name}-${seed}`, stories, { talos: 'v1.14.1', ...bias }) }],
  );
  await writeFile(museumPath, `[\n${kept.map((one) => JSON.stringify(one)).join(',\n')}\n]\n`);
  return 0;
}

async function museum(): Promise<number> {
  plantBugs();
  let missing = 0;
  for (const { bug, upkeep } of JSON.parse(await readFile(museumPath, 'utf8')) as readonly {
    readonly bug: string;
    readonly upkeep: Upkeep;
  }[]) {
    const { violations } = await tellUpkeep(upkeep, await loadProduct(bug));
    if (violations.length === 0) missing += 1;
    say(JSON.stringify({ bug, found: violations[0] ?? '' }));
  }
  return missing;
}

async function replay(seed: string, stories: readonly string[]): Promise<number> {
  const upkeep = drawUpkeep(seed, stories);
  const history = await tellUpkeep(upkeep, await loadProduct());
  const { faults, deeds, deaths, stops, sleeps } = upkeep;
  say(JSON.stringify({ faults, deeds, deaths, stops, sleeps }));
  for (const { events, exit, failures } of history.attempts) {
    for (const event of events) if (!['waiting', 'progress'].includes(event.event)) say(JSON.stringify(event).slice(0, 400));
    say(`exit ${exit} ${JSON.stringify(failures)}`);
  }
  say(lineOf(upkeep, history));
  return history.violations.length;
}

const wrong = await (async () => {
  const [one = '', two = '', three = '', four = ''] = rest;
  switch (command) {
    case 'random':
      return random(Number(one || 0), Number(two || 100), listed(three || undefined));
    case 'replay':
      return replay(one, listed(two || undefined));
    case 'shrink': {
      const smallest = await shrink(drawUpkeep(one, listed(two || undefined)), await loadProduct());
      say(JSON.stringify(smallest, undefined, 1));
      return 0;
    }
    case 'exhaustive':
      return exhaustive(one, two || '1+0', three || 'v1.14.1', Number(four || 1));
    case 'planted':
      return planted(one === '' ? plantedBugs.map(({ name }) => name) : one.split(','), Number(two || 500));
    case 'calm':
      return undisturbed(listed(one || undefined), (two || '1+0,1+1,3+0,3+2').split(','), (three || 'v1.14.1').split(','));
    case 'museum':
      return museum();
    case 'keep':
      return keep();
    default:
      throw new Error(`no command is called ${command}`);
  }
})();
process.exitCode = wrong > 0 ? 1 : 0;
