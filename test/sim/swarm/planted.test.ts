import { expect, test } from 'vitest';
import { plantedBugs } from '../../rig/swarm/planted.ts';
import { searchPlanted } from '../../rig/swarm/own-process.ts';

/**
 * Seeds of the swarm in which each shows, and nothing goes wrong without it. A change of the product moves what a schedule hits: the
 * later ones are told when the earlier ones do not find it any more. `npm run swarm:planted` looks for new ones.
 */
const foundBy: Readonly<Record<string, readonly number[]>> = {
  'second-node': [70, 65],
  'exists-is-enough': [0, 13],
  'intent-in-memory': [1, 6],
  'new-secrets': [2686, 924, 1198],
  'other-connection': [43, 169, 128],
  'foreign-kubeconfig': [41, 199, 191],
  'not-all-ready': [86, 49, 29],
  'wedged-channel': [21, 33, 46],
};

test.each(plantedBugs.filter(({ name }) => name in foundBy))('planted bug $name: $what', { timeout: 300_000 }, async ({ name }) => {
  const found: string[] = [];
  for (const seed of foundBy[name] ?? []) if (found.length === 0) found.push(...(await searchPlanted(name, seed, 1)).violations);
  expect(found).not.toEqual([]);
});
