import { expect, test } from 'vitest';
import { neverHappened } from '../rig/upkeep/expectations.ts';
import { tellApart } from '../rig/upkeep/many.ts';
import { stories } from '../rig/upkeep/stories.ts';
import { tableOf } from '../rig/upkeep/tally.ts';

/** In so many histories everything that can happen has to happen at least once. */
const usual = 2000;

// `TK_UPKEEP=10000` tells more, `TK_UPKEEP_FROM=412 TK_UPKEEP=1` one again.
const first = Number(process.env['TK_UPKEEP_FROM'] ?? 0);
const count = Number(process.env['TK_UPKEEP'] ?? usual);

test('whatever goes wrong, whoever else is at work and wherever tk dies, nothing that must not be happens to a running cluster', {
  timeout: 120_000 + count * 5000,
}, async () => {
  const { wrong, counts } = await tellApart(
    first,
    count,
    stories.map(({ name }) => name),
  );
  process.stdout.write(`${count} histories of upkeep from upkeep-${first}\n${tableOf(counts)}\n`);
  expect(wrong).toEqual([]);
  // A swarm in which nothing goes wrong proves nothing.
  const faults = Object.values(counts.faults).reduce((sum, hits) => sum + hits, 0);
  if (count >= 100)
    expect({ faults: faults > count, deaths: (counts.ends['dead'] ?? 0) > count / 8 }).toEqual({ faults: true, deaths: true });
  if (count >= usual) expect(neverHappened(counts)).toEqual([]);
});
