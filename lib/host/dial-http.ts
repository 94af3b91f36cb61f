import { createHash } from 'node:crypto';
import { Agent as HttpAgent, type ClientRequest, type IncomingMessage, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import { createSecureContext } from 'node:tls';
import type { HttpRequest, HttpResponse, HttpTarget } from '../base/index.ts';
import { dialError, dialErrorFrom } from './dial-failure.ts';
import { type HeldCalls, type HeldCall, ticketHeader } from './held-calls.ts';

/** Sockets of a target that idle longer are closed; API servers drop them themselves after a few minutes. */
const idleSocketMs = 15_000;

export interface HttpDialer {
  request(request: HttpRequest): Promise<HttpResponse>;
}

/** HTTP/1.1 with one pool of sockets per target and client certificate. */
export function createHttpDialer(held: HeldCalls): HttpDialer {
  const agents = new Map<string, HttpAgent | HttpsAgent>();
  const agentOf = (target: HttpTarget) => {
    const key = poolKey(target);
    const known = agents.get(key);
    if (known) return known;
    const agent = createAgent(target);
    agents.set(key, agent);
    return agent;
  };
  const attempt = async (request: HttpRequest, mayRepeat: boolean): Promise<HttpResponse> => {
    const hold = held.start();
    try {
      const { response, outgoing } = await send(request, agentOf, hold.ticket);
      return {
        status: response.statusCode ?? 0,
        headers: headersOf(response),
        body: bodyOf(request, response, outgoing, hold),
      };
    } catch (error) {
      hold.end();
      // A pooled socket that the server closed a moment ago says nothing about the request: it was never read.
      if (error instanceof StaleSocketError && mayRepeat) return attempt(request, false);
      throw error instanceof StaleSocketError ? error.failure : error;
    }
  };
  return { request: (request) => attempt(request, request.method === 'GET' || request.method === 'HEAD') };
}

class StaleSocketError extends Error {
  readonly failure: Error;

  constructor(failure: Error) {
    super('stale socket');
    this.failure = failure;
  }
}

function send(request: HttpRequest, agentOf: (target: HttpTarget) => HttpAgent | HttpsAgent, ticket: string | undefined) {
  const { target } = request;
  const body = request.body === undefined ? undefined : Buffer.from(request.body as string);
  return new Promise<{ response: IncomingMessage; outgoing: ClientRequest }>((resolve, reject) => {
    const open = target.protocol === 'https' ? httpsRequest : httpRequest;
    let outgoing: ClientRequest;
    try {
      outgoing = open({
        agent: agentOf(target),
        host: target.host,
        port: target.port,
        method: request.method,
        path: request.path,
        headers: {
          ...request.headers,
          // Node leaves the length out of a DELETE, and the server then takes the body for the next request.
          ...(body === undefined ? {} : { 'content-length': String(body.length) }),
          ...(ticket === undefined ? {} : { [ticketHeader]: ticket }),
        },
        signal: request.signal,
      });
    } catch (error) {
      reject(
        dialError(target, 'credentials-unusable', {
          detail: error instanceof Error && 'code' in error ? String(error.code) : 'unreadable',
        }),
      );
      return;
    }
    outgoing.once('response', (response) => resolve({ response, outgoing }));
    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      const failure = request.signal.aborted ? dialError(target, 'timeout') : dialErrorFrom(target, error);
      reject(outgoing.reusedSocket && error.code === 'ECONNRESET' ? new StaleSocketError(failure) : failure);
    });
    outgoing.end(body);
  });
}

async function* bodyOf(
  request: HttpRequest,
  response: IncomingMessage,
  outgoing: ClientRequest,
  hold: HeldCall,
): AsyncGenerator<Uint8Array> {
  // An open watch must not keep a simulated clock still.
  if (isLongLived(request.path)) hold.end();
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) yield new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  } catch (error) {
    throw request.signal.aborted ? dialError(request.target, 'timeout') : dialErrorFrom(request.target, error);
  } finally {
    hold.end();
    if (!response.complete) outgoing.destroy();
  }
}

function isLongLived(path: string): boolean {
  return /[?&](?:watch|follow)=(?:true|1)\b/.test(path);
}

function headersOf(response: IncomingMessage): Record<string, string> {
  return Object.fromEntries(Object.entries(response.headers).map(([name, value]) => [name, [value ?? ''].flat().join(', ')]));
}

function createAgent(target: HttpTarget): HttpAgent | HttpsAgent {
  const pool = { keepAlive: true, keepAliveMsecs: idleSocketMs, timeout: 0, scheduling: 'lifo' } as const;
  if (target.protocol === 'http') return new HttpAgent(pool);
  const { ca, certificate, key, serverName, insecureSkipVerify } = target.tls ?? {};
  const name = serverName ?? (isIP(target.host) ? undefined : target.host);
  return new HttpsAgent({
    ...pool,
    // Made once: each socket would read the certificates and the key anew.
    secureContext: createSecureContext({
      minVersion: 'TLSv1.2',
      ...(ca === undefined ? {} : { ca }),
      ...(certificate === undefined ? {} : { cert: certificate }),
      ...(key === undefined ? {} : { key: key.reveal() }),
    }),
    ALPNProtocols: ['http/1.1'],
    ...(name === undefined || isIP(name) ? {} : { servername: name }),
    rejectUnauthorized: insecureSkipVerify !== true,
  });
}

/** The key material itself does not stay in the map's keys. */
function poolKey({ protocol, host, port, tls }: HttpTarget): string {
  const parts = [
    protocol,
    host,
    String(port),
    tls?.ca,
    tls?.certificate,
    tls?.key?.reveal(),
    tls?.serverName,
    String(tls?.insecureSkipVerify),
  ];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}
