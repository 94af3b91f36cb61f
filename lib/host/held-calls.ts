import { AsyncLocalStorage } from 'node:async_hooks';
import type { Clock } from '../base/index.ts';

/**
 * Keeps a simulated clock still while a call is on the wire between two ends of this process.
 *
 * The caller's hold must let go when the *other* end sleeps on the clock (a slow pull, a reboot), and a clock knows whose hold
 * that is only through the async context. Sockets cut that context, so a call carries a ticket, and the other end runs its
 * part in the context that lies under it. On the host's own clock holding costs nothing and no ticket is sent.
 */
export interface HeldCalls {
  /** Runs `work` under a hold; `ticket` goes over the wire as the header `ticketHeader`. */
  start(): HeldCall;
  /** Runs the other end's part in the caller's context; in its own when the caller is another process. */
  join<T>(ticket: string | undefined, work: () => T): T;
  /** A message of a stream that is not held itself gets the time it needs to the other end. */
  deliver(): void;
}

export interface HeldCall {
  readonly ticket: string | undefined;
  /** Lets time move again; more than once does nothing. */
  end(): void;
}

export const ticketHeader = 'tk-held-call';

/** Turns of the event loop from a write to the reader on loopback; small messages were never late at fewer. */
const messageTurns = 4;

const notHeld: HeldCall = { ticket: undefined, end: () => {} };

/** Without a clock of its own (the host's clock runs anyway) nothing is held. */
export function createHeldCalls(clock: Clock | undefined): HeldCalls {
  const contexts = new Map<string, <T>(work: () => T) => T>();
  let count = 0;
  return {
    start() {
      if (!clock) return notHeld;
      count += 1;
      const ticket = String(count);
      const { promise, resolve } = Promise.withResolvers<void>();
      void clock.whileBusy(() => {
        contexts.set(ticket, AsyncLocalStorage.snapshot());
        return promise;
      });
      return {
        ticket,
        end() {
          contexts.delete(ticket);
          resolve();
        },
      };
    },
    deliver() {
      if (clock) void clock.whileBusy(() => turns(messageTurns));
    },
    join(ticket, work) {
      const context = ticket === undefined ? undefined : contexts.get(ticket);
      return context ? context(work) : work();
    },
  };
}

async function turns(count: number): Promise<void> {
  for (let left = count; left > 0; left -= 1) await new Promise((resolve) => setImmediate(resolve));
}
