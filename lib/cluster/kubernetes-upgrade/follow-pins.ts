import { TkError } from '../../base/index.ts';
import type { TaskContext } from '../../core/index.ts';
import type { Cluster } from '../cluster.ts';
import type { PinPlan, WantedPins } from '../pins/pins.ts';

export type PinContext = Pick<TaskContext, 'step' | 'log'> & { readonly cluster: Cluster };

export interface FollowOptions {
  /** Leaves a pin alone that is ahead already: on the way to the version that it names. Default false. */
  readonly isForwardOnly?: boolean;
}

/**
 * Lets the repository's version pins follow what runs, so that the next `generate-config` does not undo it. What tk does not write, and
 * what would come out otherwise all the same, is said as a warning.
 */
export async function followPins(
  { step, cluster, log }: PinContext,
  wanted: WantedPins,
  options: FollowOptions = {},
): Promise<PinPlan['edits']> {
  return step('pins', async (handle) => {
    const plan = await cluster.pins.plan(wanted, options);
    for (const warning of plan.warnings) log.warn(warning);
    if (plan.edits.length === 0) handle.skip('the repository says so already');
    else {
      await cluster.pins.follow(plan);
      handle.detail(plan.edits.map(({ path, line }) => `${path}:${line}`).join(' '));
    }
    try {
      for (const warning of await cluster.pins.overridden(wanted, handle.signal, options)) log.warn(warning);
    } catch (error) {
      // Inputs that cannot be read keep no upgrade from ending: they are told.
      if (!(error instanceof TkError) || handle.signal.aborted) throw error;
      for (const failure of error.failures) log.warn(failure);
    }
    return plan.edits;
  });
}
