import { createServer as createTlsServer } from 'node:tls';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Clock, Secret, type ServerTls, TkError, type TalosTrust } from '../../../../lib/base/index.ts';
import { createHostWorld } from '../../../../lib/host/index.ts';
import { createTalosMutator, createTalosReader } from '../../../../lib/talos/index.ts';
import { machineApi } from '../../../../lib/upstream/index.ts';
import { type AnsweringMachine, answeringMachine } from '../../../rig/answering-machine.ts';
import { type TestPki, testPki } from '../../../rig/pki.ts';
import { type Relay, relayTo } from '../../../rig/relay.ts';

/** Real sockets that break in every way; deadlines are the test's to fire. */
const world = createHostWorld();
const { method: api } = machineApi.MachineService;
const soon = () => AbortSignal.timeout(8000);

let pki: TestPki;
let tls: ServerTls;
let spki: string;
let admin: Extract<TalosTrust, { kind: 'mutual' }>;
let machine: AnsweringMachine;
let relay: Relay;

beforeAll(async () => {
  pki = await testPki();
  const pair = await pki.serverPair('127.0.0.1');
  spki = pair.spkiSha256;
  tls = { certificate: pair.certificate, key: pair.key, clientCa: pki.ca, clientCertificates: 'require' };
  admin = await pki.mutual('os:admin');
});
beforeEach(async () => {
  machine = await answeringMachine(world, tls);
  machine.on(api.version, () => ({ messages: [{ version: { tag: 'v1.14.1' } }] }));
  relay = await relayTo(machine.port);
});
afterEach(async () => {
  await relay.close();
  await machine.close();
});

/** A clock whose deadlines pass when the test says so. */
function deadlines(): Clock & { pass(): number[] } {
  let sleeping: { ms: number; wake(): void }[] = [];
  return {
    ...world.clock,
    after: (ms, wake) => {
      const entry = { ms, wake };
      sleeping.push(entry);
      return () => {
        sleeping = sleeping.filter((other) => other !== entry);
      };
    },
    pass() {
      const passed = sleeping;
      sleeping = [];
      for (const { wake } of passed) wake();
      return passed.map(({ ms }) => ms);
    },
  };
}

const target = (port = relay.port, trust: TalosTrust = admin) => ({ node: 'cp-1', host: '127.0.0.1', port, trust });
const codeOf = async (work: Promise<unknown>) => {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof TkError)) return error === undefined ? 'no failure' : String(error);
  const { reason } = error.failure.facts;
  return `${error.failure.code}${typeof reason === 'string' ? ` ${reason}` : ''}`;
};

test('a machine that accepts and never speaks is given up at the deadline, and found again as soon as it speaks', async () => {
  relay.freeze();
  const clock = deadlines();
  const talos = createTalosReader({ dial: world.dial, clock }, target());
  for (let attempt = 1; attempt <= 3; attempt += 1) {
    const asking = codeOf(talos.version(soon()));
    await expect.poll(() => relay.connections).toBe(attempt);
    clock.pass();
    expect(await asking).toBe('talos/unreachable timeout');
    // Nothing of the attempt is left behind.
    await expect.poll(() => relay.open()).toBe(0);
  }
  relay.thaw();
  expect((await talos.version(soon())).tag).toBe('v1.14.1');
  expect(relay.connections).toBe(4);
  talos.close();
});

test('a machine that ends its handshake and never speaks HTTP/2 is given up too', async () => {
  let handshakes = 0;
  const silent = createTlsServer(
    { cert: tls.certificate, key: tls.key.reveal(), ca: pki.ca, requestCert: true, ALPNProtocols: ['h2'] },
    (socket) => {
      handshakes += 1;
      socket.on('error', () => {});
      socket.resume();
    },
  );
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const clock = deadlines();
  const talos = createTalosReader({ dial: world.dial, clock }, target((silent.address() as { port: number }).port));
  const asking = codeOf(talos.version(soon()));
  await expect.poll(() => handshakes).toBe(1);
  clock.pass();
  expect(await asking).toBe('talos/unreachable timeout');
  await new Promise((resolve) => silent.close(resolve));
  talos.close();
});

