import { isAbsolute, relative, resolve } from 'node:path';
import { type Clock, type Failure, failureOf, type Files, TkError } from '../../base/index.ts';
import type { ClusterModel, NodeModel } from '../../config/index.ts';
import { readSnapshot } from '../../talos/index.ts';
import type { Connections } from '../connections.ts';
import { lifecycleFailure } from './failures.ts';
import { ensureIgnored } from '../git-ignore.ts';
import { isTransientTalos } from '../transient.ts';
import type { EtcdPicture, EtcdSnapshot, SnapshotOptions } from './lifecycle.ts';
import { compactTime } from './utc.ts';

export interface SnapshotParts {
  readonly model: ClusterModel;
  readonly files: Files;
  readonly clock: Clock;
  readonly connections: Connections;
  readonly etcd: (signal: AbortSignal) => Promise<EtcdPicture>;
}

/**
 * Fetches a snapshot, looks into it and keeps it, 0600 and git-ignored before it is written: it holds every Secret of the cluster.
 * A member that breaks off is followed by the next one that is in sync.
 *
 * Failure: `etcd/snapshot-invalid`, `etcd/no-member`; no file is left then.
 */
export async function takeSnapshot(
  { model, files, clock, connections, etcd }: SnapshotParts,
  options: SnapshotOptions,
  signal: AbortSignal,
): Promise<EtcdSnapshot> {
  const directory = `${model.paths.root}/talos/backups`;
  if (options.reuseForMs !== undefined) {
    const recent = await recentSnapshot(files, directory, clock.now() - options.reuseForMs);
    if (recent !== undefined) return { ...recent, path: relative(model.paths.root, recent.path) };
  }
  const path = options.path === undefined ? `${directory}/etcd-${compactTime(clock.now())}.db` : resolve(model.paths.root, options.path);
  const candidates = options.from === undefined ? healthyMembers(await etcd(signal)) : [options.from];
  const failures: Failure[] = [];
  for (const node of candidates) {
    try {
      const bytes = await connections.read(node, (machine) => collected(machine.etcdSnapshot(signal)));
      const contents = readSnapshot(bytes);
      await ensureIgnored(files, model.paths.root, path);
      await files.write(path, bytes, { mode: 0o600 });
      const inside = relative(model.paths.root, path);
      return { path: inside.startsWith('..') || isAbsolute(inside) ? path : inside, from: node.name, ...contents };
    } catch (error) {
      if (signal.aborted || !(error instanceof TkError)) throw error;
      const failure = failureOf(error);
      if (!isTransientTalos(failure) && failure.code !== 'etcd/snapshot-invalid') throw error;
      failures.push(failure);
    }
  }
  const cause = failures.at(-1);
  if (cause?.code === 'etcd/snapshot-invalid') throw new TkError(cause);
  throw new TkError(
    lifecycleFailure('etcd/no-member', { asked: candidates.map(({ name }) => name as string) }, cause === undefined ? {} : { cause }),
  );
}

/** The newest of ours that is young enough and whole. What cannot be read is not taken, and not touched. */
async function recentSnapshot(files: Files, directory: string, afterMs: number): Promise<EtcdSnapshot | undefined> {
  const names = (await files.list(directory)).map(({ name }) => name).filter((name) => /^etcd-\d{8}T\d{6}Z\.db$/.test(name));
  const newest = names.sort().at(-1);
  if (newest === undefined || newest < `etcd-${compactTime(afterMs)}.db`) return undefined;
  const path = `${directory}/${newest}`;
  try {
    const bytes = await files.read(path);
    return bytes && { path, ...readSnapshot(bytes) };
  } catch (error) {
    if (error instanceof TkError) return undefined;
    throw error;
  }
}

/** Followers first: a snapshot is work, and the leader has enough of it. */
function healthyMembers({ views }: EtcdPicture): readonly NodeModel[] {
  return views
    .flatMap((view) => (view.state === 'answered' && view.isHealthy && view.leader !== 0n && view.errors.length === 0 ? [view] : []))
    .sort((a, b) => Number(a.memberId === a.leader) - Number(b.memberId === b.leader))
    .map(({ node }) => node);
}

async function collected(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts);
}
