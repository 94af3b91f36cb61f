import { codesTold } from '../swarm/codes-told.ts';
import type { UpkeepHistory } from './history.ts';
import type { Upkeep } from './schedule.ts';

const groups = ['stories', 'shapes', 'faults', 'deeds', 'ends', 'failures', 'branches'] as const;

/** How often each thing happened over many histories. A swarm in which something never happens proves nothing about it. */
export type Counts = Readonly<Record<(typeof groups)[number], Readonly<Record<string, number>>>>;

export interface Tally {
  add(upkeep: Upkeep, history: UpkeepHistory): void;
  merge(counts: Counts): void;
  counts(): Counts;
}

export function createTally(): Tally {
  const counts = Object.fromEntries(groups.map((group) => [group, {}])) as Record<(typeof groups)[number], Record<string, number>>;
  const bump = (group: keyof Counts, key: string, by = 1) => {
    counts[group][key] = (counts[group][key] ?? 0) + by;
  };
  return {
    add(upkeep, { attempts, faultHits, deeds }) {
      for (const name of upkeep.story.split(' > ')) bump('stories', name);
      if (upkeep.story.includes(' > ')) bump('stories', 'sequences');
      bump('shapes', `${upkeep.shape.controlPlanes}+${upkeep.shape.workers} ${upkeep.talos}`);
      for (const [name, hits] of Object.entries(faultHits)) bump('faults', name, hits);
      for (const deed of deeds) bump('deeds', deed);
      for (const attempt of attempts) {
        bump('ends', String(attempt.exit));
        for (const code of codesTold(attempt)) bump('failures', code);
        for (const event of attempt.events) {
          // Ways to go on that only an interrupted or disturbed run takes.
          if (event.event === 'step-finished' && event.outcome.state === 'skipped')
            bump('branches', `skipped: ${plain(event.outcome.reason)}`);
          if (event.event === 'step-finished' && event.outcome.state === 'cancelled') bump('branches', 'a step was cancelled');
          if (event.event === 'step-retry') bump('branches', `asked again after ${event.failure.code}`);
          if (event.event === 'step-detail') bump('branches', `seen: ${plain(event.text)}`);
          if (event.event === 'step-started' && /^(?:uncordon .|give the lease back)/.test(event.title))
            bump('branches', `afterwards: ${plain(event.title)}`);
        }
      }
    },
    merge(others) {
      for (const group of groups) for (const [key, count] of Object.entries(others[group])) bump(group, key, count);
    },
    counts: () => counts,
  };
}

/** For the person who reads the log: what was hit how often. */
export const tableOf = (counts: Counts): string =>
  groups
    .flatMap((group) => [
      `${group}:`,
      ...Object.entries(counts[group])
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([kind, hits]) => `${String(hits).padStart(9)}  ${kind}`),
    ])
    .join('\n');

/** Names, versions and numbers are told by `…`. */
const plain = (text: string): string =>
  text
    .replaceAll(/\S*\d\S*/g, '…')
    .replaceAll(/(?:… ?)+/g, '… ')
    .trim();
