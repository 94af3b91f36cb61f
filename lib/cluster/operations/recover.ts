import { createHash } from 'node:crypto';
import { isAbsolute, resolve } from 'node:path';
import {
  type Failure,
  type Files,
  holds,
  minutes,
  notYet,
  parsePemBlocks,
  seconds,
  type Condition,
  TkError,
  waitFor,
  type Clock,
  failureOf,
} from '../../base/index.ts';
import type { NodeModel } from '../../config/index.ts';
import { bootstrapRefusalsThatPass, readSnapshot, readSnapshotOwner, type SnapshotOwner, talosResourceTypes } from '../../talos/index.ts';
import { definitions, fromBinary } from '../../upstream/index.ts';
import type { Connections } from '../connections.ts';
import type { EtcdPicture } from '../lifecycle/lifecycle.ts';
import { isTransientTalos } from '../transient.ts';
import { operationFailure } from './failures.ts';

/** A snapshot that was looked into. */
export interface SnapshotFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly revision: bigint;
  readonly keys: number;
  /** Eight hex digits, as etcd's own tool prints it. */
  readonly hash: string;
  readonly owner: SnapshotOwner;
}

/** What a control plane has of etcd. */
export interface EtcdRemains {
  readonly node: NodeModel;
  readonly state: 'empty' | 'data' | 'silent';
  /** Why it could not be asked. */
  readonly because?: string;
}

export interface RecoveryView {
  /** Failure: `etcd/no-snapshot`, `etcd/snapshot-invalid`. */
  file(path: string, options: { readonly skipHashCheck: boolean }): Promise<SnapshotFile>;
  /**
   * What tells that it is the snapshot of another cluster: Talos takes any. Empty: it is this one's, or nothing in it says whose it is.
   *
   * Failure: `etcd/snapshot-foreign`, returned.
   */
  strangers(file: SnapshotFile): Promise<readonly Failure[]>;
  /** What lies on each of these disks. */
  remains(nodes: readonly NodeModel[], signal: AbortSignal): Promise<readonly EtcdRemains[]>;
  /** Why etcd must not be recovered: a member that works has newer data than any snapshot. Shape: pure; empty: it may. */
  mayRecover(picture: EtcdPicture): readonly Failure[];
  /**
   * Of whom it cannot be told yet whether its etcd works: one lost answer, or one election, is no loss of a quorum. Names; empty: each has
   * shown that it does not, by what its machine says of it or by having no data.
   */
  undecided(nodes: readonly NodeModel[], signal: AbortSignal): Promise<readonly string[]>;
  /** What holds data of etcd on this machine, as a reset names it: from 1.14 on it may have a volume of its own. */
  volumes(node: NodeModel, signal: AbortSignal): Promise<readonly string[]>;
  /** Its etcd has no data and waits to be told what to start from. */
  waiting(node: NodeModel): Condition<string>;
}

export interface Recovery extends RecoveryView {
  /** Uploads the snapshot and starts etcd from it: once, on one control plane whose data was wiped. */
  bootstrap(node: NodeModel, path: string, options: { readonly skipHashCheck: boolean }, signal: AbortSignal): Promise<void>;
}

export interface RecoveryParts {
  readonly root: string;
  readonly nodes: readonly NodeModel[];
  /** PEM; undefined when no bundle of secrets is at hand. */
  readonly kubernetesCa: () => Promise<string | undefined>;
  readonly files: Files;
  readonly clock: Clock;
  readonly connections: Connections;
}

/** Source: Talos pkg/machinery/constants EtcdDataVolumeID; a volume without a location lies on EPHEMERAL */
const etcdVolume = 'ETCD';

const chunkBytes = 32 * 1024;

