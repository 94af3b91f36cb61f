import { everyFault } from './schedule.ts';
import { stories } from './stories.ts';
import type { Counts } from './tally.ts';

export function neverHappened(counts: Counts, told: readonly string[] = stories.map(({ name }) => name)): readonly string[] {
  return [
    ...told.filter((name) => !counts.stories[name]).map((name) => `story ${name}`),
    ...everyFault.map(({ point, kind }) => `${point} ${kind}`).filter((fault) => !counts.faults[fault]),
  ];
}
