import { expect, test } from 'vitest';
import { neverHappened } from './expectations.ts';
import { tellApart } from './own-process.ts';
import { tableOf } from './tell-many.ts';

/** How many histories one of the two files tells. */
const usual = 200;

/**
 * Half of the swarm: vitest runs two files side by side. `TK_SWARM=1000` tells as many in each, and then everything has to have
 * happened at least once. `TK_SWARM_FROM=412 TK_SWARM=1` tells one again.
 */
export function swarmOf(half: { readonly file: string; readonly first: number }): void {
  const first = Number(process.env['TK_SWARM_FROM'] ?? half.first);
  const count = Number(process.env['TK_SWARM'] ?? usual);
  test('whatever goes wrong and wherever tk dies, the same command takes the machines to a healthy cluster', {
    timeout: 60_000 + count * 5000,
  }, async () => {
    const told = await tellApart(first, count, half.file);
    process.stdout.write(tableOf(told, first));
    expect(told.wrong).toEqual([]);
    if (count >= 1000) expect(neverHappened(told)).toEqual([]);
  });
}
