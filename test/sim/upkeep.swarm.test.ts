import { beforeAll, expect, test } from 'vitest';
import { drawUpkeep } from '../rig/upkeep/schedule.ts';
import found from '../rig/upkeep/found.json' with { type: 'json' };
import { everyBoundary, tellEach } from '../rig/upkeep/exhaustive.ts';
import { tellUpkeep } from '../rig/upkeep/history.ts';
import { plantedBugs } from '../rig/upkeep/planted.ts';
import { loadProduct } from '../rig/upkeep/product.ts';
import { kindOf, shrink } from '../rig/upkeep/shrink.ts';
import { linesOf } from '../rig/upkeep/slices.ts';

test('the same seed is the same history (I-19)', { timeout: 120_000 }, async () => {
  const product = await loadProduct();
  const upkeep = { ...drawUpkeep('twice', ['upgrade-node'], { shape: { controlPlanes: 1, workers: 1 } }), deaths: [60] };
  const [one, other] = [await tellUpkeep(upkeep, product), await tellUpkeep(upkeep, product)];
  expect(other.fingerprint).toBe(one.fingerprint);
  expect(other.attempts.map(({ exit }) => exit)).toEqual(one.attempts.map(({ exit }) => exit));
});

interface Replayed {
  readonly bug?: string;
  readonly found?: string;
  readonly without?: string;
  readonly what?: string;
  readonly violations?: readonly string[];
}
/** One process for all of them: the first histories of a process are the slow ones. */
let replayed: readonly Replayed[] = [];
beforeAll(async () => {
  replayed = (await linesOf(['museum'])).filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Replayed);
}, 600_000);

test('each planted bug is found again by the schedule that found it first', () => {
  const told = replayed.filter(({ bug }) => bug !== undefined);
  // Found with the bug, and nothing without it.
  expect(told.filter(({ found, without }) => found === '' || without !== '')).toEqual([]);
  expect(told.map(({ bug }) => bug)).toEqual(plantedBugs.map(({ name }) => name));
});

// Told again with `run.ts replay '<the history>'`. Before each was mended it broke a promise.
test.each(found as readonly { readonly what: string }[])('once found: $what', ({ what }) => {
  expect(replayed.find((told) => told.what === what)?.violations).toEqual([]);
});

test('every boundary of a step with every single fault, with a death before and after, and with Ctrl-C (all flows by command)', {
  timeout: 240_000,
}, async () => {
  const { told, wrong } = await tellEach(await everyBoundary('etcd-snapshot', { controlPlanes: 1, workers: 0 }, 'v1.14.1'));
  expect(wrong).toEqual([]);
  // Each boundary of the flow's steps with each fault: fewer mean that a boundary was not seen.
  expect(told).toBe(35);
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
