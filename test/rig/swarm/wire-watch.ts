import type { World } from '../../../lib/base/index.ts';
import type { KernelHandle, SandboxSpec } from '../../../lib/sim/index.ts';

/** What no client may do on a wire, whatever it is for. */
export interface WireWatch {
  observe(world: World): World;
}

const changes = /\/(?:Bootstrap|ApplyConfiguration)$/;

/**
 * I-10: a connection on which a call got no answer in time carries no further one. I-04: what was sent to one machine's address
 * changes no other, whoever answers there.
 */
export function watchWire(kernel: KernelHandle, spec: SandboxSpec, report: (what: string) => void): WireWatch {
  const underWay = new Set<{ readonly host: string }>();
  kernel.onEvent(({ kind, facts }) => {
    if (kind !== 'talos/bootstrap-requested' && kind !== 'talos/config-applied') return;
    const address = spec.machines.find(({ name }) => name === facts.node)?.address;
    if (underWay.size > 0 && ![...underWay].some(({ host }) => host === address))
      report(`I-04 ${kind} ${String(facts.node)}, and it was meant for ${[...underWay].map(({ host }) => host).join(', ')}`);
  });
  return {
    observe: (world) => ({
      ...world,
      dial: {
        ...world.dial,
        async talos(target, signal) {
          const connection = await world.dial.talos(target, signal);
          let silentSince: string | undefined;
          return {
            peer: connection.peer,
            isOpen: () => connection.isOpen(),
            close: () => connection.close(),
            call: (call) => ({
              [Symbol.asyncIterator]() {
                if (silentSince !== undefined)
                  report(`I-10 ${call.path} went to ${target.host} on a connection that had not answered ${silentSince} in time`);
                const messages = connection.call(call)[Symbol.asyncIterator]();
                let isAnswered = false;
                const onLate = () => {
                  if (!isAnswered && call.signal.reason === 'deadline') silentSince = call.path;
                };
                call.signal.addEventListener('abort', onLate, { once: true });
                // A call that another machine passes on is meant for the one that it names.
                const change = { host: typeof call.metadata['node'] === 'string' ? call.metadata['node'] : target.host };
                if (changes.test(call.path)) underWay.add(change);
                const end = () => {
                  call.signal.removeEventListener('abort', onLate);
                  underWay.delete(change);
                };
                return {
                  async next() {
                    try {
                      const next = await messages.next();
                      if (next.done) end();
                      else isAnswered = true;
                      return next;
                    } catch (error) {
                      end();
                      throw error;
                    }
                  },
                  async return() {
                    end();
                    await messages.return?.();
                    return { done: true, value: undefined };
                  },
                };
              },
            }),
          };
        },
      },
    }),
  };
}