/** Source: Talos pkg/machinery/client EtcdRecover, cmd/talosctl/cmd/talos/bootstrap.go (--recover-from) */
export function createRecovery({ root, nodes: inventory, kubernetesCa, files, clock, connections }: RecoveryParts): Recovery {
  const bytesOf = async (path: string): Promise<Uint8Array> => {
    const bytes = await files.read(isAbsolute(path) ? path : resolve(root, path));
    if (bytes === undefined) throw new TkError(operationFailure('etcd/no-snapshot', { path }));
    return bytes;
  };
  return {
    async file(path, { skipHashCheck }) {
      const bytes = await bytesOf(path);
      return { path, ...readSnapshot(bytes, { isBare: skipHashCheck }), owner: readSnapshotOwner(bytes) };
    },
    async strangers({ path, owner }) {
      const ca = await kubernetesCa();
      return foreignSnapshot(path, owner, { nodes: inventory, ...(ca === undefined ? {} : { kubernetesCa: ca }) });
    },
    remains: (nodes, signal) =>
      Promise.all(
        nodes.map(async (node): Promise<EtcdRemains> => {
          try {
            const hasData = await connections.readProven(node, signal, (machine) => machine.hasEtcdData(signal));
            return { node, state: hasData ? 'data' : 'empty' };
          } catch (error) {
            if (!(error instanceof TkError) || signal.aborted) throw error;
            return { node, state: 'silent', because: failureOf(error).code };
          }
        }),
      ),
    mayRecover: ({ views }) =>
      views.flatMap((view) =>
        view.state === 'answered' && view.isHealthy && view.leader !== 0n ? [operationFailure('etcd/works', { node: view.node.name })] : [],
      ),
    async undecided(nodes, signal) {
      const open = await Promise.all(
        nodes.map(async (node) => {
          try {
            const mayWork = await connections.readProven(node, signal, async (machine) => {
              if (!(await machine.hasEtcdData(signal))) return false;
              const service = (await machine.services(signal)).find(({ id }) => id === 'etcd');
              return service?.state === 'Running' && service.health !== 'unhealthy';
            });
            return mayWork ? [node.name] : [];
          } catch (error) {
            if (!(error instanceof TkError) || signal.aborted) throw error;
            return [node.name];
          }
        }),
      );
      return open.flat();
    },
    volumes: (node, signal) =>
      connections.readProven(node, signal, async (machine) => {
        const own = (await machine.list(talosResourceTypes.volumeStatuses, signal)).find(({ id }) => id === etcdVolume);
        const isApart = own !== undefined && fromBinary(definitions.block.VolumeStatusSpecSchema, own.proto).location !== '';
        return isApart ? ['EPHEMERAL', etcdVolume] : ['EPHEMERAL'];
      }),
    waiting: (node) => ({
      description: `etcd on ${node.name} to wait for its start`,
      deadlineMs: minutes(20),
      intervalMs: seconds(5),
      see: `npx tk talos:services NODE=${node.name}`,
      transient: isTransientTalos,
      check: (signal) =>
        connections.read(node, async (machine) => {
          const { stage } = await machine.machineStatus(signal);
          if (stage === 'resetting' || stage === 'rebooting') return notYet(stage);
          if (await machine.hasEtcdData(signal)) return notYet(`${stage}; etcd still has data`);
          const etcd = (await machine.services(signal)).find((service) => service.id === 'etcd');
          return etcd?.state === 'Preparing' ? holds(stage) : notYet(`${stage}; etcd is ${etcd?.state ?? 'not there yet'}`);
        }),
    }),
    async bootstrap(node, path, { skipHashCheck }, signal) {
      const bytes = await bytesOf(path);
      const chunks = async function* () {
        for (let offset = 0; offset < bytes.length; offset += chunkBytes) yield bytes.subarray(offset, offset + chunkBytes);
      };
      await connections.change(node, (machine) => machine.recoverEtcd(chunks(), signal));
      // As for the first bootstrap: asked again only while the machine itself says that it is too early.
      await waitFor(
        {
          description: `${node.name} to accept the recovery`,
          deadlineMs: minutes(10),
          intervalMs: seconds(5),
          async check() {
            try {
              await connections.change(node, (machine) => machine.bootstrap({ recoverEtcd: true, skipHashCheck }, signal));
              return holds(undefined);
            } catch (error) {
              const failure = failureOf(error);
              if (!Object.hasOwn(bootstrapRefusalsThatPass, failure.code)) throw error;
              return notYet(String(failure.facts['message'] ?? failure.code));
            }
          },
        },
        clock,
        signal,
      );
    },
  };
}

/** What this cluster is known by. */
interface Own {
  readonly nodes: readonly Pick<NodeModel, 'name' | 'role' | 'addresses'>[];
  /** PEM. */
  readonly kubernetesCa?: string;
}

/**
 * The authority of Kubernetes decides where both sides have one: machines may have been renamed and moved since. Without it one name or
 * address in common is enough. Nothing else can be compared: a snapshot does not hold the id of etcd's cluster, and a recovered etcd gets a
 * new one.
 *
 * Shape: pure. Source: etcdutl snapshot/v3_snapshot.go Restore; Talos internal/app/machined/pkg/system/services/etcd.go recoverFromSnapshot
 */
export function foreignSnapshot(path: string, owner: SnapshotOwner, { nodes, kubernetesCa }: Own): readonly Failure[] {
  const own = kubernetesCa === undefined ? [] : certificatesOf(kubernetesCa);
  const canCompare = own.length > 0 && owner.kubernetesCas.length > 0;
  if (canCompare && own.some((one) => owner.kubernetesCas.includes(one))) return [];
  const names = new Set<string>(nodes.map(({ name }) => name));
  const addresses = new Set(nodes.flatMap((node) => node.addresses));
  const isKnown =
    owner.members.some((name) => names.has(name)) ||
    owner.nodes.some((name) => names.has(name)) ||
    owner.peers.some((host) => addresses.has(host));
  const saysNothing = owner.members.length + owner.nodes.length + owner.peers.length === 0;
  if (!canCompare && (isKnown || saysNothing)) return [];
  return [
    operationFailure('etcd/snapshot-foreign', {
      path,
      members: owner.members,
      nodes: owner.nodes,
      wantedMembers: nodes.flatMap(({ name, role }) => (role === 'controlplane' ? [name] : [])),
      ...(canCompare ? { authority: owner.kubernetesCas.map(fingerprint), wantedAuthority: own.map(fingerprint) } : {}),
    }),
  ];
}

const certificatesOf = (pem: string): readonly string[] =>
  parsePemBlocks(pem).flatMap(({ label, der }) => (label === 'CERTIFICATE' ? [Buffer.from(der).toString('base64')] : []));

/** Of what everybody may see; enough of it to tell two apart. */
const fingerprint = (der: string): string => createHash('sha256').update(Buffer.from(der, 'base64')).digest('hex').slice(0, 16);
