import { type Clock, type PeerIdentity, seconds } from '../base/index.ts';
import type { NodeModel } from '../config/index.ts';
import type { Proven, TalosReader } from '../talos/index.ts';
import type { MutualTrust } from './connections.ts';

/** So long after its last answer a connection is taken for one that works. */
const keptMs = seconds(5);

/** A connection that somebody looks through at this moment, and nobody else. */
export interface HeldReader {
  readonly reader: TalosReader;
  /** Who the machine behind it has proven to be; nobody knows behind another peer. */
  proof?: { readonly peer: PeerIdentity; readonly proven: Proven };
}

/**
 * Connections for reading that have just worked, one a machine: most looks come right after another. Whoever looks has the connection
 * for himself, and one on which anything failed is not kept.
 */
export interface KeptReaders {
  hold<T>(node: NodeModel, trust: MutualTrust, use: (held: HeldReader) => Promise<T>): Promise<T>;
}

const placeOf = ({ name, address }: NodeModel): string => `${name} ${address}`;

export function createKeptReaders(clock: Clock, open: (node: NodeModel, trust: MutualTrust) => TalosReader): KeptReaders {
  const idle = new Map<string, { readonly held: HeldReader; readonly trust: MutualTrust; readonly sinceMs: number }>();
  const take = (node: NodeModel, trust: MutualTrust): HeldReader => {
    const found = idle.get(placeOf(node));
    if (found === undefined) return { reader: open(node, trust) };
    idle.delete(placeOf(node));
    if (found.trust === trust && clock.monotonicMs() - found.sinceMs <= keptMs) return found.held;
    found.held.reader.close();
    return { reader: open(node, trust) };
  };
  return {
    async hold(node, trust, use) {
      const held = take(node, trust);
      let works = false;
      try {
        const answer = await use(held);
        works = true;
        return answer;
      } finally {
        if (works && !idle.has(placeOf(node))) idle.set(placeOf(node), { held, trust, sinceMs: clock.monotonicMs() });
        else held.reader.close();
      }
    },
  };
}
