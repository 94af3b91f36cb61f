import { expect, test } from 'vitest';
import { neverTried } from './expectations.ts';
import { tellApart } from './many.ts';
import type { UpkeepStory } from './stories.ts';

/** How many histories one of the two files tells. */
const usual = 60;

/**
 * Half of the swarm of upkeep: vitest runs two files side by side, each with flows of its own, so that what undisturbed histories
 * come to is found out once. `TK_UPKEEP=1000` tells as many in each, `TK_UPKEEP_FROM` says from which seed on.
 */
export function upkeepSwarm(half: { readonly stories: readonly UpkeepStory[]; readonly first: number }): void {
  const first = Number(process.env['TK_UPKEEP_FROM'] ?? half.first);
  const count = Number(process.env['TK_UPKEEP'] ?? usual);
  const names = half.stories.map(({ name }) => name);
  test('whatever goes wrong, whoever else is at work and wherever tk dies, nothing that must not be happens to a running cluster', {
    timeout: 120_000 + count * 5000,
  }, async () => {
    const { wrong, counts } = await tellApart(first, count, names);
    const sum = (kinds: Readonly<Record<string, number>>) => Object.values(kinds).reduce((all, one) => all + one, 0);
    process.stdout.write(
      `${count} histories of upkeep from upkeep-${first}: ${sum(counts.faults)} faults of ${Object.keys(counts.faults).length} kinds, ${counts.ends['dead'] ?? 0} deaths, ${Object.keys(counts.failures).length} failure codes\n`,
    );
    expect(wrong).toEqual([]);
    // A swarm in which nothing goes wrong proves nothing.
    if (count >= 100)
      expect({ faults: sum(counts.faults) > count, deaths: (counts.ends['dead'] ?? 0) > count / 8 }).toEqual({
        faults: true,
        deaths: true,
      });
    if (count >= 1000) expect(neverTried(counts, names)).toEqual([]);
  });
}
