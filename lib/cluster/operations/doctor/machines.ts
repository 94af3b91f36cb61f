import { TkError } from '../../../base/index.ts';
import type { NodeModel } from '../../../config/index.ts';
import type { NodeState } from '../../cluster.ts';
import { operationFailure } from '../failures.ts';
import { clockToleranceMs, type DoctorParts, type Note } from './finding.ts';

export async function examineReachability(
  { cluster }: DoctorParts,
  nodes: readonly NodeModel[],
  note: Note,
  signal: AbortSignal,
): Promise<void> {
  const states = await Promise.all(nodes.map(async (node) => [node, await cluster.machines.state(node, signal)] as const));
  for (const [node, seen] of states) noteState(node, seen, note);
}

function noteState({ name, address }: NodeModel, seen: NodeState, note: Note): void {
  switch (seen.state) {
    case 'unreachable':
      note(
        'error',
        operationFailure('doctor/unreachable', { node: name, address, reason: seen.reason }),
        `npx tk talos:dmesg NODE=${name}`,
        name,
      );
      return;
    case 'foreign':
      note('error', operationFailure('doctor/foreign', { node: name, address }), `npx tk talos:reset NODE=${name}`, name);
      return;
    case 'maintenance':
      note('error', operationFailure('doctor/maintenance', { node: name }), `npx tk talos:apply-node NODE=${name}`, name);
      return;
    case 'configured':
      if (seen.stage === 'running' && seen.isReady) return;
      note(
        'error',
        operationFailure('doctor/not-ready', {
          node: name,
          stage: seen.stage,
          unmet: seen.unmet.map((condition) => `${condition.name}: ${condition.reason}`),
        }),
        `npx tk talos:services NODE=${name}`,
        name,
      );
      return;
    default:
      seen satisfies never;
  }
}

/** Every machine off by as much: then it is this computer's clock. */
export async function examineClocks(
  { cluster, now }: DoctorParts,
  nodes: readonly NodeModel[],
  note: Note,
  signal: AbortSignal,
): Promise<void> {
  const offsets: { readonly node: string; readonly offsetMs: number }[] = [];
  for (const node of nodes) {
    const { name } = node;
    try {
      await cluster.machines.read(node, async (machine) => {
        const before = now();
        const theirs = await machine.time(signal);
        offsets.push({ node: name, offsetMs: Math.round(theirs - (before + now()) / 2) });
        if (!(await machine.isTimeSynced(signal)))
          note('error', operationFailure('doctor/time-not-synced', { node: name }), `npx tk talos:logs NODE=${name} SERVICE=timed`, name);
      });
    } catch (error) {
      // That it does not answer is told once, elsewhere.
      if (!(error instanceof TkError)) throw error;
    }
  }
  const wrong = offsets.filter(({ offsetMs }) => Math.abs(offsetMs) > clockToleranceMs);
  const [first] = wrong;
  const isOurs =
    wrong.length > 1 &&
    wrong.length === offsets.length &&
    wrong.every(({ offsetMs }) => Math.abs(offsetMs - (first?.offsetMs ?? 0)) < clockToleranceMs);
  if (isOurs && first) {
    note(
      'error',
      operationFailure('doctor/own-clock', { offsetMs: -first.offsetMs, nodes: offsets.length }),
      'sudo timedatectl set-ntp true',
    );
    return;
  }
  for (const { node, offsetMs } of wrong)
    note('error', operationFailure('doctor/clock', { node, offsetMs }), `npx tk talos:logs NODE=${node} SERVICE=timed`, node);
}
