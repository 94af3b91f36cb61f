import { connect, createServer, type Socket } from 'node:net';

/** A TCP relay in front of a server, with a hand on every wire. */
export interface Relay {
  readonly port: number;
  /** How many connections were ever opened. */
  readonly connections: number;
  /** Bytes stop in both directions; nobody is told. New connections are accepted and stay silent too. */
  freeze(): void;
  /** New connections pass again; those that were frozen stay so. */
  thaw(): void;
  /** Every connection is reset. */
  reset(): void;
  /** Every connection ends as if both sides had hung up. */
  end(): void;
  /** The frozen or passing sockets towards the client that are still open. */
  open(): number;
  close(): Promise<void>;
}

export async function relayTo(port: number): Promise<Relay> {
  const pairs = new Set<readonly [client: Socket, server: Socket | undefined]>();
  let isFrozen = false;
  let connections = 0;
  const listener = createServer((client) => {
    connections += 1;
    client.on('error', () => {});
    const server = isFrozen ? undefined : connect(port, '127.0.0.1');
    server?.on('error', () => {});
    const pair = [client, server] as const;
    pairs.add(pair);
    const drop = () => {
      client.destroy();
      server?.destroy();
      pairs.delete(pair);
    };
    client.on('close', drop);
    server?.on('close', drop);
    if (server) {
      client.pipe(server, { end: false });
      server.pipe(client, { end: false });
    } else client.resume();
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  return {
    port: (listener.address() as { port: number }).port,
    get connections() {
      return connections;
    },
    freeze() {
      isFrozen = true;
      for (const [client, server] of pairs) {
        client.unpipe();
        server?.unpipe();
        // What still arrives is thrown away, so that a hang-up is noticed.
        client.resume();
        server?.resume();
      }
    },
    thaw() {
      isFrozen = false;
    },
    reset() {
      for (const [client, server] of pairs) {
        client.resetAndDestroy();
        server?.resetAndDestroy();
      }
    },
    end() {
      for (const [client] of pairs) client.end();
    },
    open: () => pairs.size,
    close: () =>
      new Promise((resolve) => {
        for (const [client, server] of pairs) {
          client.destroy();
          server?.destroy();
        }
        listener.close(() => resolve());
      }),
  };
}
