import {
  type Clock,
  type Dial,
  type FileLock,
  type GrpcHandler,
  type HttpHandler,
  type Json,
  type Random,
  Secret,
  type Server,
  TkError,
  type World,
} from '../base/index.ts';
import type { Drive } from './clock.ts';
import { type ClusterHooks, startCluster } from './cluster.ts';
import { type KernelHandle, openKernel } from './create-kernel.ts';
import { simFailure } from './failures.ts';
import { dialRefused } from './memory-dial.ts';
import { fixtureKey } from './fixture-keys.ts';
import { createNetwork, type SimListener, type SimNetwork } from './network.ts';
import type { SandboxSpec } from './spec.ts';
import { type SandboxStatus, statusOf } from './status.ts';

export interface SandboxOptions {
  /** The host, on its own clock: for the sandbox's files and lock. */
  readonly world: World;
  /** The same host bound to the sandbox's clock: `(clock) => createHostWorld({ clock })`. */
  readonly bind: (clock: Clock) => World;
  /** Absolute; `.tk/sim`. */
  readonly directory: string;
  /** Machines that the sandbox does not have yet are added, in maintenance mode; the state of the others is kept. */
  readonly spec: SandboxSpec;
  readonly hooks?: ClusterHooks;
  /**
   * `jump` (default): time jumps whenever this process waits. `follow`: time goes with the real clock, for tools of other
   * processes.
   */
  readonly time?: 'jump' | 'follow';
  /** How many times faster than the real clock, with `follow`. Default 1. */
  readonly speed?: number;
}

export interface Sandbox {
  /** Simulated clock, and a `dial` that reaches the simulated machines and nothing else. */
  readonly world: World;
  readonly kernel: KernelHandle;
  /** Where each simulated `host:port` listens in truth. Grows while machines boot. */
  endpoints(): readonly SandboxEndpoint[];
  status(): SandboxStatus;
  close(): Promise<void>;
}

export interface SandboxEndpoint {
  readonly host: string;
  readonly port: number;
  readonly listensOn: { readonly host: string; readonly port: number };
}

/** Thirty days: certificates made in virtual time must never lie in the future of the real clock that TLS asks. */
const behindRealTimeMs = 30 * 24 * 3_600_000;

/**
 * Ring B: the simulated cluster behind real sockets of this process, its state in `directory`.
 *
 * Failure: `sim/in-use` when another process has it open, `sim/log-damaged`.
 */
export async function openSandbox(options: SandboxOptions): Promise<Sandbox> {
  const { world, directory, hooks = {} } = options;
  await world.files.makeDirectory(directory, { mode: 0o700 });
  const lock = await lockDirectory(world, directory);
  const drive: Drive =
    options.time === 'follow'
      ? { kind: 'follow', clock: world.clock, speed: options.speed ?? 1 }
      : { kind: 'jump', atMostMs: 2 * 3_600_000 };
  const seed = Buffer.from(world.random.bytes(16)).toString('hex');
  const kernel = await openKernel({ seed, epochMs: world.clock.now() - behindRealTimeMs, drive }, world.files, statePath(directory));
  kernel.store.set('sandbox/spec', options.spec as unknown as Json);
  const network = createNetwork();
  const bound = options.bind(kernel.clock);
  const sockets = mirrorListeners(bound, kernel, network, async (endpoints) => {
    await world.files.write(endpointsPath(directory), `${JSON.stringify(endpoints, null, 2)}\n`, { mode: 0o600 });
  });
  const talos = startCluster(kernel, network, options.spec, hooks);
  network.listen(statusHost, 80, {
    kind: 'http',
    handler: async () => {
      const time: SandboxTime = { nowMs: kernel.clock.now(), speed: drive.kind === 'follow' ? drive.speed : 1 };
      return { status: 200, body: JSON.stringify({ ...statusOf(kernel, talos), ...time }) };
    },
  });
  await kernel.commit();
  await sockets.settled();

  return {
    world: { ...bound, random: withFixtureRsa(bound.random), dial: sandboxDial(bound.dial, kernel, network, sockets) },
    kernel,
    endpoints: sockets.endpoints,
    status: () => statusOf(kernel, talos),
    async close() {
      await sockets.close();
      await kernel.close();
      await world.files.remove(endpointsPath(directory));
      await lock.release();
    },
  };
}

/** What the clocks of the machines show, for whoever compares them with his own. */
export interface SandboxTime {
  readonly nowMs: number;
  readonly speed: number;
}

/** Answers what the sandbox looks like to a `tk sim:status` in another process. */
export const statusHost = 'status.sandbox';

export const statePath = (directory: string): string => `${directory}/cluster.jsonl`;
export const endpointsPath = (directory: string): string => `${directory}/endpoints.json`;

export async function lockDirectory(world: World, directory: string): Promise<FileLock> {
  const lock = await world.files.lock(`${directory}/lock`, 'tk');
  if ('heldBy' in lock) throw new TkError(simFailure('sim/in-use', { directory, heldBy: lock.heldBy }));
  return lock;
}

// --- listeners of the model, as real servers

