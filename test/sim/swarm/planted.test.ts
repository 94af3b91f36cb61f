import { expect, test } from 'vitest';
import { plantedBugs } from '../../rig/swarm/planted.ts';
import { searchPlanted } from '../../rig/swarm/planted-run.ts';

/** The first seed of the swarm in which each shows, as `npm run swarm:planted` prints them; without the bug nothing goes wrong there. */
const foundBy: Readonly<Record<string, number>> = {
  'second-node': 22,
  'exists-is-enough': 0,
  'intent-in-memory': 1,
  'new-secrets': 46,
  'other-connection': 47,
  'foreign-kubeconfig': 41,
  'not-all-ready': 3,
  'wedged-channel': 1,
};

test.each(plantedBugs.filter(({ name }) => name in foundBy))('planted bug $name: $what', { timeout: 300_000 }, async ({ name }) => {
  const seed = foundBy[name] ?? 0;
  const { violations } = await searchPlanted(name, seed, 1);
  expect(violations).not.toEqual([]);
});
