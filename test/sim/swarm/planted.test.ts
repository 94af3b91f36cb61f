import { expect, test } from 'vitest';
import { searchPlanted } from '../../rig/swarm/own-process.ts';
import { plantedBugs } from '../../rig/swarm/planted.ts';

/**
 * Seeds of the swarm in which each shows, and nothing goes wrong without it. A change of the product moves what a schedule hits: the
 * later ones are told when the earlier ones do not find it any more. `npm run swarm:planted` looks for new ones.
 */
const foundBy: Readonly<Record<string, readonly number[]>> = {
  'second-node': [22, 85, 101],
  'exists-is-enough': [0, 3, 4],
  'intent-in-memory': [3, 8, 11],
  'new-secrets': [142, 159, 214],
  'other-connection': [14, 68, 112],
  'foreign-kubeconfig': [5, 14, 51],
  'one-server-is-enough': [64, 354, 337],
  'not-all-ready': [6, 13, 19],
  'no-deadline': [37, 121, 124],
  'wedged-channel': [0, 1, 4],
};

test('every planted bug is found by the swarm', () => {
  expect(Object.keys(foundBy).sort()).toEqual(plantedBugs.map(({ name }) => name).sort());
});

/** All in one process: most of what a product has is the same with each bug. */
let searched: ReturnType<typeof searchPlanted> | undefined;

test.each(plantedBugs)('planted bug $name: $what', { timeout: 300_000 }, async ({ name }) => {
  searched ??= searchPlanted(plantedBugs.map((bug) => ({ bug: bug.name, seeds: foundBy[bug.name] ?? [], many: 1 })));
  const found = (await searched)[plantedBugs.findIndex((bug) => bug.name === name)];
  expect(found).not.toEqual([]);
});
