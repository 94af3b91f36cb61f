import {
  type ClientCertificate,
  type Dial,
  failuresOf,
  type GrpcCall,
  GrpcError,
  type GrpcServerCall,
  type HttpRequest,
  type HttpResponse,
  type HttpServerRequest,
  type HttpServerResponse,
  type TalosTarget,
  TkError,
} from '../base/index.ts';
import { clientCertificate, fingerprint, isTrusted, peerIdentity } from './certificates.ts';
import { type Cut, cutBy, iteratedOnce } from './cut.ts';
import type { SimFault, SimKernel } from './kernel.ts';
import type { SimListener, SimNetwork } from './network.ts';

/** The host's code, raised here in its place; the words for it are the host's. */
type DialFailures = { 'host/dial': { host: string; port: number; reason: string } };
const dialFailure = failuresOf<DialFailures>();

export const dialRefused = (target: { readonly host: string; readonly port: number }, reason: string): TkError =>
  new TkError(dialFailure('host/dial', { host: target.host, port: target.port, reason }));

/** What a bootstrap changes machines with: whether it happened is the question that matters most. */
const changingCall = /\/(?:Bootstrap|ApplyConfiguration)$/;
const eventsPath = '/machine.MachineService/Events';

/** What a packet into the void costs before the kernel of the workstation gives up. */
const unreachableAfterMs = 3000;
const unavailable = 14;

/**
 * Ring A's network: calls go straight to the handlers. Requests and replies are the encoded bytes, trust is checked as TLS
 * would check it, and the points `wire/dial`, `wire/request`, `wire/reply` and `wire/message` let faults in.
 */
