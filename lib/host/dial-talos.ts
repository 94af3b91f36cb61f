import { createHash, type X509Certificate } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { isIP, type Socket } from 'node:net';
import { checkServerIdentity, connect, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';
import { CallCredentials, ChannelCredentials, Client, type ClientDuplexStream, connectivityState, Metadata } from '@grpc/grpc-js';
import {
  type GrpcCall,
  GrpcError,
  type PeerIdentity,
  type TalosConnection,
  type TalosTarget,
  type TalosTrust,
  type TkError,
} from '../base/index.ts';
import { type Address, dialError, dialErrorFrom } from './dial-failure.ts';
import { type HeldCalls, ticketHeader } from './held-calls.ts';

/** Talos' GRPCMaxMessageSize. */
const largestMessageBytes = 32 * 1024 * 1024;

/** Real milliseconds; a handshake on loopback takes two. */
const handshakeHoldMs = 2000;

const unavailable = 14;
const unknown = 2;
const cancelled = 1;

/** Calls that stay open while nothing happens: only the way to their first message keeps a simulated clock still. */
const longLived = new Set([
  '/cosi.resource.State/Watch',
  '/machine.MachineService/Events',
  '/machine.MachineService/Logs',
  '/machine.MachineService/Dmesg',
  '/machine.MachineService/PacketCapture',
  '/machine.DebugService/ContainerRun',
]);

/**
 * Opens one TLS socket and speaks gRPC over it, and over no other: what the handshake showed is true for every call.
 *
 *     dialling ──▶ open ──▶ closed        (never back: a wedged or lost connection is thrown away)
 *         └───────────────▶ rejected
 *
 * Failure: `host/dial`; `timeout` when the signal fires first.
 */
export async function dialTalos(target: TalosTarget, signal: AbortSignal, held: HeldCalls): Promise<TalosConnection> {
  const context = secureContext(target);
  const hold = held.start();
  // A peer that never speaks must not stop simulated time for ever.
  const letGo = setTimeout(hold.end, handshakeHoldMs);
  try {
    const address = await withSignal(target, signal, addressOf(target));
    const credentials = new OneSocketCredentials(target, context);
    const client = new Client(address, credentials, {
      // The process-wide pool hands a wedged connection to every later client of the same address.
      'grpc.use_local_subchannel_pool': 1,
      'grpc.enable_retries': 0,
      'grpc.enable_http_proxy': 0,
      // An idle channel drops its socket and would quietly open another one.
      'grpc.client_idle_timeout_ms': 2_147_483_647,
      'grpc.service_config_disable_resolution': 1,
      'grpc.max_receive_message_length': largestMessageBytes,
      'grpc.max_send_message_length': largestMessageBytes,
      'grpc.default_authority': hostPort(target),
    });
    try {
      await withSignal(target, signal, becomesReady(client, credentials, target));
    } catch (error) {
      // First the channel, which would otherwise take the end of its socket for a reason to connect anew.
      client.close();
      credentials.destroy();
      throw error;
    }
    return openConnection(client, credentials, held);
  } finally {
    clearTimeout(letGo);
    hold.end();
  }
}

function openConnection(client: Client, credentials: OneSocketCredentials, held: HeldCalls): TalosConnection {
  const { peer } = credentials;
  if (!peer) throw new Error('a ready channel without a handshake');
  let open = true;
  const close = () => {
    if (!open) return;
    open = false;
    client.close();
    credentials.destroy();
  };
  credentials.onClose(close);
  return {
    peer,
    isOpen: () => open,
    close,
    call: (call) => callOver(client, call, () => open, held),
  };
}

async function* callOver(client: Client, call: GrpcCall, isOpen: () => boolean, held: HeldCalls): AsyncGenerator<Uint8Array> {
  if (!isOpen()) throw new GrpcError(unavailable, 'the connection is closed');
  if (call.signal.aborted) throw new GrpcError(cancelled, 'Cancelled');
  const hold = held.start();
  const stream = client.makeBidiStreamRequest<Uint8Array, Uint8Array>(call.path, asBuffer, (bytes) => bytes, metadataOf(call, hold.ticket));
  // Errors reach us through the iterator; without a listener they would end the process.
  stream.on('error', () => {});
  const cancel = () => stream.cancel();
  call.signal.addEventListener('abort', cancel, { once: true });
  let requestError: unknown;
  const sending = sendAll(stream, call.requests).catch((error: unknown) => {
    requestError = error;
    stream.cancel();
  });
  let ended = false;
  try {
    for await (const message of stream as AsyncIterable<Uint8Array>) {
      if (longLived.has(call.path)) hold.end();
      yield message;
    }
    ended = true;
  } catch (error) {
    ended = true;
    if (requestError !== undefined) throw requestError;
    const failed = grpcErrorOf(error);
    // Closing the channel after its socket ended cancels what was under way: nobody asked for that.
    const isLost = failed.status.code === cancelled && !call.signal.aborted && !isOpen();
    throw isLost ? new GrpcError(unavailable, 'the connection was lost') : failed;
  } finally {
    hold.end();
    call.signal.removeEventListener('abort', cancel);
    if (!ended) stream.cancel();
    void sending;
  }
}

async function sendAll(stream: ClientDuplexStream<Uint8Array, Uint8Array>, requests: AsyncIterable<Uint8Array>): Promise<void> {
  let ended = false;
  let wake = () => {};
  stream.on('drain', () => wake());
  stream.once('status', () => {
    ended = true;
    wake();
  });
  for await (const request of requests) {
    if (ended) return;
    if (!stream.write(request) && !ended) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  }
  if (!ended) stream.end();
}

function grpcErrorOf(error: unknown): GrpcError {
  const { code, details, message } = error as { code?: unknown; details?: string; message?: string };
  return new GrpcError(typeof code === 'number' ? code : unknown, details ?? message ?? String(error));
}

function metadataOf(call: GrpcCall, ticket: string | undefined): Metadata {
  const metadata = new Metadata();
  for (const [key, value] of Object.entries(call.metadata)) {
    for (const one of typeof value === 'string' ? [value] : value) metadata.add(key, one);
  }
  if (ticket !== undefined) metadata.set(ticketHeader, ticket);
  return metadata;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Resolves with the channel's first READY, rejects with its first failure; a channel gets no second try. */
async function becomesReady(client: Client, credentials: OneSocketCredentials, target: Address): Promise<void> {
  const channel = client.getChannel();
  let state = channel.getConnectivityState(true);
  while (state === connectivityState.IDLE || state === connectivityState.CONNECTING) {
    if (credentials.isSpent()) break;
    await new Promise((resolve) => channel.watchConnectivityState(state, Number.POSITIVE_INFINITY, resolve));
    state = channel.getConnectivityState(false);
  }
  if (state === connectivityState.READY) return;
  // Somebody gave up on it in the meantime.
  if (state === connectivityState.SHUTDOWN) throw dialError(target, 'timeout');
  throw dialErrorFrom(target, (await credentials.failure()) ?? (await reasonOfFailedChannel(client)));
}

/** A channel that failed before TLS tells why only to calls. This one never leaves the process: there is no connection. */
function reasonOfFailedChannel(client: Client): Promise<string> {
  return new Promise((resolve) => {
    const stream = client.makeBidiStreamRequest<Uint8Array, Uint8Array>('/', asBuffer, (bytes) => bytes, new Metadata());
    stream.on('data', () => {});
    stream.on('error', () => {});
    stream.on('status', (status) => resolve(status.details));
  });
}

/** Aborting gives up at once; what is still under way in the background destroys itself when it comes back. */
function withSignal<T>(target: Address, signal: AbortSignal, work: Promise<T>): Promise<T> {
  work.catch(() => {});
  if (signal.aborted) return Promise.reject(dialError(target, 'timeout'));
  return new Promise((resolve, reject) => {
    const abort = () => reject(dialError(target, 'timeout'));
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

async function addressOf(target: Address): Promise<string> {
  try {
    const { address, family } = isIP(target.host) ? { address: target.host, family: isIP(target.host) } : await lookup(target.host);
    return family === 6 ? `ipv6:[${address}]:${target.port}` : `ipv4:${address}:${target.port}`;
  } catch (error) {
    throw dialErrorFrom(target, error);
  }
}

function hostPort(target: Address): string {
  return isIP(target.host) === 6 ? `[${target.host}]:${target.port}` : `${target.host}:${target.port}`;
}

/** Reading certificates and keys is a fifth of a handshake, and a cluster's machines are all spoken to with the same ones. */
const contexts = new WeakMap<TalosTrust, SecureContext>();

function secureContext(target: TalosTarget): SecureContext {
  const { trust } = target;
  const known = contexts.get(trust);
  if (known !== undefined) return known;
  try {
    // Who is believed anyway needs no authorities: the usual ones are hundreds.
    const material = trust.kind === 'insecure' ? { ca: [] } : { ca: trust.ca, cert: trust.certificate, key: trust.key.reveal() };
    const context = createSecureContext({ minVersion: 'TLSv1.2', ...material });
    contexts.set(trust, context);
    return context;
  } catch (error) {
    throw dialError(target, 'credentials-unusable', {
      detail: error instanceof Error && 'code' in error ? String(error.code) : 'unreadable',
    });
  }
}

/**
 * Channel credentials that make one TLS socket and refuse every further one, so that a channel cannot reconnect behind our back.
 *
 * Source: grpc-js src/channel-credentials.ts (`_createSecureConnector` is internal: the exact version is pinned)
 */
class OneSocketCredentials extends ChannelCredentials {
  peer: PeerIdentity | undefined;
  readonly #target: TalosTarget;
  readonly #context: SecureContext;
  #socket: TLSSocket | undefined;
  #error: unknown;
  #isSpent = false;
  #isDestroyed = false;

  constructor(target: TalosTarget, context: SecureContext) {
    super();
    this.#target = target;
    this.#context = context;
  }

  override _isSecure(): boolean {
    return true;
  }

  override _equals(other: ChannelCredentials): boolean {
    return this === other;
  }

  override _createSecureConnector(_target: unknown, _options: unknown, callCredentials?: CallCredentials) {
    return {
      connect: (socket: Socket) => this.#connect(socket),
      waitForReady: () => Promise.resolve(),
      getCallCredentials: () => callCredentials ?? CallCredentials.createEmpty(),
      destroy: () => {},
    };
  }

  /** Whether the one socket was made and has ended. */
  isSpent(): boolean {
    return this.#isSpent && (this.#socket?.destroyed ?? true);
  }

  /** The error of the socket. An alert of the other side comes a moment after the channel noticed that the socket is gone. */
  async failure(): Promise<unknown> {
    if (this.#socket && this.#error === undefined) {
      await new Promise((resolve) => setImmediate(resolve));
      return this.#error ?? Object.assign(new Error('socket closed'), { code: 'ECONNRESET' });
    }
    return this.#error;
  }

  onClose(listener: () => void): void {
    if (!this.#socket || this.#socket.destroyed) listener();
    else this.#socket.once('close', listener);
  }

  destroy(): void {
    this.#isDestroyed = true;
    this.#socket?.destroy();
  }

  #connect(tcp: Socket): Promise<{ socket: TLSSocket; secure: boolean }> {
    if (this.#isSpent || this.#isDestroyed) {
      tcp.destroy();
      return Promise.reject(new Error('this connection has ended'));
    }
    this.#isSpent = true;
    const { host, trust } = this.#target;
    const socket = connect({
      socket: tcp,
      secureContext: this.#context,
      ALPNProtocols: ['h2'],
      // RFC 6066 allows no address here.
      ...(isIP(host) ? {} : { servername: host }),
      rejectUnauthorized: trust.kind === 'mutual',
      checkServerIdentity: (_name, certificate) => checkServerIdentity(host, certificate),
    });
    this.#socket = socket;
    return new Promise((resolve, reject) => {
      socket.on('error', (error) => {
        this.#error ??= error;
        reject(error);
      });
      socket.once('close', () => reject(this.#error ?? new Error('socket closed')));
      socket.once('secureConnect', () => {
        const refusal = this.#judge(socket);
        if (refusal) {
          this.#error = refusal;
          socket.destroy();
          reject(refusal);
          return;
        }
        resolve({ socket, secure: true });
      });
    });
  }

  #judge(socket: TLSSocket): TkError | undefined {
    const certificate = socket.getPeerX509Certificate();
    if (!certificate) return dialError(this.#target, 'not-talos', { detail: 'no certificate' });
    if (socket.alpnProtocol !== 'h2') return dialError(this.#target, 'not-talos', { detail: 'no HTTP/2' });
    const peer = { spkiSha256: fingerprintOf(certificate), certificatePem: certificate.toString() };
    const { trust } = this.#target;
    if (trust.kind === 'insecure' && trust.spkiSha256 !== undefined && trust.spkiSha256 !== peer.spkiSha256) {
      return dialError(this.#target, 'fingerprint-mismatch', { expected: trust.spkiSha256, seen: peer.spkiSha256 });
    }
    this.peer = peer;
    return undefined;
  }
}

/** base64(SHA-256(SubjectPublicKeyInfo)), as Talos prints it. */
function fingerprintOf(certificate: X509Certificate): string {
  return createHash('sha256')
    .update(certificate.publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64');
}
