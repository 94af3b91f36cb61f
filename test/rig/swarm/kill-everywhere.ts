import type { Task } from '../../../lib/core/index.ts';
import { tellHistory } from './history.ts';
import { restDifferences } from './rest-state.ts';
import type { Schedule } from './schedule.ts';
import type { Story } from './story.ts';

export interface Killed {
  /** How many times it was killed. */
  readonly places: number;
  readonly wrong: readonly { readonly at: number; readonly what: readonly string[] }[];
}

/**
 * Kills the run right before and right after each of its writes (journal lines, files, locks), and of its other operations at every
 * `others`-th, begins it again, and holds what is left against the run that nobody killed.
 */
export async function killEverywhere(
  story: Story,
  calm: Schedule,
  tasks: ReadonlyMap<string, Task>,
  options: { readonly others?: number } = {},
): Promise<Killed> {
  const { others = 10 } = options;
  const whole = await tellHistory(story, calm, tasks);
  const kinds = whole.operations[0] ?? [];
  const places = kinds.flatMap((kind, index) =>
    kind === 'write' ? [index + 1, index + 1.5] : (index + 1) % others === 0 ? [index + 1] : [],
  );
  const wrong: { at: number; what: readonly string[] }[] = [];
  for (const at of places) {
    const history = await tellHistory(story, { ...calm, deaths: [at] }, tasks);
    const bootstraps = history.rest.cluster.acts;
    const what = [
      ...history.violations,
      ...restDifferences(whole.rest, history.rest),
      ...(Object.values(bootstraps).reduce((sum, count) => sum + count, 0) === 1 ? [] : [`bootstraps: ${JSON.stringify(bootstraps)}`]),
      ...(history.attempts[0]?.exit === 'dead' ? [] : ['the run did not die']),
    ];
    if (what.length > 0) wrong.push({ at, what });
  }
  return { places: places.length, wrong };
}
