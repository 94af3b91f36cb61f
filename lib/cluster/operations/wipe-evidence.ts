import { failureOf, TkError } from '../../base/index.ts';
import type { NodeModel } from '../../config/index.ts';
import { type Evidence, notDone, type OpenIntent, type StepHandle, type TaskContext } from '../../core/index.ts';
import { talosResourceTypes } from '../../talos/index.ts';
import { definitions, fromBinary } from '../../upstream/index.ts';
import type { Cluster } from '../cluster.ts';
import type { Connections } from '../connections.ts';
import { isTransientTalos } from '../transient.ts';
import { operationFailure } from './failures.ts';
import { darkEvidence } from './one-by-one.ts';

/** Volumes of a system disk, by name, with the ids of their partitions. What is a directory, or does not tell, is not among them. */
export type Partitions = Readonly<Record<string, string>>;

export async function partitionsOf(
  connections: Connections,
  node: NodeModel,
  labels: readonly string[],
  signal: AbortSignal,
): Promise<Partitions> {
  const volumes = await connections.readProven(node, signal, (machine) => machine.list(talosResourceTypes.volumeStatuses, signal));
  const ids = volumes.map(({ id, proto }) => [id, fromBinary(definitions.block.VolumeStatusSpecSchema, proto).partitionUuid] as const);
  return Object.fromEntries(ids.filter(([id, partition]) => labels.includes(id) && partition !== ''));
}

const traceKey = (node: NodeModel): string => `partitions of ${node.name} before its reset`;

/**
 * Notes what is to be wiped, right before the call that does it: a machine that keeps its config comes back as it was, and only new
 * partitions tell a wipe from somebody else's restart.
 *
 * Source: Talos internal/pkg/partition/wipe.go: a wipe drops the partition, and the next boot makes another one
 */
export async function notePartitions(
  cluster: Cluster,
  node: NodeModel,
  labels: readonly string[],
  { step, signal }: StepHandle,
): Promise<void> {
  const before = await cluster.operations.partitions(node, labels, signal);
  await step.once('note partitions', {
    key: traceKey(node),
    target: JSON.stringify(before),
    node: node.name,
    probe: () => notDone(),
    act: () => undefined,
  });
}

/** Whether a machine that keeps its config was wiped: as `darkEvidence`, and one that runs again has other partitions than before. */
export async function wipeEvidence(
  { cluster, recall }: Pick<TaskContext, 'recall'> & { readonly cluster: Cluster },
  node: NodeModel,
  bootId: string,
  handle: StepHandle,
  intent: OpenIntent | undefined,
): Promise<Evidence> {
  const evidence = await darkEvidence(cluster, node, bootId, handle, intent);
  if (evidence.state !== 'done') return evidence;
  const { open } = await recall(`reset ${node.name}`);
  const trace = await traceOf(recall, node);
  // The note goes before the call.
  if (open !== undefined && (trace === undefined || trace.atMs < open.at))
    return notDone(`${node.name} has booted since, without the call`);
  try {
    const { stage } = await cluster.lifecycle.boot(node, handle.signal);
    const kept = stage === 'running' ? await keptVolumes({ cluster, recall }, node, handle.signal) : [];
    return kept.length === 0 ? evidence : notDone(`${node.name} has booted since, with ${kept.join(' and ')} as before`);
  } catch (error) {
    // On its way: whether it was wiped shows when it is back.
    if (handle.signal.aborted || !(error instanceof TkError) || !isTransientTalos(failureOf(error))) throw error;
    return evidence;
  }
}

/** Failure: `node/not-wiped` when a machine is back with the volumes that were to be wiped. */
export async function checkWiped(
  context: Pick<TaskContext, 'recall'> & { readonly cluster: Cluster },
  node: NodeModel,
  signal: AbortSignal,
): Promise<void> {
  const kept = await keptVolumes(context, node, signal);
  if (kept.length > 0) throw new TkError(operationFailure('node/not-wiped', { node: node.name, volumes: kept }));
}

/** Volumes that have the partition which was noted before the last reset. */
async function keptVolumes(
  { cluster, recall }: Pick<TaskContext, 'recall'> & { readonly cluster: Cluster },
  node: NodeModel,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const trace = await traceOf(recall, node);
  if (trace === undefined) return [];
  const now = await cluster.operations.partitions(node, Object.keys(trace.partitions), signal);
  return Object.entries(trace.partitions).flatMap(([label, id]) => (now[label] === id ? [label] : []));
}

async function traceOf(recall: TaskContext['recall'], node: NodeModel) {
  const { open, last } = await recall(traceKey(node));
  const noted = open ?? last;
  return noted?.target === undefined ? undefined : { atMs: noted.at, partitions: JSON.parse(noted.target) as Partitions };
}
