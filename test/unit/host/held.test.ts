import { afterAll, beforeAll, expect, test } from 'vitest';
import type { GrpcHandler, HttpTarget, Server } from '../../../lib/base/index.ts';
import { createHostWorld } from '../../../lib/host/index.ts';
import { createVirtualClock } from '../../../lib/sim/clock.ts';
import { type TestPki, testPki } from '../../rig/pki.ts';

/** Real sockets under a clock that jumps whenever nothing is under way: no virtual time may pass while a call is on the wire. */
const clock = createVirtualClock({ epochMs: Date.UTC(2026, 0, 1) });
const world = createHostWorld({ clock });
const soon = () => AbortSignal.timeout(20_000);
let pki: TestPki;
let server: Server;
let polls = 0;

const handler: GrpcHandler = async function* (call) {
  switch (call.path) {
    case '/machine.MachineService/Version':
      polls += 1;
      yield Buffer.from(String(clock.monotonicMs()));
      return;
    case '/machine.MachineService/Reboot':
      // A slow machine: its caller's hold must not keep this very pause from ending.
      await clock.sleep(30_000);
      yield Buffer.from('done');
      return;
    case '/machine.ImageService/Pull':
      // A timer of the model brings the image; the handler only waits for the change.
      for (let part = 1; part <= 3; part += 1) {
        const { promise, resolve } = Promise.withResolvers<void>();
        clock.at(clock.monotonicMs() + 10_000, resolve);
        await clock.parked(() => promise);
        yield Buffer.from(String(clock.monotonicMs()));
      }
      return;
    default:
      for (let second = 1; second <= 60; second += 1) {
        await clock.sleep(1000);
        yield Buffer.from(String(clock.monotonicMs()));
      }
  }
};

beforeAll(async () => {
  pki = await testPki();
  const pair = await pki.serverPair('127.0.0.1');
  server = await world.listen.grpc({
    host: '127.0.0.1',
    port: 0,
    tls: { certificate: pair.certificate, key: pair.key, clientCa: pki.ca },
    methods: ['MachineService/Version', 'MachineService/Reboot', 'MachineService/Events', 'ImageService/Pull'].map((name) => ({
      path: `/machine.${name}`,
      requestStream: false,
      responseStream: false,
    })),
    handler,
  });
});
afterAll(() => server.close());

const one = async function* () {
  yield new Uint8Array();
};
const connect = async () => world.dial.talos({ host: '127.0.0.1', port: server.port, trust: await pki.mutual('os:admin') }, soon());

test('polling every five seconds over real sockets takes exactly as long as it should', async () => {
  const connection = await connect();
  // A timer of another model tempts the clock each second.
  const stop = new AbortController();
  const ticking = (async () => {
    for (;;) await clock.sleep(1000, stop.signal);
  })().catch(() => {});
  const started = clock.monotonicMs();
  for (let poll = 0; poll < 200; poll += 1) {
    for await (const reply of connection.call({ path: '/machine.MachineService/Version', metadata: {}, requests: one(), signal: soon() }))
      expect(Number(Buffer.from(reply).toString())).toBe(clock.monotonicMs());
    await clock.sleep(5000);
  }
  stop.abort();
  await ticking;
  expect([polls, clock.monotonicMs() - started]).toEqual([200, 1_000_000]);
  connection.close();
});

test('a handler that sleeps lets its caller wait in virtual time', async () => {
  const connection = await connect();
  const started = clock.monotonicMs();
  for await (const reply of connection.call({ path: '/machine.MachineService/Reboot', metadata: {}, requests: one(), signal: soon() }))
    expect(Buffer.from(reply).toString()).toBe('done');
  expect(clock.monotonicMs() - started).toBe(30_000);
  connection.close();
});

test('a handler that waits for a change lets its caller wait in virtual time, and its messages are not late', async () => {
  const connection = await connect();
  const started = clock.monotonicMs();
  const arrived: number[] = [];
  for await (const reply of connection.call({ path: '/machine.ImageService/Pull', metadata: {}, requests: one(), signal: soon() })) {
    expect(Number(Buffer.from(reply).toString())).toBe(clock.monotonicMs());
    arrived.push(clock.monotonicMs() - started);
  }
  expect(arrived).toEqual([10_000, 20_000, 30_000]);
  connection.close();
});

test('messages of an open stream arrive at the instant at which they were sent', async () => {
  const connection = await connect();
  const late: number[] = [];
  for await (const reply of connection.call({ path: '/machine.MachineService/Events', metadata: {}, requests: one(), signal: soon() })) {
    if (Number(Buffer.from(reply).toString()) !== clock.monotonicMs()) late.push(clock.monotonicMs());
  }
  expect(late).toEqual([]);
  connection.close();
});

test('HTTP requests hold the clock, and open watches do not', async () => {
  const api = await world.listen.http({
    host: '127.0.0.1',
    port: 0,
    handler: async (request) => {
      if (!request.path.includes('watch')) return { status: 200, body: String(clock.monotonicMs()) };
      return {
        status: 200,
        body: (async function* () {
          for (let second = 1; second <= 20; second += 1) {
            await clock.sleep(1000);
            yield Buffer.from(String(clock.monotonicMs()));
          }
        })(),
      };
    },
  });
  const target: HttpTarget = { protocol: 'http', host: '127.0.0.1', port: api.port };
  const watched: boolean[] = [];
  const watch = await world.dial.http({ target, method: 'GET', path: '/pods?watch=true', headers: {}, signal: soon() });
  const watching = (async () => {
    for await (const chunk of watch.body) watched.push(Number(Buffer.from(chunk).toString()) === clock.monotonicMs());
  })();
  const started = clock.monotonicMs();
  for (let poll = 0; poll < 50; poll += 1) {
    const reply = await world.dial.http({ target, method: 'GET', path: '/pods', headers: {}, signal: soon() });
    for await (const chunk of reply.body) expect(Number(Buffer.from(chunk).toString())).toBe(clock.monotonicMs());
    await clock.sleep(2000);
  }
  expect(clock.monotonicMs() - started).toBe(100_000);
  await watching;
  expect(watched).toEqual(Array.from({ length: 20 }, () => true));
  await api.close();
});

test('files, children and keys cost no virtual time', async () => {
  const started = clock.monotonicMs();
  const stop = new AbortController();
  const ticking = (async () => {
    for (;;) await clock.sleep(1000, stop.signal);
  })().catch(() => {});
  await world.random.privateKey('p256');
  await world.exec.run([process.execPath, '-e', ''], { timeoutMs: 5000 });
  await world.files.list('/');
  stop.abort();
  await ticking;
  expect(clock.monotonicMs() - started).toBeLessThanOrEqual(3000);
});
