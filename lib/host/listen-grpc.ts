import {
  Metadata,
  type MethodDefinition,
  type handleBidiStreamingCall,
  Server as GrpcServer,
  ServerCredentials,
  type ServerDuplexStream,
} from '@grpc/grpc-js';
import type { PeerCertificate } from 'node:tls';
import {
  type ClientCertificate,
  GrpcError,
  type GrpcHandler,
  type GrpcMetadata,
  type Listen,
  type Server,
  type ServerTls,
  TkError,
} from '../base/index.ts';
import { hostFailure } from './failures.ts';
import { type HeldCalls, ticketHeader } from './held-calls.ts';

const largestMessageBytes = 32 * 1024 * 1024;
const unknown = 2;

/** One TLS gRPC server. Every method is bound as a two-way stream, which on the wire is what all four kinds are. */
export async function listenGrpc(options: Parameters<Listen['grpc']>[0], held: HeldCalls): Promise<Server> {
  const server = new GrpcServer({
    'grpc.max_receive_message_length': largestMessageBytes,
    'grpc.max_send_message_length': largestMessageBytes,
  });
  const definition: Record<string, MethodDefinition<Buffer, Uint8Array>> = {};
  const bound: Record<string, handleBidiStreamingCall<Buffer, Uint8Array>> = {};
  for (const { path } of options.methods) {
    definition[path] = {
      path,
      requestStream: true,
      responseStream: true,
      requestSerialize: (bytes) => bytes,
      requestDeserialize: (bytes) => bytes,
      responseSerialize: (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
      responseDeserialize: (bytes) => bytes,
    };
    bound[path] = (call) => void answer(path, call, options.handler, held);
  }
  server.addService(definition, bound);
  const port = await new Promise<number>((resolve, reject) => {
    const address = options.host.includes(':') ? `[${options.host}]:${options.port}` : `${options.host}:${options.port}`;
    server.bindAsync(address, credentialsOf(options.tls), (error, bound) => {
      if (error) reject(new TkError(hostFailure('host/listen', { host: options.host, port: options.port, errno: errnoIn(error) })));
      else resolve(bound);
    });
  });
  return {
    host: options.host,
    port,
    close: async () => {
      server.forceShutdown();
    },
  };
}

async function answer(path: string, call: ServerDuplexStream<Buffer, Uint8Array>, handler: GrpcHandler, held: HeldCalls): Promise<void> {
  const cancelled = new AbortController();
  let finished = false;
  // The event also comes after a call that ended well.
  call.on('cancelled', () => {
    if (!finished) cancelled.abort();
  });
  call.on('error', () => {});
  let wake = () => {};
  call.on('drain', () => wake());
  cancelled.signal.addEventListener('abort', () => wake(), { once: true });
  const writable = () =>
    new Promise<void>((resolve) => {
      wake = resolve;
    });
  const metadata = metadataOf(call.metadata);
  const client = clientOf(call);
  const ticket = metadata[ticketHeader];
  const visible: Record<string, string | readonly string[]> = { ...metadata };
  delete visible[ticketHeader];
  await held.join(typeof ticket === 'string' ? ticket : undefined, async () => {
    try {
      const replies = handler({
        path,
        metadata: visible,
        // Leaving the loop after one request must not end the call.
        requests: call.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>,
        signal: cancelled.signal,
        remoteAddress: call.getPeer().replace(/:\d+$/, ''),
        ...(client ? { client } : {}),
      });
      for await (const reply of replies) {
        if (cancelled.signal.aborted) return;
        held.deliver();
        if (!call.write(reply)) await writable();
      }
      finished = true;
      call.end();
    } catch (error) {
      finished = true;
      if (cancelled.signal.aborted) return;
      const status =
        error instanceof GrpcError ? error.status : { code: unknown, message: error instanceof Error ? error.message : String(error) };
      call.emit('error', { code: status.code, details: status.message, metadata: new Metadata() });
    }
  });
}

function metadataOf(metadata: Metadata): GrpcMetadata {
  return Object.fromEntries(
    Object.keys(metadata.getMap()).map((key) => {
      const values = metadata.get(key).map(String);
      return [key, values.length === 1 ? (values[0] ?? '') : values];
    }),
  );
}

function clientOf(call: ServerDuplexStream<Buffer, Uint8Array>): ClientCertificate | undefined {
  const certificate = call.getAuthContext().sslPeerCertificate;
  return certificate?.raw ? clientCertificateOf(certificate) : undefined;
}

/** Node gives one organization as a string and several as a list. */
export function clientCertificateOf(certificate: PeerCertificate): ClientCertificate {
  const { O: organization, CN: commonName } = certificate.subject as { O?: string | string[]; CN?: string | string[] };
  const body = certificate.raw.toString('base64').replace(/.{1,64}/g, '$&\n');
  return {
    organizations: [organization ?? []].flat(),
    commonName: [commonName ?? ''].flat()[0] ?? '',
    pem: `-----BEGIN CERTIFICATE-----\n${body}-----END CERTIFICATE-----\n`,
  };
}

function errnoIn(error: Error): string {
  return /\bE[A-Z]{3,}\b/.exec(error.message)?.[0] ?? error.message;
}

function credentialsOf(tls: ServerTls): ServerCredentials {
  return new TlsServerCredentials(tls);
}

/** `createSsl` can demand a client certificate or not ask at all; looking at one that is offered needs this. */
class TlsServerCredentials extends ServerCredentials {
  constructor(tls: ServerTls) {
    const asks = tls.clientCa !== undefined;
    super(
      { requestCert: asks, rejectUnauthorized: asks && tls.clientCertificates !== 'request' },
      { cert: tls.certificate, key: tls.key.reveal(), ...(tls.clientCa === undefined ? {} : { ca: tls.clientCa }) },
    );
  }

  override _equals(other: ServerCredentials): boolean {
    return this === other;
  }
}
