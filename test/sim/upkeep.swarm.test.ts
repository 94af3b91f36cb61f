import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { projectRoot } from '../rig/process.ts';
import { drawUpkeep, type Upkeep } from '../rig/upkeep/schedule.ts';
import found from '../rig/upkeep/found.json' with { type: 'json' };
import { everyBoundary, tellEach } from '../rig/upkeep/exhaustive.ts';
import { tellUpkeep } from '../rig/upkeep/history.ts';
import { plantedBugs } from '../rig/upkeep/planted.ts';
import { loadProduct } from '../rig/upkeep/product.ts';
import { kindOf, shrink } from '../rig/upkeep/shrink.ts';

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
    .map((line) => JSON.parse(line) as { readonly bug: string; readonly found: string; readonly without: string });
  // Found with the bug, and nothing without it.
  expect(told.filter(({ found, without }) => found === '' || without !== '')).toEqual([]);
  expect(told.map(({ bug }) => bug)).toEqual(plantedBugs.map(({ name }) => name));
});

// Told again with `run.ts replay '<the history>'`. Before each was mended it broke a promise.
test.each(found as unknown as readonly { readonly what: string; readonly upkeep: Upkeep }[])(
  'once found: $what',
  { timeout: 120_000 },
  async ({ upkeep }) => {
    const { violations } = await tellUpkeep(upkeep, await loadProduct());
    expect(violations).toEqual([]);
  },
);

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
