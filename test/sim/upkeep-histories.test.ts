import { expect, test } from 'vitest';
import { neverHappened } from '../rig/upkeep/expectations.ts';
import { tellApart } from '../rig/upkeep/many.ts';
import { stories } from '../rig/upkeep/stories.ts';
import { tableOf } from '../rig/upkeep/tally.ts';

/** In so many histories everything that can happen has to happen at least once. */
const enough = 2000;
/** What fits into the five minutes of `npm test` on two cores: a history costs about 70 ms of processor time, after the first hundreds. */
const usual = 1000;

// `TK_UPKEEP=2000` tells as many as that takes, `TK_UPKEEP_FROM=412 TK_UPKEEP=1` one again.
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
  if (count >= enough) expect(neverHappened(counts)).toEqual([]);
});
