import { createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type GrpcHandler, GrpcError, type Server, type ServerTls, TkError, type TalosTrust } from '../../../lib/base/index.ts';
import { createHostWorld } from '../../../lib/host/index.ts';
import { type TestPki, testPki } from '../../rig/pki.ts';

const world = createHostWorld();
const methods = ['Echo', 'Count', 'Sum', 'Fail', 'Never', 'Who'].map((name) => ({
  path: `/test.Test/${name}`,
  requestStream: true,
  responseStream: true,
}));
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();
const one = async function* (value: string) {
  yield Buffer.from(value);
};
const soon = () => AbortSignal.timeout(5000);

let pki: TestPki;
let tls: ServerTls;
let spki: string;
let server: Server;
const aborted: string[] = [];

const handler: GrpcHandler = async function* (call) {
  switch (call.path.split('/').at(-1)) {
    case 'Echo':
      for await (const request of call.requests) {
        yield request;
        return;
      }
      return;
    case 'Count':
      for (let index = 0; index < 5; index += 1) yield Buffer.from(String(index));
      return;
    case 'Sum': {
      let bytes = 0;
      for await (const request of call.requests) bytes += request.length;
      yield Buffer.from(String(bytes));
      return;
    }
    case 'Fail':
      yield Buffer.from('first');
      throw new GrpcError(6, 'etcd data directory is not empty');
    case 'Who':
      yield Buffer.from(JSON.stringify({ ...call.client, pem: call.client?.pem.split('\n')[0], nodes: call.metadata.nodes }));
      return;
    default:
      yield Buffer.from('hello');
      await new Promise<void>((resolve) => call.signal.addEventListener('abort', () => resolve(), { once: true }));
      aborted.push(call.path);
  }
};

const listen = (options: Partial<ServerTls> = {}, port = 0) =>
  world.listen.grpc({ host: '127.0.0.1', port, tls: { ...tls, ...options }, methods, handler });
const dial = (trust: TalosTrust, port = server.port, host = '127.0.0.1') => world.dial.talos({ host, port, trust }, soon());
const failure = async (work: Promise<unknown>) => {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof TkError)) throw new Error('expected a failure', { cause: error });
  const { detail: _, ...facts } = error.failure.facts;
  return { code: error.failure.code, ...facts };
};
const all = async (replies: AsyncIterable<Uint8Array>) => {
  const seen: string[] = [];
  for await (const reply of replies) seen.push(text(reply));
  return seen;
};

beforeAll(async () => {
  pki = await testPki();
  const pair = await pki.serverPair('127.0.0.1');
  spki = pair.spkiSha256;
  tls = { certificate: pair.certificate, key: pair.key, clientCa: pki.ca, clientCertificates: 'require' };
  server = await listen();
});
afterAll(() => server.close());

test('every kind of call passes over one mutual TLS socket', async () => {
  const connection = await dial(await pki.mutual('os:admin'));
  const call = (name: string, requests = one('ping')) =>
    all(connection.call({ path: `/test.Test/${name}`, metadata: {}, requests, signal: soon() }));
  const chunks = async function* () {
    for (let index = 0; index < 200; index += 1) yield Buffer.alloc(32_768);
  };
  expect(await call('Echo')).toEqual(['ping']);
  expect(await call('Count')).toEqual(['0', '1', '2', '3', '4']);
  expect(await call('Sum', chunks() as AsyncGenerator<Buffer<ArrayBuffer>>)).toEqual(['6553600']);
  expect(connection.peer.spkiSha256).toBe(spki);
  expect(connection.peer.certificatePem).toBe(tls.certificate);
  connection.close();
  expect(connection.isOpen()).toBe(false);
});

test('the server sees the roles of the caller and each node that it names', async () => {
  const connection = await dial(await pki.mutual('os:admin', 'os:reader'));
  const call = connection.call({
    path: '/test.Test/Who',
    metadata: { nodes: ['10.0.0.1', '10.0.0.2'] },
    requests: one(''),
    signal: soon(),
  });
  expect(JSON.parse((await all(call))[0] ?? '')).toEqual({
    organizations: ['os:admin', 'os:reader'],
    commonName: '',
    pem: '-----BEGIN CERTIFICATE-----',
    nodes: '10.0.0.1, 10.0.0.2',
  });
  connection.close();
});

