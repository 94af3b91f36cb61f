import { faultClasses } from '../../../lib/sim/index.ts';
import type { UpkeepHistory } from './history.ts';
import type { Upkeep } from './schedule.ts';

/** How often each thing happened over many histories. A swarm in which something never happens proves nothing about it. */
export interface Tally {
  add(upkeep: Upkeep, history: UpkeepHistory): void;
  counts(): Readonly<Record<'stories' | 'faults' | 'deeds' | 'ends' | 'failures' | 'branches', Readonly<Record<string, number>>>>;
  /** Faults of upkeep that never happened. */
  missed(): readonly string[];
}

export function createTally(): Tally {
  const counts = { stories: {}, faults: {}, deeds: {}, ends: {}, failures: {}, branches: {} } as Record<string, Record<string, number>>;
  const bump = (what: keyof ReturnType<Tally['counts']>, key: string, by = 1) => {
    const group = counts[what] as Record<string, number>;
    group[key] = (group[key] ?? 0) + by;
  };
  return {
    add(upkeep, { attempts, faultHits, deeds }) {
      bump('stories', upkeep.story);
      for (const [name, hits] of Object.entries(faultHits)) bump('faults', name, hits);
      for (const deed of deeds) bump('deeds', deed);
      for (const { exit, failures, events } of attempts) {
        bump('ends', String(exit));
        for (const { code } of failures) bump('failures', code);
        for (const event of events) {
          // Ways to go on that only an interrupted or disturbed run takes.
          if (event.event === 'step-finished' && event.outcome.state === 'skipped')
            bump('branches', `skipped: ${event.outcome.reason.replaceAll(/\S*\d\S*/g, '…')}`);
          if (event.event === 'step-detail' && /still in the same boot|has booted since|wait|resum|earlier run/.test(event.text))
            bump('branches', event.text.replaceAll(/\S*\d\S*/g, '…'));
        }
      }
    },
    counts: () => counts as never,
    missed() {
      const hit = counts.faults ?? {};
      return faultClasses
        .filter(({ meets }) => meets === 'upkeep')
        .flatMap(({ point, kind }) => (hit[`${point} ${kind}`] ? [] : [`${point} ${kind}`]));
    },
  };
}
