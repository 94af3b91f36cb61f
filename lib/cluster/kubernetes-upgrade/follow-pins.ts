import { TkError } from '../../base/index.ts';
import type { StepHandle, TaskContext } from '../../core/index.ts';
import type { Cluster } from '../cluster.ts';
import { pinFailure } from '../pins/failures.ts';
import type { PinPlan, WantedPins } from '../pins/pins.ts';

export type PinContext = Pick<TaskContext, 'step' | 'log'> & { readonly cluster: Cluster };

export interface FollowOptions {
  /** Leaves a pin alone that is ahead already: on the way to the version that it names. Default false. */
  readonly isForwardOnly?: boolean;
}

/**
 * Lets the repository's version pins follow what runs, so that the next `generate-config` does not undo it; what is rendered from the
 * inputs is rendered anew with them. What tk does not write, and what would come out otherwise all the same, is said as a warning.
 */
export async function followPins(
  { step, cluster, log }: PinContext,
  wanted: WantedPins,
  options: FollowOptions = {},
): Promise<PinPlan['edits']> {
  return step('pins', async (handle) => {
    const plan = await cluster.pins.plan(wanted, options);
    for (const warning of plan.warnings) log.warn(warning);
    // Inputs that cannot be read keep no upgrade from ending: they are told.
    const telling = async (work: () => Promise<void>): Promise<void> => {
      try {
        await work();
      } catch (error) {
        if (!(error instanceof TkError) || handle.signal.aborted) throw error;
        for (const failure of error.failures) log.warn(failure);
      }
    };
    if (plan.edits.length === 0) handle.skip('the repository says so already');
    else {
      const before = await renderingOf(cluster, handle.signal);
      await cluster.pins.follow(plan);
      handle.detail(plan.edits.map(({ path, line }) => `${path}:${line}`).join(' '));
      if (before === 'pending') {
        // Whoever has changes of their own to render decides when; until then what is generated says little.
        log.warn(pinFailure('pin/not-rendered', { paths: [...new Set(plan.edits.map(({ path }) => path))] }));
        return plan.edits;
      }
      if (before === 'equal') await telling(() => renderAnew(cluster, handle));
    }
    await telling(async () => {
      for (const warning of await cluster.pins.overridden(wanted, handle.signal, options)) log.warn(warning);
    });
    return plan.edits;
  });
}

/** `nothing`: no templates. `pending`: files differ from what their templates say, or nobody can tell. */
async function renderingOf({ configuration }: Cluster, signal: AbortSignal): Promise<'nothing' | 'equal' | 'pending'> {
  try {
    const { renders, changes } = await configuration.plan(signal);
    if (!renders) return 'nothing';
    return changes.length === 0 ? 'equal' : 'pending';
  } catch (error) {
    if (!(error instanceof TkError) || signal.aborted) throw error;
    return 'pending';
  }
}

async function renderAnew({ configuration }: Cluster, handle: StepHandle): Promise<void> {
  const rendering = await configuration.plan(handle.signal);
  if (rendering.changes.length === 0) return;
  await handle.step('render', async (inner) => {
    await configuration.apply(rendering, inner.signal);
    inner.detail(rendering.changes.map(({ path }) => path).join(' '));
  });
}
