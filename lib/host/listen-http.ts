import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { TLSSocket } from 'node:tls';
import { type ClientCertificate, type HttpHandler, type Listen, type Server, TkError } from '../base/index.ts';
import { hostFailure } from './failures.ts';
import { type HeldCalls, ticketHeader } from './held-calls.ts';
import { clientCertificateOf } from './listen-grpc.ts';

/** One HTTP/1.1 server, with TLS where `tls` is given. */
export async function listenHttp(options: Parameters<Listen['http']>[0], held: HeldCalls): Promise<Server> {
  const { host, port, tls, handler } = options;
  const onRequest = (request: IncomingMessage, response: ServerResponse) => void answer(request, response, handler, held);
  const server = tls
    ? createHttpsServer(
        {
          cert: tls.certificate,
          key: tls.key.reveal(),
          ALPNProtocols: ['http/1.1'],
          ...(tls.clientCa === undefined
            ? {}
            : { ca: tls.clientCa, requestCert: true, rejectUnauthorized: tls.clientCertificates !== 'request' }),
        },
        onRequest,
      )
    : createHttpServer(onRequest);
  // Watches stay open for as long as they like.
  server.requestTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(new TkError(hostFailure('host/listen', { host, port, errno: error.code ?? error.message }))),
    );
    server.listen(port, host, resolve);
  });
  const bound = server.address();
  return {
    host,
    port: typeof bound === 'object' && bound ? bound.port : port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(request: IncomingMessage, response: ServerResponse, handler: HttpHandler, held: HeldCalls): Promise<void> {
  const gone = new AbortController();
  response.on('close', () => {
    if (!response.writableFinished) gone.abort();
  });
  response.on('error', () => {});
  let wake = () => {};
  response.on('drain', () => wake());
  gone.signal.addEventListener('abort', () => wake(), { once: true });
  const writable = () =>
    new Promise<void>((resolve) => {
      wake = resolve;
    });
  const { [ticketHeader]: ticket, ...headers } = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, [value ?? ''].flat().join(', ')]),
  );
  await held.join(ticket, async () => {
    try {
      const body = await wholeBody(request);
      const client = clientOf(request);
      const reply = await handler({
        method: request.method ?? 'GET',
        path: request.url ?? '/',
        headers,
        body,
        signal: gone.signal,
        ...(client ? { client } : {}),
      });
      response.writeHead(reply.status, reply.headers ?? {});
      if (reply.body === undefined || typeof reply.body === 'string' || reply.body instanceof Uint8Array) {
        response.end(reply.body);
        return;
      }
      response.flushHeaders();
      for await (const chunk of reply.body) {
        if (gone.signal.aborted) return;
        held.deliver();
        if (!response.write(chunk)) await writable();
      }
      response.end();
    } catch {
      // A caller that left, or a handler that has no answer: both look like a server that died.
      response.destroy();
    }
  });
}

async function wholeBody(request: IncomingMessage): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return new Uint8Array(Buffer.concat(chunks));
}

/** Sockets carry many requests, and the certificate of each stays what it was. */
const clients = new WeakMap<TLSSocket, ClientCertificate>();

function clientOf({ socket }: IncomingMessage): ClientCertificate | undefined {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined;
  const known = clients.get(socket);
  if (known !== undefined) return known;
  const certificate = socket.getPeerCertificate();
  if (!certificate.raw) return undefined;
  const client = clientCertificateOf(certificate);
  clients.set(socket, client);
  return client;
}
