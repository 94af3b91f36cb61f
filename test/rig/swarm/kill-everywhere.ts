import type { Task } from '../../../lib/core/index.ts';
import { tellHistory } from './history.ts';
import { restDifferences } from './rest-state.ts';
import type { OperationKind } from './mortal-world.ts';
import type { Schedule } from './schedule.ts';
import type { Story } from './story.ts';

export interface Killed {
  /** How many times it was killed. */
  readonly places: number;
  readonly wrong: readonly { readonly at: number; readonly what: readonly string[] }[];
}

/** Which places it is killed at: right after each line of the journal always, and every n-th of these. */
export interface Strides {
  /** Right before a line of the journal. */
  readonly beforeLines: number;
  /** Before and after a change of files and locks. */
  readonly files: number;
  /** Reads and calls. */
  readonly others: number;
}

/** Kills the run at its places, begins it again each time, and holds what is left against the run that nobody killed. */
export async function killEverywhere(story: Story, calm: Schedule, tasks: ReadonlyMap<string, Task>, strides: Strides): Promise<Killed> {
  const whole = await tellHistory(story, calm, tasks);
  const kinds = whole.operations[0] ?? [];
  const places = placesIn(kinds, strides);
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

function placesIn(kinds: readonly OperationKind[], { beforeLines, files, others }: Strides): readonly number[] {
  const seen = { append: 0, write: 0, other: 0 };
  return kinds.flatMap((kind, index) => {
    // What a number means depends on whether it is even: `mortal-world.ts`.
    const [before, after] = index % 2 === 0 ? [index + 1, index + 1.5] : [index + 1.5, index + 1];
    if (kind === 'append') return ++seen.append % beforeLines === 0 ? [before, after] : [after];
    if (kind === 'write') return ++seen.write % files === 0 ? [before, after] : [];
    return ++seen.other % others === 0 ? [index + 1] : [];
  });
}