test('a status other than OK is thrown after the replies that came before it', async () => {
  const connection = await dial(await pki.mutual('os:admin'));
  const seen: string[] = [];
  const reading = (async () => {
    for await (const reply of connection.call({ path: '/test.Test/Fail', metadata: {}, requests: one(''), signal: soon() }))
      seen.push(text(reply));
  })();
  await expect(reading).rejects.toMatchObject({ status: { code: 6, message: 'etcd data directory is not empty' } });
  expect(seen).toEqual(['first']);
  connection.close();
});

test('a method that the server lacks is Unimplemented', async () => {
  const connection = await dial(await pki.mutual('os:admin'));
  await expect(all(connection.call({ path: '/test.Test/Gone', metadata: {}, requests: one(''), signal: soon() }))).rejects.toMatchObject({
    status: { code: 12 },
  });
  connection.close();
});

test('an aborted call ends at both ends and leaves the connection open', async () => {
  const connection = await dial(await pki.mutual('os:admin'));
  const stop = new AbortController();
  const replies = connection
    .call({ path: '/test.Test/Never', metadata: {}, requests: one(''), signal: stop.signal })
    [Symbol.asyncIterator]();
  expect(text((await replies.next()).value as Uint8Array)).toBe('hello');
  stop.abort();
  await expect(replies.next()).rejects.toMatchObject({ status: { code: 1 } });
  await expect.poll(() => aborted).toEqual(['/test.Test/Never']);
  expect(connection.isOpen()).toBe(true);
  connection.close();
});

test('a machine that loses power ends its connections for good', async () => {
  const other = await listen();
  const connection = await dial(await pki.mutual('os:admin'), other.port);
  const replies = connection.call({ path: '/test.Test/Never', metadata: {}, requests: one(''), signal: soon() })[Symbol.asyncIterator]();
  await replies.next();
  await other.close();
  await expect(replies.next()).rejects.toMatchObject({ status: { code: 14 } });
  await expect.poll(() => connection.isOpen()).toBe(false);
  // The machine is back at the same address; the old connection must not notice.
  const again = await listen({}, other.port);
  await expect(all(connection.call({ path: '/test.Test/Echo', metadata: {}, requests: one('x'), signal: soon() }))).rejects.toMatchObject({
    status: { code: 14 },
  });
  const fresh = await dial(await pki.mutual('os:admin'), other.port);
  expect(await all(fresh.call({ path: '/test.Test/Echo', metadata: {}, requests: one('x'), signal: soon() }))).toEqual(['x']);
  fresh.close();
  await again.close();
});

test('why a connection cannot be had is told apart', async () => {
  const foreign = await testPki();
  const admin = await pki.mutual('os:admin');
  const named = await world.listen.grpc({
    host: '127.0.0.1',
    port: 0,
    tls: { ...tls, ...(await pki.serverPair('127.0.0.9')) },
    methods,
    handler,
  });
  const expired = await world.listen.grpc({
    host: '127.0.0.1',
    port: 0,
    tls: { ...tls, ...(await pki.serverPair('127.0.0.1', { startsInMs: -7_200_000, validityMs: 3_600_000 })) },
    methods,
    handler,
  });
  const early = await world.listen.grpc({
    host: '127.0.0.1',
    port: 0,
    tls: { ...tls, ...(await pki.serverPair('127.0.0.1', { startsInMs: 3_600_000 })) },
    methods,
    handler,
  });
  const at = { code: 'host/dial', host: '127.0.0.1' };
  const port = server.port;
  expect(await failure(dial({ kind: 'insecure' }))).toEqual({ ...at, port, reason: 'certificate-required' });
  expect(await failure(dial({ ...admin, ca: foreign.ca }))).toEqual({ ...at, port, reason: 'unknown-authority' });
  // Go names the reason in an alert (`certificate-rejected`); a Node server only hangs up.
  expect(await failure(dial({ ...(await foreign.mutual('os:admin')), ca: pki.ca }))).toEqual({ ...at, port, reason: 'reset' });
  expect(await failure(dial({ ...admin, certificate: 'nonsense' }))).toEqual({ ...at, port, reason: 'credentials-unusable' });
  expect(await failure(dial(admin, 1))).toEqual({ ...at, port: 1, reason: 'refused' });
  expect(await failure(dial(admin, named.port))).toEqual({ ...at, port: named.port, reason: 'name-mismatch' });
  expect(await failure(dial(admin, expired.port))).toEqual({ ...at, port: expired.port, reason: 'certificate-expired' });
  expect(await failure(dial(admin, early.port))).toEqual({ ...at, port: early.port, reason: 'certificate-not-yet-valid' });
  expect(await failure(dial(admin, 50_000, 'no-such-name.invalid'))).toEqual({
    code: 'host/dial',
    host: 'no-such-name.invalid',
    port: 50_000,
    reason: 'name-not-found',
  });
  await Promise.all([named.close(), expired.close(), early.close()]);
});