interface Sockets {
  reach(listener: SimListener): Promise<Server>;
  endpoints(): readonly SandboxEndpoint[];
  /** No server is being started or stopped. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

function mirrorListeners(
  world: World,
  kernel: KernelHandle,
  network: SimNetwork,
  announce: (endpoints: readonly SandboxEndpoint[]) => Promise<void>,
): Sockets {
  const servers = new Map<SimListener, Promise<Server>>();
  const endpoints = new Map<string, SandboxEndpoint>();
  let work: Promise<unknown> = Promise.resolve();

  const serve = async ({ service }: SimListener, at: { readonly host: string; readonly port: number }): Promise<Server> => {
    if (service.kind === 'grpc') {
      return world.listen.grpc({ ...at, tls: await service.tls(), methods: service.methods, handler: flushing(kernel, service.handler) });
    }
    const tls = await service.tls?.();
    return world.listen.http({ ...at, ...(tls ? { tls } : {}), handler: flushingHttp(kernel, service.handler) });
  };
  const start = async (listener: SimListener): Promise<Server> => {
    const { host, port } = listener;
    const before = endpoints.get(`${host}:${port}`)?.listensOn;
    // Stock tools dial these addresses themselves; any other address exists only in the simulation.
    if (host.startsWith('127.')) {
      const server = await serve(listener, { host, port });
      await remember({ host, port, listensOn: { host, port } });
      return server;
    }
    // The port of before is what other processes know; somebody else may have taken it.
    const again = before && (await serve(listener, before).catch(() => undefined));
    const server = again ?? (await serve(listener, { host: '127.0.0.1', port: 0 }));
    await remember({ host, port, listensOn: { host: '127.0.0.1', port: server.port } });
    return server;
  };
  const remember = async (endpoint: SandboxEndpoint) => {
    const key = `${endpoint.host}:${endpoint.port}`;
    if (endpoints.get(key)?.listensOn.port === endpoint.listensOn.port) return;
    endpoints.set(key, endpoint);
    await announce([...endpoints.values()]);
  };
  network.onListen((listener) => {
    const release = kernel.clock.hold();
    // One after the other: a port is free only when its former server has closed.
    const started = work.then(() => start(listener));
    servers.set(listener, started);
    work = started.catch(() => {}).finally(release);
    listener.closed.addEventListener('abort', () => {
      const holdClose = kernel.clock.hold();
      servers.delete(listener);
      work = work
        .then(() => started)
        .then((server) => server.close())
        .catch(() => {})
        .finally(holdClose);
    });
  });
  return {
    reach: (listener) => servers.get(listener) ?? Promise.reject(dialRefused(listener, 'refused')),
    endpoints: () => [...endpoints.values()],
    async settled() {
      await work;
    },
    async close() {
      await work;
      await Promise.all([...servers.values()].map(async (server) => (await server).close()));
    },
  };
}

/** What a reply tells must not be forgotten by a killed process. */
function flushing(kernel: KernelHandle, handler: GrpcHandler): GrpcHandler {
  return async function* (call) {
    for await (const message of handler(call)) {
      await kernel.flush();
      yield message;
    }
  };
}

function flushingHttp(kernel: KernelHandle, handler: HttpHandler): HttpHandler {
  return async (request) => {
    const response = await handler(request);
    await kernel.flush();
    return response;
  };
}

/** Four seconds of prime numbers for the service accounts of a simulated cluster would be most of a whole bootstrap. */
function withFixtureRsa(random: Random): Random {
  return {
    ...random,
    privateKey: async (kind) => (kind === 'rsa4096' ? new Secret(fixtureKey(kind, 'sandbox', 0)) : random.privateKey(kind)),
  };
}

const unreachableAfterMs = 3000;

function sandboxDial(dial: Dial, kernel: KernelHandle, network: SimNetwork, sockets: Sockets): Dial {
  const serverFor = async (target: { readonly host: string; readonly port: number }, signal: AbortSignal): Promise<Server> => {
    const reached = network.reach(target.host, target.port);
    switch (reached.state) {
      case 'listening':
        return sockets.reach(reached.listener);
      case 'closed':
        throw dialRefused(target, 'refused');
      case 'dark':
        await kernel.clock.sleep(unreachableAfterMs, signal);
        throw dialRefused(target, 'unreachable');
      case 'unknown':
        throw dialRefused(target, 'not-allowed');
    }
  };
  return {
    async talos(target, signal) {
      const { host, port } = await serverFor(target, signal);
      // The first dial also loads the transport, and time must stand still for that.
      return kernel.clock.whileBusy(() => dial.talos({ ...target, host, port }, signal));
    },
    async http(request) {
      const { target } = request;
      const { host, port } = await serverFor(target, request.signal);
      // Registries and the factory have no certificates here: the model answers in the clear.
      const plain = network.reach(target.host, target.port);
      const isPlain = plain.state === 'listening' && plain.listener.service.tls === undefined;
      const inside = isPlain ? { protocol: 'http' as const, host, port } : { ...target, host, port };
      return dial.http({ ...request, target: inside, headers: { host: target.host, ...request.headers } });
    },
  };
}
