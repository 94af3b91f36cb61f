import { type Clock, type Dial, type TalosTrust, TkError } from '../base/index.ts';
import type { ClusterModel, NodeModel } from '../config/index.ts';
import {
  createTalosMutator,
  createTalosReader,
  type ExpectedIdentity,
  type MachineProbe,
  probeMachine,
  type Proven,
  proveIdentity,
  talosFailure,
  type TalosMutator,
  type TalosReader,
} from '../talos/index.ts';
import { clusterFailure } from './failures.ts';
import { createKeptReaders } from './kept-readers.ts';
import { createWays } from './ways.ts';

export interface ConnectionParts {
  readonly model: ClusterModel;
  readonly dial: Dial;
  readonly clock: Clock;
  /** This cluster's admin credentials; undefined before there are secrets. */
  readonly credentials: () => Promise<MutualTrust | undefined>;
  /** Runs when the machine has proven who it is, and nothing comes between it and the call. Failure: then nothing is sent. */
  readonly lastLook?: (node: NodeModel, signal: AbortSignal) => Promise<void>;
}

/** How often a machine whose connection breaks in the middle of a look is asked anew who it is. */
const mostProofs = 3;

export type MutualTrust = Extract<TalosTrust, { kind: 'mutual' }>;

/**
 * Opens ports to machines, each addressed directly, never through the cluster's virtual address. A machine that this computer has no
 * way to is reached through a control plane that answers.
 */
export interface Connections {
  probe(node: NodeModel, signal: AbortSignal): Promise<MachineProbe>;
  /** A configured machine. The caller closes it. Failure: `cluster/no-credentials`. */
  reader(node: NodeModel): Promise<TalosReader>;
  /** A machine in maintenance mode that showed this certificate. */
  maintenanceReader(node: NodeModel, spkiSha256: string): TalosReader;
  mutator(node: NodeModel): Promise<TalosMutator>;
  maintenanceMutator(node: NodeModel, spkiSha256: string, seen: Pick<ExpectedIdentity, 'macs' | 'diskSerials'>): TalosMutator;
  /** A configured machine, or one in maintenance mode, whoever that is: for reads only. The caller closes it. */
  anyReader(node: NodeModel, signal: AbortSignal): Promise<TalosReader>;
  /** Over a connection that has worked a moment ago, or a new one. */
  read<T>(node: NodeModel, use: (reader: TalosReader) => Promise<T>): Promise<T>;
  /** The same, where a decision hangs on which machine it was: it proves itself first, on that connection. Failure: `talos/wrong-machine`. */
  readProven<T>(node: NodeModel, signal: AbortSignal, use: (reader: TalosReader, proven: Proven) => Promise<T>): Promise<T>;
  readAny<T>(node: NodeModel, signal: AbortSignal, use: (reader: TalosReader) => Promise<T>): Promise<T>;
  change<T>(node: NodeModel, use: (mutator: TalosMutator) => Promise<T>): Promise<T>;
  /** Who the machine is, as before each change of it. Failure: `talos/wrong-machine`. */
  verify(node: NodeModel, signal: AbortSignal): Promise<Proven>;
}

export function createConnections({ model, dial, clock, credentials, lastLook }: ConnectionParts): Connections {
  const ports = { dial, clock };
  const ways = createWays(model.nodes, clock);
  const at = (node: NodeModel) => ({ node: node.name, host: node.address });
  const reachable = (node: NodeModel) => ({ ...at(node), detours: ways.to(node) });
  const trust = async (): Promise<MutualTrust> => {
    const found = await credentials();
    if (found === undefined) throw new TkError(clusterFailure('cluster/no-credentials', { path: model.paths.talosconfig }));
    return found;
  };
  /** A configured machine proves with its certificate that it is of this cluster; role and MAC addresses say which one it is. */
  const identityOf = (node: NodeModel): ExpectedIdentity => ({
    role: node.role,
    ...(node.macAddresses.length === 0 ? {} : { macs: node.macAddresses }),
  });
  const kept = createKeptReaders(clock, (node, mutual) => createTalosReader(ports, { ...reachable(node), trust: mutual }));
  const closing = async <P extends { close(): void }, T>(port: P, use: (port: P) => Promise<T>): Promise<T> => {
    try {
      return await use(port);
    } finally {
      port.close();
    }
  };
  const connections: Connections = {
    async probe(node, signal) {
      const mutual = await credentials();
      const withOurs = mutual && {
        trust: mutual,
        over: <T>(use: (reader: TalosReader) => Promise<T>) => kept.hold(node, mutual, ({ reader }) => use(reader)),
      };
      return probeMachine(ports, { ...reachable(node), ...withOurs }, signal);
    },
    reader: async (node) => createTalosReader(ports, { ...reachable(node), trust: await trust() }),
    maintenanceReader: (node, spkiSha256) => createTalosReader(ports, { ...at(node), trust: { kind: 'insecure', spkiSha256 } }),
    async anyReader(node, signal) {
      const probe = await connections.probe(node, signal);
      if (probe.state === 'maintenance') return connections.maintenanceReader(node, probe.spkiSha256);
      return connections.reader(node);
    },
    mutator: async (node) =>
      createTalosMutator(
        ports,
        { ...reachable(node), trust: await trust() },
        identityOf(node),
        lastLook && ((signal) => lastLook(node, signal)),
      ),
    maintenanceMutator: (node, spkiSha256, seen) =>
      createTalosMutator(ports, { ...at(node), trust: { kind: 'insecure', spkiSha256 } }, { spkiSha256, ...seen }),
    read: async (node, use) => kept.hold(node, await trust(), ({ reader }) => use(reader)),
    readAny: async (node, signal, use) => closing(await connections.anyReader(node, signal), use),
    change: async (node, use) => closing(await connections.mutator(node), use),
    readProven: async (node, signal, use) =>
      kept.hold(node, await trust(), async (held) => {
        const { reader } = held;
        for (let attempt = 1; ; attempt += 1) {
          const peer = await reader.peer(signal);
          if (held.proof?.peer !== peer)
            held.proof = { peer, proven: await proveIdentity(reader, peer.spkiSha256, identityOf(node), signal) };
          const answer = await use(reader, held.proof.proven);
          // Where it was lost on the way and replaced, only the same key stands for the same machine.
          if ((await reader.peer(signal)).spkiSha256 === peer.spkiSha256) return answer;
          if (attempt === mostProofs)
            throw new TkError(
              talosFailure('talos/unavailable', {
                node: node.name,
                address: node.address,
                method: 'TLS',
                message: 'connections keep breaking',
              }),
            );
        }
      }),
    verify: (node, signal) => connections.readProven(node, signal, async (_, proven) => proven),
  };
  return connections;
}
