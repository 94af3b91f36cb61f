import { expect, test } from 'vitest';
import { neverHappened } from '../../rig/swarm/expectations.ts';
import { tellApart } from '../../rig/swarm/own-process.ts';
import { tableOf } from '../../rig/swarm/tell-many.ts';

/** In so many histories everything that can happen has to happen at least once. */
const usual = 1000;

// `TK_SWARM_FROM=412 TK_SWARM=1` tells one again, `TK_SWARM_FROM=1000 TK_SWARM=10000` others.
const first = Number(process.env['TK_SWARM_FROM'] ?? 0);
const count = Number(process.env['TK_SWARM'] ?? usual);

test('whatever goes wrong and wherever tk dies, the same command takes the machines to a healthy cluster', {
  timeout: 60_000 + count * 2500,
}, async () => {
  const told = await tellApart(first, count, 'test/sim/swarm/bootstrap');
  process.stdout.write(tableOf(told, first));
  expect(told.wrong).toEqual([]);
  if (count >= usual) expect(neverHappened(told)).toEqual([]);
});
