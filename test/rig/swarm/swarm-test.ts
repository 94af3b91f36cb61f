import { expect, test } from 'vitest';
import { builtInTasks } from '../tasks.ts';
import { bootstrapStory } from './bootstrap-story.ts';
import { neverHappened } from './expectations.ts';
import { tableOf, tellMany } from './tell-many.ts';

/** How many histories one of the two files tells. */
const usual = 30;

/**
 * Half of the swarm: vitest gives each file a process of its own. `TK_SWARM=500` tells as many in each, and then everything has to
 * have happened at least once. `TK_SWARM_FROM=412 TK_SWARM=1` tells one again.
 */
export function swarmOf(half: { readonly file: string; readonly first: number }): void {
  const first = Number(process.env['TK_SWARM_FROM'] ?? half.first);
  const count = Number(process.env['TK_SWARM'] ?? usual);
  test('whatever goes wrong and wherever tk dies, the same command takes the machines to a healthy cluster', {
    timeout: 60_000 + count * 5000,
  }, async () => {
    // Thousands of failures are told in a swarm, and nobody looks where they were made.
    Error.stackTraceLimit = count > 1 ? 0 : 30;
    const told = await tellMany(bootstrapStory, { first, count }, await builtInTasks(), half.file);
    process.stdout.write(tableOf(told, first));
    expect(told.wrong).toEqual([]);
    if (count >= 500) expect(neverHappened(told)).toEqual([]);
  });
}
