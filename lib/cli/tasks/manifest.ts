import type { ParamShape, Task } from '../../core/index.ts';

/** What lists, help and completion need to know of a task, so that they need not load it. */
export interface ManifestEntry {
  /** `talos:upgrade-node` */
  readonly name: string;
  readonly summary: string;
  readonly description?: string;
  readonly effect: Task['definition']['effect'];
  readonly examples?: readonly string[];
  readonly hidden: boolean;
  readonly params: readonly ParamShape[];
}

/** The name of a task is its path below `tasks/`. Undefined for files that hold no task: `_shared.ts`, `x.test.ts`, `x.d.ts`. */
export function taskNameOf(path: string): string | undefined {
  const match = /^(.+)\.(?:ts|js|mjs)$/.exec(path);
  const stem = match?.[1];
  if (stem === undefined || stem.endsWith('.d') || stem.endsWith('.test')) return undefined;
  const pieces = stem.split('/');
  if (pieces.some((piece) => piece.startsWith('_') || piece.startsWith('.') || piece === 'node_modules')) return undefined;
  return pieces.join(':');
}

export function manifestEntryOf(name: string, task: Task, params: readonly ParamShape[]): ManifestEntry {
  const { summary, description, examples, effect, hidden } = task.definition;
  return {
    name,
    summary,
    ...(description === undefined ? {} : { description }),
    ...(examples === undefined ? {} : { examples }),
    effect,
    hidden: hidden ?? false,
    params,
  };
}
