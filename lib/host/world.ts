import type { Clock, World } from '../base/index.ts';
import { createHostClock } from './clock.ts';
import { createHostCompute } from './compute.ts';
import { createHttpDialer } from './dial-http.ts';
import { createHostExec } from './exec.ts';
import { createHostFiles } from './files.ts';
import { createHeldCalls } from './held-calls.ts';
import { createHostRandom } from './random.ts';
import { createHostEnv, createHostTerminal } from './terminal.ts';

export interface HostWorldOptions {
  /**
   * A simulated clock. All real work (files, children, keys, calls on the wire) then runs under its `whileBusy`, and a server
   * of this world that sleeps on the clock lets go of its caller's hold. Default: the machine's clock.
   */
  readonly clock?: Clock;
}

/** The World bound to Node: the real machine, apart from the clock where one is handed in. grpc-js loads with the first dial. */
export function createHostWorld(options: HostWorldOptions = {}): World {
  const clock = options.clock ?? createHostClock();
  const held = createHeldCalls(options.clock);
  const http = createHttpDialer(held);
  return {
    clock,
    random: createHostRandom(clock),
    files: createHostFiles(clock),
    exec: createHostExec(clock),
    dial: {
      talos: async (target, signal) => (await import('./dial-talos.ts')).dialTalos(target, signal, held),
      http: http.request,
    },
    listen: {
      grpc: (server) => clock.whileBusy(async () => (await import('./listen-grpc.ts')).listenGrpc(server, held)),
      http: (server) => clock.whileBusy(async () => (await import('./listen-http.ts')).listenHttp(server, held)),
    },
    compute: createHostCompute(clock),
    terminal: createHostTerminal(),
    env: createHostEnv(),
  };
}