test('in maintenance mode a pinned fingerprint is checked on the very connection', async () => {
  const maintenance = await world.listen.grpc({
    host: '127.0.0.1',
    port: 0,
    tls: { certificate: tls.certificate, key: tls.key },
    methods,
    handler,
  });
  const { port } = maintenance;
  const unpinned = await dial({ kind: 'insecure' }, port);
  expect(unpinned.peer.spkiSha256).toBe(spki);
  const pinned = await dial({ kind: 'insecure', spkiSha256: spki }, port);
  expect(await all(pinned.call({ path: '/test.Test/Echo', metadata: {}, requests: one('x'), signal: soon() }))).toEqual(['x']);
  expect(await failure(dial({ kind: 'insecure', spkiSha256: 'AAAA' }, port))).toEqual({
    code: 'host/dial',
    host: '127.0.0.1',
    port,
    reason: 'fingerprint-mismatch',
    expected: 'AAAA',
    seen: spki,
  });
  unpinned.close();
  pinned.close();
  await maintenance.close();
});

test('a certificate that is offered but not demanded is looked at', async () => {
  const lenient = await listen({ clientCertificates: 'request' });
  const without = await dial({ kind: 'insecure' }, lenient.port);
  const foreign = await dial({ ...(await (await testPki()).mutual('os:admin')), ca: pki.ca }, lenient.port);
  const admin = await dial(await pki.mutual('os:reader'), lenient.port);
  const roles = await Promise.all(
    [without, foreign, admin].map(async (connection) => {
      const [reply] = await all(connection.call({ path: '/test.Test/Who', metadata: {}, requests: one(''), signal: soon() }));
      return (JSON.parse(reply ?? '') as { organizations?: string[] }).organizations;
    }),
  );
  expect(roles).toEqual([undefined, undefined, ['os:reader']]);
  for (const connection of [without, foreign, admin]) connection.close();
  await lenient.close();
});

test('a peer that accepts and never speaks, or is no TLS server, costs no more than the deadline', async () => {
  const sockets: Socket[] = [];
  const silent = createServer((socket) => void sockets.push(socket));
  const plain = createServer((socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  const rude = createServer((socket) => void socket.resetAndDestroy());
  const ports = await Promise.all(
    [silent, plain, rude].map(
      (listener) =>
        new Promise<number>((resolve) => listener.listen(0, '127.0.0.1', () => resolve((listener.address() as { port: number }).port))),
    ),
  );
  const admin = await pki.mutual('os:admin');
  const stop = new AbortController();
  const waiting = failure(world.dial.talos({ host: '127.0.0.1', port: ports[0] ?? 0, trust: admin }, stop.signal));
  await expect.poll(() => sockets.length).toBe(1);
  stop.abort();
  expect(await waiting).toEqual({ code: 'host/dial', host: '127.0.0.1', port: ports[0], reason: 'timeout' });
  // The socket is given back at once, not when the other side thinks so.
  await expect.poll(() => sockets[0]?.readableEnded || sockets[0]?.destroyed || sockets[0]?.read() === null).toBe(true);
  expect(await failure(dial(admin, ports[1]))).toMatchObject({ reason: 'not-talos' });
  expect(await failure(dial(admin, ports[2]))).toMatchObject({ reason: 'reset' });
  for (const socket of sockets) socket.destroy();
  for (const listener of [silent, plain, rude]) listener.close();
});
