import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { projectRoot } from '../rig/process.ts';
import { drawUpkeep } from '../rig/upkeep/schedule.ts';
import { lineOf, tellUpkeep } from '../rig/upkeep/history.ts';
import { plantedBugs } from '../rig/upkeep/planted.ts';
import { loadProduct } from '../rig/upkeep/product.ts';
import { kindOf, shrink } from '../rig/upkeep/shrink.ts';
import { stories as allStories } from '../rig/upkeep/stories.ts';
import { createTally } from '../rig/upkeep/tally.ts';

/** `TK_UPKEEP=1000 vitest run test/sim/upkeep.swarm` looks at more; test/rig/upkeep/run.ts says what else can be asked. */
const first = Number(process.env['TK_UPKEEP_FROM'] ?? 0);
const count = Number(process.env['TK_UPKEEP'] ?? 10);
const stories = allStories.map(({ name }) => name);

test('whatever goes wrong, whoever else is at work and wherever tk dies, nothing that must not be happens to a running cluster', {
  timeout: 60_000 + count * 10_000,
}, async () => {
  const product = await loadProduct();
  const tally = createTally();
  const wrong: string[] = [];
  for (let index = first; index < first + count; index += 1) {
    const upkeep = drawUpkeep(`upkeep-${index}`, stories);
    const history = await tellUpkeep(upkeep, product);
    tally.add(upkeep, history);
    if (history.violations.length > 0) wrong.push(lineOf(upkeep, history));
  }
  expect(wrong).toEqual([]);
  const counts = tally.counts();
  const faults = Object.values(counts.faults).reduce((sum, one) => sum + one, 0);
  process.stdout.write(
    `${count} histories of upkeep from upkeep-${first} (TK_UPKEEP=1000 tells more): ${faults} faults, ${counts.ends['dead'] ?? 0} deaths, ${JSON.stringify(counts.failures)}\n`,
  );
  // A swarm in which nothing goes wrong proves nothing.
  if (count >= 10)
    expect({ faults: faults > count, deaths: (counts.ends['dead'] ?? 0) > count / 8 }).toEqual({ faults: true, deaths: true });
});

test('the same seed is the same history (I-19)', { timeout: 120_000 }, async () => {
  const product = await loadProduct();
  const upkeep = { ...drawUpkeep('twice', ['upgrade-node'], { shape: { controlPlanes: 1, workers: 1 } }), deaths: [60] };
  const [one, other] = [await tellUpkeep(upkeep, product), await tellUpkeep(upkeep, product)];
  expect(other.fingerprint).toBe(one.fingerprint);
  expect(other.attempts.map(({ exit }) => exit)).toEqual(one.attempts.map(({ exit }) => exit));
});

test('each planted bug is found again by the schedule that found it first', { timeout: 600_000 }, async () => {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--conditions=talos-tk-source', '--disable-warning=ExperimentalWarning', join(projectRoot, 'test/rig/upkeep/run.ts'), 'museum'],
    { cwd: projectRoot, maxBuffer: 16 * 1024 * 1024 },
  );
  const told = stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as { readonly bug: string; readonly found: string });
  expect(told.filter(({ found }) => found === '').map(({ bug }) => bug)).toEqual([]);
  expect(told.map(({ bug }) => bug)).toEqual(plantedBugs.filter(({ seed }) => seed !== undefined).map(({ name }) => name));
});

test('a history that breaks a promise shrinks to what it needs', { timeout: 240_000 }, async () => {
  // A story whose person agreed to touch nothing breaks I-04 with the first reboot.
  const product = await loadProduct();
  const drawn = drawUpkeep('shrinks', ['reboot'], { shape: { controlPlanes: 1, workers: 1 }, talos: 'v1.14.1' });
  const told = await tellUpkeep({ ...drawn, forbids: true }, product);
  expect(told.violations.map(kindOf)).toContain('I-04');
  const smallest = await shrink({ ...drawn, forbids: true }, product);
  expect(smallest).toMatchObject({ faults: [], deeds: [], shape: { controlPlanes: 1, workers: 0 } });
  expect(smallest.deaths.filter(Boolean)).toEqual([]);
});
