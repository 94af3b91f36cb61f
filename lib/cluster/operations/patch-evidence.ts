import { failureOf, type SourceFile, TkError } from '../../base/index.ts';
import type { NodeModel } from '../../config/index.ts';
import { type Evidence, notDone, type OpenIntent, type StepHandle, undecidable } from '../../core/index.ts';
import type { ApplyMode } from '../../talos/index.ts';
import type { Cluster } from '../cluster.ts';
import { rebootEvidence } from '../lifecycle/reboot-evidence.ts';

export interface PatchAct {
  readonly node: NodeModel;
  readonly patches: readonly SourceFile[];
  readonly mode: ApplyMode;
  /** The boot that it was to end. */
  readonly bootId: string;
}

/**
 * Whether a patch that takes a machine down was taken: it is on its way or has booted since, and its config has the patch. Somebody else
 * may have restarted it meanwhile.
 */
export async function patchEvidence(
  { lifecycle, operations }: Pick<Cluster, 'lifecycle' | 'operations'>,
  { node, patches, mode, bootId }: PatchAct,
  handle: StepHandle,
  intent: OpenIntent | undefined,
): Promise<Evidence> {
  const evidence = await rebootEvidence(lifecycle, node, bootId, handle, intent);
  if (evidence.state !== 'done') return evidence;
  try {
    const { differences } = await operations.patching.preview(node, patches, mode, handle.signal);
    return differences.length === 0 ? evidence : notDone(`${evidence.seen ?? node.name}, without the patch`);
  } catch (error) {
    if (handle.signal.aborted || !(error instanceof TkError)) throw error;
    return undecidable(`the config of ${node.name} cannot be read (${failureOf(error).code})`);
  }
}