test('a connection that freezes in the middle of a call is not used again', async () => {
  const clock = deadlines();
  const talos = createTalosMutator({ dial: world.dial, clock }, target(), { spkiSha256: spki });
  await talos.version(soon());
  relay.freeze();
  const reading = codeOf(talos.version(soon()));
  await expect.poll(() => clock.pass()).not.toEqual([]);
  expect(await reading).toBe('talos/deadline');
  relay.thaw();
  expect((await talos.version(soon())).tag).toBe('v1.14.1');
  expect(relay.connections).toBe(2);

  // The same during a change: nobody knows whether it happened.
  machine.on(api.reboot, () => {
    relay.freeze();
    return { messages: [{}] };
  });
  const changing = codeOf(talos.reboot('default', soon()));
  await expect.poll(() => machine.calls.filter((call) => call.endsWith('/Reboot')).length).toBe(1);
  await expect.poll(() => clock.pass()).not.toEqual([]);
  expect(await changing).toBe('talos/outcome-unknown');
  relay.thaw();
  expect((await talos.version(soon())).tag).toBe('v1.14.1');
  expect(machine.calls.filter((call) => call.endsWith('/Reboot')).length).toBe(1);
  talos.close();
});

test('a stream that is reset or cut ends with what it brought, and the next call dials anew', async () => {
  machine.on(api.logs, async function* () {
    yield { bytes: Buffer.from('one\n') };
    yield { bytes: Buffer.from('two\n') };
    await new Promise(() => {});
  });
  for (const fault of ['reset', 'end'] as const) {
    const talos = createTalosReader(world, target());
    const seen: string[] = [];
    const reading = codeOf(
      (async () => {
        for await (const text of talos.logs({ service: 'etcd', follow: true }, soon())) seen.push(text);
      })(),
    );
    await expect.poll(() => seen.join('')).toBe('one\ntwo\n');
    relay[fault]();
    expect(await reading).toBe('talos/unavailable');
    expect((await talos.version(soon())).tag).toBe('v1.14.1');
    talos.close();
  }
});

test('not one byte of a config goes to a machine with another certificate', async () => {
  const impostor = await testPki();
  const pair = await impostor.serverPair('127.0.0.1');
  const other = await answeringMachine(world, { certificate: pair.certificate, key: pair.key });
  const config = { text: new Secret('version: v1alpha1\n') };
  const configured = createTalosMutator(world, target(other.port), { role: 'worker' });
  expect(await codeOf(configured.applyConfiguration(config, 'auto', soon()))).toBe('talos/unreachable unknown-authority');
  const pinned = createTalosMutator(world, target(other.port, { kind: 'insecure', spkiSha256: spki }), { spkiSha256: spki });
  expect(await codeOf(pinned.applyConfiguration(config, 'auto', soon()))).toBe('talos/unreachable fingerprint-mismatch');
  const swapped = createTalosMutator(world, target(other.port, { kind: 'insecure' }), { spkiSha256: spki });
  expect(await codeOf(swapped.applyConfiguration(config, 'auto', soon()))).toBe('talos/wrong-machine');
  expect(other.calls).toEqual([]);
  await other.close();
});

test('a machine that is swapped between two calls is noticed before the second', async () => {
  machine.on(api.reboot, () => ({ messages: [{}] }));
  const talos = createTalosMutator(world, target(machine.port, { ...admin }), { spkiSha256: spki });
  await talos.reboot('default', soon());
  const { port } = machine;
  await machine.close();
  // A node of the same cluster has taken over the address.
  const pair = await pki.serverPair('127.0.0.1');
  machine = await answeringMachine(world, { ...tls, certificate: pair.certificate, key: pair.key }, port);
  expect(await codeOf(talos.reboot('default', soon()))).toBe('talos/wrong-machine');
  expect(machine.calls).toEqual([]);
  talos.close();
});

test('a call that this computer slept over does not leave, and the next one does', async () => {
  machine.on(api.reboot, () => ({ messages: [{}] }));
  let nowMs = 0;
  let sleptMs = 15_001;
  const clock = { ...world.clock, now: () => (nowMs += sleptMs) };
  const talos = createTalosMutator({ dial: world.dial, clock }, target(), { spkiSha256: spki });
  expect(await codeOf(talos.reboot('default', soon()))).toBe('talos/overslept');
  expect(machine.calls.filter((call) => call.endsWith('/Reboot'))).toEqual([]);
  // So long a call may have to wait for its turn on a busy computer.
  sleptMs = 15_000;
  expect(await codeOf(talos.reboot('default', soon()))).toBe('no failure');
  expect(machine.calls.filter((call) => call.endsWith('/Reboot'))).toHaveLength(1);
  talos.close();
});

test('messages up to the limit of 32 MiB pass, larger ones are refused as such', async () => {
  let bytes = 31 * 1024 * 1024;
  machine.on(api.read, async function* () {
    yield { bytes: new Uint8Array(bytes) };
  });
  const talos = createTalosReader(world, target());
  expect((await talos.readFile('/big', soon())).length).toBe(bytes);
  bytes = 33 * 1024 * 1024;
  expect(await codeOf(talos.readFile('/big', soon()))).toBe('talos/rpc');
  expect((await talos.version(soon())).tag).toBe('v1.14.1');
  talos.close();
});
