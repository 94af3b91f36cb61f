import type { GrpcHandler, GrpcMethod, HttpHandler, ServerTls } from '../base/index.ts';

/**
 * What answers at one address and port. Certificates are made when the first caller needs them and are the same from then on,
 * for as long as this service listens.
 */
export type SimService =
  | {
      readonly kind: 'grpc';
      readonly tls: () => Promise<ServerTls>;
      readonly methods: readonly GrpcMethod[];
      readonly handler: GrpcHandler;
    }
  | { readonly kind: 'http'; readonly tls?: () => Promise<ServerTls>; readonly handler: HttpHandler };

/** A service that is listening. `closed` fires when its machine goes away; every connection to it ends then. */
export interface SimListener {
  readonly host: string;
  readonly port: number;
  readonly service: SimService;
  readonly closed: AbortSignal;
}

/** `dark`: the machine is there but off or unplugged, packets vanish. `closed`: it is up and nothing listens on that port. */
export type Reached = { readonly state: 'listening'; readonly listener: SimListener } | { readonly state: 'closed' | 'dark' | 'unknown' };

/**
 * The simulated wire: which machines have power, and what listens where. Models change it synchronously; ring A dials it
 * directly, ring B mirrors each listener as a real server.
 */
export interface SimNetwork {
  listen(host: string, port: number, service: SimService): void;
  /** Ends the service and its connections; nothing happens when none is there. */
  unlisten(host: string, port: number): void;
  setPower(host: string, on: boolean): void;
  reach(host: string, port: number): Reached;
  listeners(): readonly SimListener[];
  /** Hosts that exist, with power or without. */
  hosts(): readonly string[];
  onListen(watch: (listener: SimListener) => void): void;
  /** Asked for hosts that are none: the address behind a name or a load balancer, if there is one. */
  resolveWith(resolve: (host: string, port: number) => string | undefined): void;
}

export function createNetwork(): SimNetwork {
  const power = new Map<string, boolean>();
  const listening = new Map<string, { listener: SimListener; close: AbortController }>();
  const watchers: ((listener: SimListener) => void)[] = [];
  let resolve: (host: string, port: number) => string | undefined = () => undefined;
  const unlisten = (host: string, port: number) => {
    const found = listening.get(`${host}:${port}`);
    listening.delete(`${host}:${port}`);
    found?.close.abort();
  };
  return {
    listen(host, port, service) {
      unlisten(host, port);
      if (!power.has(host)) power.set(host, true);
      const close = new AbortController();
      const listener = { host, port, service, closed: close.signal };
      listening.set(`${host}:${port}`, { listener, close });
      for (const watch of watchers) watch(listener);
    },
    unlisten,
    setPower(host, on) {
      power.set(host, on);
      if (on) return;
      for (const { listener } of listening.values()) if (listener.host === host) unlisten(host, listener.port);
    },
    reach(asked, port) {
      const host = power.has(asked) ? asked : (resolve(asked, port) ?? asked);
      const on = power.get(host);
      if (on === undefined) return { state: 'unknown' };
      if (!on) return { state: 'dark' };
      const found = listening.get(`${host}:${port}`);
      return found ? { state: 'listening', listener: found.listener } : { state: 'closed' };
    },
    listeners: () => [...listening.values()].map(({ listener }) => listener),
    hosts: () => [...power.keys()],
    onListen(watch) {
      watchers.push(watch);
    },
    resolveWith(resolver) {
      resolve = resolver;
    },
  };
}