export function createMemoryDial(kernel: SimKernel, network: SimNetwork): Dial {
  const reach = async (target: { readonly host: string; readonly port: number }, signal: AbortSignal): Promise<SimListener> => {
    const fault = kernel.fault('wire/dial', { host: target.host, port: target.port });
    if (fault) {
      await kernel.clock.sleep(Number(fault.facts.lateMs ?? 0), signal);
      if (fault.kind !== 'slow') throw dialRefused(target, fault.kind);
    }
    const reached = network.reach(target.host, target.port);
    switch (reached.state) {
      case 'listening':
        return reached.listener;
      case 'closed':
        throw dialRefused(target, 'refused');
      case 'dark':
        await kernel.clock.sleep(unreachableAfterMs, signal);
        throw dialRefused(target, 'unreachable');
      case 'unknown':
        throw dialRefused(target, 'not-allowed');
    }
  };

  const flapsUntilMs = new Map<string, number>();

  return {
    async talos(target, signal) {
      const reached = await reach(target, signal);
      // Two machines with one address, or an address that has just moved: the neighbour answers.
      const nowMs = kernel.clock.monotonicMs();
      const flap = kernel.fault('wire/address', { host: target.host });
      if (flap) flapsUntilMs.set(target.host, nowMs + Number(flap.facts.forMs ?? 10_000));
      const listener = (flapsUntilMs.get(target.host) ?? -1) >= nowMs ? neighbour(network, reached) : reached;
      if (listener.service.kind !== 'grpc') throw dialRefused(target, 'reset');
      const { service } = listener;
      const tls = await service.tls();
      const client = handshake(target, tls);
      let open = true;
      // A peer that went silent stays so, on this connection.
      let isWedged = false;
      return {
        peer: peerIdentity(tls.certificate),
        isOpen: () => open && !listener.closed.aborted,
        close() {
          open = false;
        },
        call: (call) => {
          const facts = { host: target.host, path: call.path };
          const gone = () => new GrpcError(unavailable, 'error reading from server: EOF');
          const cut = cutBy(call.signal, listener.closed, () => (call.signal.aborted ? new GrpcError(1, 'Cancelled on client') : gone()));
          let reply: SimFault | undefined;
          const begin = async (): Promise<AsyncIterator<Uint8Array>> => {
            if (!open || listener.closed.aborted) throw gone();
            // Written at once, whatever the network does with it.
            const requests = await collect(call.requests);
            if (isWedged) await silence(call.signal);
            const request = kernel.fault('wire/request', facts);
            if (request) {
              kernel.emit({ kind: 'wire/late', facts: { host: target.host, lateMs: Number(request.facts.lateMs ?? 0) } });
              await delay(kernel, request, call.signal);
              if (request.kind === 'reset') open = false;
              if (request.kind !== 'slow') throw gone();
            }
            cut.listen();
            const serve = () => service.handler(new ServedCall(cut, call.path, call.metadata, itemsOf(requests), client));
            reply = kernel.fault('wire/reply', facts) ?? (changingCall.test(call.path) ? kernel.fault('wire/change', facts) : undefined);
            if (reply?.kind === 'duplicated') for await (const _ of serve()) break;
            return serve()[Symbol.asyncIterator]();
          };
          const afterwards = async (fault: SimFault): Promise<void> => {
            await delay(kernel, fault, call.signal);
            if (fault.kind === 'reset') open = false;
            if (fault.kind === 'lost' || fault.kind === 'reset') throw gone();
            if (fault.kind !== 'never') return;
            isWedged = true;
            await silence(call.signal);
          };
          return iteratedOnce(
            begin,
            async (messages) => {
              for (;;) {
                const next = await cut.orCut(messages.next());
                if (reply) await afterwards(reply);
                // A stream loses nothing, except that one: its buffer on the machine drops what is not fetched in time.
                if (!next.done && call.path === eventsPath && kernel.fault('wire/message', facts)?.kind === 'lost') continue;
                return next;
              }
            },
            cut.release,
          );
        },
      };
    },
    async http(request) {
      const listener = await reach(request.target, request.signal);
      if (listener.service.kind !== 'http') throw dialRefused(request.target, 'reset');
      const { service } = listener;
      const client = service.tls ? httpsHandshake(request, await service.tls()) : undefined;
      const facts = { host: request.target.host, path: request.path, method: request.method };
      const lost = kernel.fault('wire/request', facts);
      if (lost) {
        await delay(kernel, lost, request.signal);
        if (lost.kind !== 'slow') throw dialRefused(request.target, 'reset');
      }
      const reset = () => dialRefused(request.target, 'reset');
      const cut = cutBy(request.signal, listener.closed, reset);
      cut.listen();
      const ask = () => service.handler(new ServedRequest(cut, request, client));
      try {
        const reply = kernel.fault('wire/reply', facts);
        if (reply?.kind === 'duplicated') await cut.orCut(ask());
        const response = await cut.orCut(ask());
        if (reply) {
          await delay(kernel, reply, request.signal);
          if (reply.kind === 'never') await orAborted(new Promise<never>(() => {}), request.signal, reset);
          if (reply.kind === 'lost' || reply.kind === 'reset') throw reset();
        }
        return toResponse(response, cut);
      } catch (error) {
        cut.release();
        throw error;
      }
    },
  };
}

/** A call as its handler sees it. Few look at the signal; an object with an accessor of its own would cost as much as the rest. */
class ServedCall implements GrpcServerCall {
  readonly remoteAddress = '192.168.42.2';
  readonly path: string;
  readonly metadata: GrpcCall['metadata'];
  readonly requests: AsyncIterable<Uint8Array>;
  declare readonly client?: ClientCertificate;
  readonly #cut: Cut;

  constructor(
    cut: Cut,
    path: string,
    metadata: GrpcCall['metadata'],
    requests: AsyncIterable<Uint8Array>,
    client: ClientCertificate | undefined,
  ) {
    this.#cut = cut;
    this.path = path;
    this.metadata = metadata;
    this.requests = requests;
    if (client) this.client = client;
  }

  get signal(): AbortSignal {
    return this.#cut.signal();
  }
}

class ServedRequest implements HttpServerRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  declare readonly client?: ClientCertificate;
  readonly #cut: Cut;

  constructor(cut: Cut, { method, path, headers, body, target }: HttpRequest, client: ClientCertificate | undefined) {
    this.#cut = cut;
    this.method = method;
    this.path = path;
    this.headers = { host: target.host, ...headers };
    this.body = typeof body === 'string' ? Buffer.from(body) : (body ?? noBytes);
    if (client) this.client = client;
  }

  get signal(): AbortSignal {
    return this.#cut.signal();
  }
}

