import { expect, test } from 'vitest';
import { neverTried } from '../rig/upkeep/expectations.ts';
import { tellApart } from '../rig/upkeep/many.ts';
import { stories } from '../rig/upkeep/stories.ts';

/** `TK_UPKEEP=1000` tells as many and holds that every flow, fault and failure came up, `TK_UPKEEP_FROM` says from which seed on. */
const first = Number(process.env['TK_UPKEEP_FROM'] ?? 0);
const count = Number(process.env['TK_UPKEEP'] ?? 120);

test('whatever goes wrong, whoever else is at work and wherever tk dies, nothing that must not be happens to a running cluster', {
  timeout: 120_000 + count * 5000,
}, async () => {
  const names = stories.map(({ name }) => name);
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
