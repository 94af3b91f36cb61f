import { failureOf, TkError } from '../../base/index.ts';
import type { NodeModel } from '../../config/index.ts';
import { type Evidence, notDone, type OpenIntent, type StepHandle, undecidable } from '../../core/index.ts';
import type { Cluster } from '../cluster.ts';
import { leavingEvidence } from '../lifecycle/reboot-evidence.ts';

export interface BootedWith {
  readonly node: NodeModel;
  /** The boot that the act was to end. */
  readonly bootId: string;
  /** What the act was for: `the patch`. */
  readonly what: string;
  /** Whether the machine has it. */
  readonly has: (signal: AbortSignal) => Promise<boolean>;
}

/**
 * Whether an act that changes a machine by a reboot was taken: it is on its way or has booted since, and has what it was for. Somebody
 * else may have restarted it meanwhile.
 */
export async function bootedWith(
  { lifecycle }: Pick<Cluster, 'lifecycle'>,
  { node, bootId, what, has }: BootedWith,
  handle: StepHandle,
  intent: OpenIntent | undefined,
): Promise<Evidence> {
  const { evidence, isLeaving } = await leavingEvidence(lifecycle, node, bootId, handle, intent);
  if (evidence.state !== 'done') return evidence;
  try {
    if (await has(handle.signal)) return evidence;
    // What it goes down with is not what it comes up with.
    return (isLeaving ? undecidable : notDone)(`${evidence.seen ?? node.name}, without ${what}`);
  } catch (error) {
    if (handle.signal.aborted || !(error instanceof TkError)) throw error;
    return undecidable(`whether ${node.name} has ${what} cannot be asked (${failureOf(error).code})`);
  }
}
