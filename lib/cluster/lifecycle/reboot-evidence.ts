import { failureOf, hasCode, seconds, TkError } from '../../base/index.ts';
import { done, type Evidence, notDone, type OpenIntent, type StepHandle, undecidable } from '../../core/index.ts';
import type { NodeModel } from '../../config/index.ts';
import { isTransientTalos } from '../transient.ts';
import type { LifecycleView } from './lifecycle.ts';

/** A machine that took the call shows it within this time; before that, "nothing has happened" would be a guess. */
const showsWithinMs = seconds(20);

export const leavingStages: ReadonlySet<string> = new Set(['rebooting', 'shutting down', 'upgrading', 'resetting']);

/**
 * Whether a call that takes a machine down got through: it is in another boot than the intent says, or on its way out.
 *
 * Shape: a machine that cannot be asked is undecidable, which is asked again for as long as the step is patient; so is another one that
 * answers at its address, and one that looks as if nothing had happened right after the intent: the reply may have been lost while the
 * machine had not begun yet.
 */
export async function rebootEvidence(
  lifecycle: LifecycleView,
  node: NodeModel,
  bootId: string,
  handle: StepHandle,
  intent: OpenIntent | undefined,
): Promise<Evidence> {
  return (await leavingEvidence(lifecycle, node, bootId, handle, intent)).evidence;
}

/** The same, with whether it is still in that boot and on its way out: what it runs then says nothing about the next one. */
export async function leavingEvidence(
  lifecycle: LifecycleView,
  node: NodeModel,
  bootId: string,
  handle: StepHandle,
  intent: OpenIntent | undefined,
): Promise<{ readonly evidence: Evidence; readonly isLeaving: boolean }> {
  const staying = (evidence: Evidence) => ({ evidence, isLeaving: false });
  try {
    const { bootId: current, stage, atMs } = await lifecycle.boot(node, handle.signal);
    if (current !== bootId) return staying(done(`${node.name} has booted since`));
    if (leavingStages.has(stage)) return { evidence: done(`${node.name} is ${stage}`), isLeaving: true };
    if (intent !== undefined && atMs - intent.at < showsWithinMs)
      return staying(undecidable(`${node.name} is ${stage}, and may just have got the call`));
    return staying(notDone(`${node.name} is still in the same boot`));
  } catch (error) {
    if (handle.signal.aborted || !(error instanceof TkError)) throw error;
    if (hasCode(error, 'talos/wrong-machine')) return staying(undecidable(`another machine answers at ${node.address}`));
    if (!isTransientTalos(failureOf(error))) throw error;
    return staying(undecidable(`${node.name} does not answer (${failureOf(error).code})`, `npx tk doctor NODE=${node.name}`));
  }
}
