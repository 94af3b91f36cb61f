import type { Clock } from '../base/index.ts';
import type { NodeModel } from '../config/index.ts';

/** So old may be what was asked when a call leaves. A look takes longer only where a laptop was closed or a network hangs. */
const freshForMs = 15_000;

/**
 * What must still be true at the moment when a call leaves that takes a machine away. A computer that sleeps between the last gate and
 * the call would send it hours later, to a cluster that somebody else has taken over meanwhile.
 */
export interface LastLooks {
  /** While `work` goes on: changes of this machine look again, unless they come at once. */
  during<T>(node: NodeModel, look: (signal: AbortSignal) => Promise<void>, work: () => Promise<T>): Promise<T>;
  /** On the way out. Failure: what the look brings; nothing was sent then. */
  before(node: NodeModel, signal: AbortSignal): Promise<void>;
}

export function createLastLooks(clock: Pick<Clock, 'now'>): LastLooks {
  const looks = new Map<string, { readonly look: (signal: AbortSignal) => Promise<void>; atMs: number }>();
  return {
    async during(node, look, work) {
      looks.set(node.name, { look, atMs: clock.now() });
      try {
        return await work();
      } finally {
        looks.delete(node.name);
      }
    },
    async before(node, signal) {
      const one = looks.get(node.name);
      // By the wall: a monotonic clock stands still while a computer sleeps.
      if (one === undefined || Math.abs(clock.now() - one.atMs) <= freshForMs) return;
      await one.look(signal);
      one.atMs = clock.now();
    },
  };
}
