import type { Clock, World } from '../base/index.ts';
import { createHostClock } from './clock.ts';
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

/**
 * The World bound to Node: the real machine, apart from the clock where one is handed in. What costs time to load (sockets, child
 * processes, workers, grpc-js) loads when it is first used; a simulated clock stands still meanwhile.
 */
export function createHostWorld(options: HostWorldOptions = {}): World {
  const clock = options.clock ?? createHostClock();
  const held = createHeldCalls(options.clock);
  const http = lazily(() => clock.whileBusy(async () => (await import('./dial-http.ts')).createHttpDialer(held)));
  const exec = lazily(() => clock.whileBusy(async () => (await import('./exec.ts')).createHostExec(clock)));
  const compute = lazily(() => clock.whileBusy(async () => (await import('./compute.ts')).createHostCompute(clock)));
  return {
    clock,
    random: createHostRandom(clock),
    files: createHostFiles(clock),
    exec: { run: async (argv, options) => (await exec()).run(argv, options) },
    dial: {
      talos: async (target, signal) => (await clock.whileBusy(() => import('./dial-talos.ts'))).dialTalos(target, signal, held),
      http: async (request) => (await http()).request(request),
    },
    listen: {
      grpc: (server) => clock.whileBusy(async () => (await import('./listen-grpc.ts')).listenGrpc(server, held)),
      http: (server) => clock.whileBusy(async () => (await import('./listen-http.ts')).listenHttp(server, held)),
    },
    compute: { run: async (module, input, options) => (await compute()).run(module, input, options) },
    terminal: createHostTerminal(),
    env: createHostEnv(),
  };
}

function lazily<T>(load: () => Promise<T>): () => Promise<T> {
  let loaded: Promise<T> | undefined;
  return () => (loaded ??= load());
}