const noBytes = new Uint8Array();

const silence = (signal: AbortSignal) => orAborted(new Promise<never>(() => {}), signal, () => new GrpcError(1, 'Cancelled on client'));

/** Another machine that listens on the same port; the same one when there is none. */
function neighbour(network: SimNetwork, { host, port, ...rest }: SimListener): SimListener {
  const others = network.listeners().filter((other) => other.port === port && other.service.kind === 'grpc');
  const at = others.findIndex((other) => other.host === host);
  return others[(at + 1) % others.length] ?? { host, port, ...rest };
}

const delay = (kernel: SimKernel, fault: SimFault, signal: AbortSignal) => kernel.clock.sleep(Number(fault.facts.lateMs ?? 0), signal);

type Tls = { readonly certificate: string; readonly clientCa?: string; readonly clientCertificates?: 'require' | 'request' };

/** The certificate that the server gets to see, or why the handshake ends. */
function handshake(target: TalosTarget, tls: Tls): ClientCertificate | undefined {
  const { trust } = target;
  if (trust.kind === 'insecure') {
    if (trust.spkiSha256 !== undefined && trust.spkiSha256 !== fingerprint(tls.certificate))
      throw dialRefused(target, 'fingerprint-mismatch');
    if (tls.clientCertificates === 'require') throw dialRefused(target, 'certificate-required');
    return undefined;
  }
  if (!isTrusted(tls.certificate, trust.ca)) throw dialRefused(target, 'unknown-authority');
  return acceptClient(target, tls, trust.certificate);
}

function httpsHandshake({ target }: HttpRequest, tls: Tls): ClientCertificate | undefined {
  const { ca, certificate, insecureSkipVerify } = target.tls ?? {};
  if (!insecureSkipVerify && (ca === undefined || !isTrusted(tls.certificate, ca))) throw dialRefused(target, 'unknown-authority');
  if (certificate === undefined) {
    if (tls.clientCertificates === 'require') throw dialRefused(target, 'certificate-required');
    return undefined;
  }
  return acceptClient(target, tls, certificate);
}

function acceptClient(
  target: { readonly host: string; readonly port: number },
  tls: Tls,
  certificate: string,
): ClientCertificate | undefined {
  if (tls.clientCa === undefined) return undefined;
  if (isTrusted(certificate, tls.clientCa)) return clientCertificate(certificate);
  if (tls.clientCertificates === 'require') throw dialRefused(target, 'certificate-rejected');
  return undefined;
}

async function collect(requests: AsyncIterable<Uint8Array>): Promise<readonly Uint8Array[]> {
  const all: Uint8Array[] = [];
  for await (const request of requests) all.push(request.slice());
  return all;
}

function itemsOf<T>(items: readonly T[]): AsyncIterable<T> {
  return {
    [Symbol.asyncIterator]() {
      const left = items.values();
      return { next: async () => left.next() };
    },
  };
}

function orAborted<T>(work: Promise<T>, signal: AbortSignal, error: () => Error): Promise<T> {
  work.catch(() => {});
  if (signal.aborted) return Promise.reject(error());
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(error());
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

function toResponse(response: HttpServerResponse, cut: Cut): HttpResponse {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(response.headers ?? {})) headers[name.toLowerCase()] = value;
  const { status, body } = response;
  if (body !== undefined && typeof body !== 'string' && !(body instanceof Uint8Array)) {
    const begin = async () => body[Symbol.asyncIterator]();
    return { status, headers, body: iteratedOnce(begin, (chunks) => cut.orCut(chunks.next()), cut.release) };
  }
  cut.release();
  return {
    status,
    headers,
    body: itemsOf(body === undefined || body.length === 0 ? [] : [typeof body === 'string' ? Buffer.from(body) : body]),
  };
}
