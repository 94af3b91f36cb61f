import { gzipSync } from 'node:zlib';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { GrpcError, Secret, type ServerTls, TkError, type TalosTrust } from '../../../../lib/base/index.ts';
import { createHostWorld } from '../../../../lib/host/index.ts';
import { createTalosMutator, createTalosReader, eventPayload, probeMachine, talosResourceTypes } from '../../../../lib/talos/index.ts';
import {
  clusterApi,
  cosiApi,
  create,
  definitions,
  type DescMessage,
  machineApi,
  machineConfigApi,
  type MessageInitShape,
  timeApi,
  toBinary,
} from '../../../../lib/upstream/index.ts';
import { type AnsweringMachine, answeringMachine } from '../../../rig/answering-machine.ts';
import { type TestPki, testPki } from '../../../rig/pki.ts';

const world = createHostWorld();
const { method: api } = machineApi.MachineService;
const { method: state } = cosiApi.State;
const soon = () => AbortSignal.timeout(8000);

let pki: TestPki;
let tls: ServerTls;
let spki: string;
let admin: Extract<TalosTrust, { kind: 'mutual' }>;
let machine: AnsweringMachine;

beforeAll(async () => {
  pki = await testPki();
  const pair = await pki.serverPair('127.0.0.1');
  spki = pair.spkiSha256;
  tls = { certificate: pair.certificate, key: pair.key, clientCa: pki.ca, clientCertificates: 'require' };
  admin = await pki.mutual('os:admin');
});
beforeEach(async () => {
  machine = await answeringMachine(world, tls);
});
afterEach(() => machine.close());

const target = (port = machine.port, trust: TalosTrust = admin) => ({ node: 'cp-1', host: '127.0.0.1', port, trust });
const reader = () => createTalosReader(world, target());
const failureOf = async (work: Promise<unknown>) => {
  const error = await work.then(
    (value) => {
      throw new Error(`expected a failure, not ${JSON.stringify(value)}`);
    },
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof TkError)) throw error;
  return { code: error.failure.code, ...error.failure.facts };
};
const all = async <T>(items: AsyncIterable<T>) => {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
};

interface Stored {
  readonly id: string;
  readonly proto: Uint8Array;
  readonly yaml?: string;
}
const stored = <S extends DescMessage>(id: string, schema: S, spec: MessageInitShape<S>): Stored => ({
  id,
  proto: toBinary(schema, create(schema, spec)),
});
/** Puts resources behind Get and List. */
const holds = (resources: Readonly<Record<string, readonly Stored[]>>) => {
  const wire = (type: string, namespace: string, { id, proto, yaml = '' }: Stored) => ({
    resource: { metadata: { namespace, type, id, version: '1', phase: 'running' }, spec: { protoSpec: proto, yamlSpec: yaml } },
  });
  machine.on(state.get, ({ type, namespace, id }) => {
    const found = resources[type]?.find((resource) => resource.id === id);
    if (!found) throw new GrpcError(5, `resource ${type}(${namespace}/${id}@undefined) doesn't exist`);
    return wire(type, namespace, found);
  });
  machine.on(state.list, async function* ({ type, namespace }) {
    for (const resource of resources[type] ?? []) yield wire(type, namespace, resource);
  });
};
const link = (id: string, mac: string, kind = '') =>
  stored(id, definitions.network.LinkStatusSpecSchema, {
    type: definitions.enums.NethelpersLinkType.LINK_ETHER,
    hardwareAddr: Buffer.from(mac.replaceAll(':', ''), 'hex'),
    kind,
    linkState: true,
    mtu: 1500,
  });
const uuid = stored('systeminformation', definitions.hardware.SystemInformationSpecSchema, {
  uuid: '4C4C4544-0000-0000-0000-000000000001',
});

test('the facts of a machine are read, and its texts cannot steer a terminal', async () => {
  machine.on(api.version, () => ({
    messages: [{ version: { tag: 'v1.14.1\u001B[2J', sha: 'abc', arch: 'amd64' }, platform: { name: 'metal', mode: 'metal' } }],
  }));
  machine.on(api.serviceList, () => ({
    messages: [
      {
        services: [
          {
            id: 'etcd',
            state: 'Preparing',
            events: { events: [{ msg: 'Running pre state', state: 'Preparing' }] },
            health: { unknown: true, healthy: false, lastMessage: '' },
          },
          { id: 'apid', state: 'Running', health: { unknown: false, healthy: true, lastMessage: '' } },
        ],
      },
    ],
  }));
  holds({
    'MachineStatuses.runtime.talos.dev': [
      stored('machine', definitions.runtime.MachineStatusSpecSchema, {
        stage: definitions.enums.RuntimeMachineStage.MACHINE_STAGE_BOOTING,
        status: { ready: false, unmetConditions: [{ name: 'services', reason: 'etcd not\r running' }] },
      }),
    ],
    'Disks.block.talos.dev': [
      stored('sdb', definitions.block.DiskSpecSchema, { devPath: '/dev/sdb', size: 4611686018427387904n, serial: 'B2', transport: 'sata' }),
      stored('nvme0n1', definitions.block.DiskSpecSchema, { devPath: '/dev/nvme0n1', size: 512n, serial: 'N1', transport: 'nvme' }),
    ],
    'LinkStatuses.net.talos.dev': [link('eth0', 'aa:bb:cc:00:00:01'), link('bond0', 'aa:bb:cc:00:00:02', 'bond')],
    'HostnameStatuses.net.talos.dev': [stored('hostname', definitions.network.HostnameStatusSpecSchema, { hostname: 'cp-1' })],
    'MachineTypes.config.talos.dev': [stored('machine-type', machineConfigApi.MachineTypeSpecSchema, { machineType: 2 })],
    'SystemInformations.hardware.talos.dev': [uuid],
    'TimeStatuses.v1alpha1.talos.dev': [stored('node', definitions.time.StatusSpecSchema, { synced: true })],
    'ExtensionStatuses.runtime.talos.dev': [
      stored('0', definitions.extensions.LayerSchema, { metadata: { name: 'schematic', version: 'cafe' } }),
    ],
    'Members.cluster.talos.dev': [
      stored('cp-1', definitions.cluster.MemberSpecSchema, {
        nodeId: 'x1',
        hostname: 'cp-1',
        addresses: [{ ip: Uint8Array.of(10, 0, 0, 1) }, { ip: Uint8Array.from([0xfd, ...Array.from({ length: 14 }, () => 0), 1]) }],
        machineType: definitions.enums.MachineType.TYPE_CONTROL_PLANE,
        operatingSystem: 'Talos (v1.14.1)',
      }),
    ],
    'MachineConfigs.config.talos.dev': [
      stored('v1alpha1', machineConfigApi.MachineConfigSpecSchema, { yamlMarshalled: Buffer.from('version: v1alpha1\n') }),
    ],
  });
  machine.on(timeApi.TimeService.method.time, () => ({ messages: [{ localtime: { seconds: 1_800_000_000n, nanos: 500_000_000 } }] }));
  machine.on(api.etcdMemberList, ({ queryLocal }) => ({
    messages: [
      { members: [{ id: 18446744073709551615n, hostname: queryLocal ? 'local' : 'leader', peerUrls: ['https://10.0.0.1:2380'] }] },
    ],
  }));
  machine.on(api.etcdStatus, () => ({
    messages: [
      {
        memberStatus: {
          memberId: 7n,
          leader: 0n,
          raftIndex: 9n,
          raftTerm: 2n,
          raftAppliedIndex: 8n,
          dbSize: 20480n,
          errors: ['etcdserver: no leader'],
          storageVersion: '3.7.0',
        },
      },
    ],
  }));
  const talos = reader();
  expect({
    version: await talos.version(soon()),
    status: await talos.machineStatus(soon()),
    type: await talos.machineType(soon()),
    services: await talos.services(soon()),
    disks: (await talos.disks(soon())).map(({ id, devPath, sizeBytes, serial }) => [id, devPath, sizeBytes, serial]),
    links: (await talos.links(soon())).map(({ name, mac, isPhysical }) => [name, mac, isPhysical]),
    members: await talos.members(soon()),
    hostname: await talos.hostname(soon()),
    uuid: (await talos.systemInformation(soon()))?.uuid,
    isTimeSynced: await talos.isTimeSynced(soon()),
    time: await talos.time(soon()),
    schematic: (await talos.extensions(soon())).get('schematic'),
    config: (await talos.machineConfig('active', soon()))?.reveal(),
    persistent: await talos.machineConfig('persistent', soon()),
    etcdMembers: await talos.etcdMembers({ queryLocal: true }, soon()),
    etcdStatus: await talos.etcdStatus(soon()),
    peer: (await talos.peer(soon())).spkiSha256,
  }).toEqual({
    version: { tag: 'v1.14.1', sha: 'abc', arch: 'amd64', platform: 'metal' },
    status: { stage: 'booting', isReady: false, unmet: [{ name: 'services', reason: 'etcd not running' }] },
    type: 'controlplane',
    services: [
      { id: 'etcd', state: 'Preparing', health: 'unknown', events: [{ state: 'Preparing', message: 'Running pre state' }] },
      { id: 'apid', state: 'Running', health: 'healthy', events: [] },
    ],
    disks: [
      ['nvme0n1', '/dev/nvme0n1', 512, 'N1'],
      ['sdb', '/dev/sdb', 4611686018427387904, 'B2'],
    ],
    links: [
      ['bond0', 'aa:bb:cc:00:00:02', false],
      ['eth0', 'aa:bb:cc:00:00:01', true],
    ],
    members: [
      {
        nodeId: 'x1',
        hostname: 'cp-1',
        addresses: ['10.0.0.1', 'fd00::1'],
        role: 'controlplane',
        operatingSystem: 'Talos (v1.14.1)',
      },
    ],
    hostname: 'cp-1',
    uuid: '4c4c4544-0000-0000-0000-000000000001',
    isTimeSynced: true,
    time: 1_800_000_000_500,
    schematic: 'cafe',
    config: 'version: v1alpha1\n',
    persistent: undefined,
    etcdMembers: [{ id: 18446744073709551615n, hostname: 'local', peerUrls: ['https://10.0.0.1:2380'], clientUrls: [], isLearner: false }],
    etcdStatus: {
      memberId: 7n,
      leader: 0n,
      raftIndex: 9n,
      raftTerm: 2n,
      raftAppliedIndex: 8n,
      dbSizeBytes: 20480,
      dbSizeInUseBytes: 0,
      isLearner: false,
      errors: ['etcdserver: no leader'],
      version: '3.7.0',
    },
    peer: spki,
  });
  talos.close();
});

test('streams: kubeconfig archive, files, logs, events, health', async () => {
  const header = Buffer.alloc(512);
  const kubeconfig = 'apiVersion: v1\nkind: Config\n';
  header.write('kubeconfig', 0);
  header.write(kubeconfig.length.toString(8).padStart(11, '0'), 124);
  header.write('0', 156);
  const archive = gzipSync(Buffer.concat([header, Buffer.from(kubeconfig.padEnd(512, '\0')), Buffer.alloc(1024)]));
  machine.on(api.kubeconfig, async function* () {
    yield { bytes: archive.subarray(0, 40) };
    yield { bytes: archive.subarray(40) };
  });
  machine.on(api.read, async function* ({ path }) {
    if (path !== '/proc/sys/kernel/random/boot_id') throw new GrpcError(5, `stat ${path}: no such file or directory`);
    yield { bytes: Buffer.from('b-1\n') };
  });
  machine.on(api.logs, async function* ({ id, tailLines }) {
    const text = Buffer.from(`${id} ${tailLines}: für\n\u001B]0;title\u0007ok\n`);
    // A chunk may end inside a character.
    yield { bytes: text.subarray(0, 11) };
    yield { bytes: text.subarray(11) };
  });
  machine.on(api.events, async function* ({ tailEvents }) {
    yield {};
    yield {
      id: 'e1',
      actorId: `tail ${tailEvents}`,
      data: {
        typeUrl: 'talos/runtime/machine.TaskEvent',
        value: toBinary(machineApi.TaskEventSchema, create(machineApi.TaskEventSchema, { task: 'stopAllServices', action: 0 })),
      },
    };
  });
  machine.on(clusterApi.ClusterService.method.healthCheck, async function* ({ waitTimeout }) {
    yield { message: `waiting ${waitTimeout?.seconds} s for etcd to be healthy: OK` };
  });
  machine.on(api.list, ({ root }) => {
    throw new GrpcError(2, `lstat ${root}: no such file or directory`);
  });
  const talos = reader();
  const events = await all(talos.events({ tail: -1 }, soon()));
  expect({
    kubeconfig: (await talos.kubeconfig(soon())).reveal(),
    bootId: await talos.bootId(soon()),
    missing: await failureOf(talos.readFile('/none', soon())),
    logs: (await all(talos.logs({ service: 'etcd' }, soon()))).join(''),
    events: events.map((event) => [
      event.id,
      event.actorId,
      event.kind,
      eventPayload(event, 'TaskEvent')?.task,
      eventPayload(event, 'PhaseEvent'),
    ]),
    health: await all(talos.health({ waitMs: 5000 }, soon())),
    etcdData: await talos.hasEtcdData(soon()),
  }).toEqual({
    kubeconfig,
    bootId: 'b-1',
    missing: {
      code: 'talos/not-found',
      node: 'cp-1',
      address: '127.0.0.1',
      method: 'MachineService/Read',
      message: 'stat /none: no such file or directory',
    },
    logs: 'etcd -1: für\nok\n',
    events: [['e1', 'tail -1', 'TaskEvent', 'stopAllServices', undefined]],
    health: ['waiting 5 s for etcd to be healthy: OK'],
    etcdData: false,
  });
  talos.close();
});

test('a watch reports what is there, then what changes', async () => {
  const resource = (id: string, version: string) => ({
    metadata: { namespace: 'runtime', type: 'T', id, version, phase: 'running' },
    spec: { yamlSpec: `v: ${version}\n` },
  });
  machine.on(state.watch, async function* ({ apiVersion, id, options }) {
    expect([apiVersion, id, options?.bootstrapContents]).toEqual([1, undefined, true]);
    yield {};
    yield { event: [{ eventType: cosiApi.EventType.CREATED, resource: resource('a', '1') }] };
    yield { event: [{ eventType: cosiApi.EventType.BOOTSTRAPPED, resource: resource('', 'undefined') }] };
    yield { event: [{ eventType: cosiApi.EventType.UPDATED, resource: resource('a', '2'), old: resource('a', '1') }] };
    yield { event: [{ eventType: cosiApi.EventType.DESTROYED, resource: resource('a', '2') }] };
    yield { event: [{ eventType: cosiApi.EventType.ERRORED, error: 'buffer overrun' }] };
  });
  const talos = reader();
  const seen = (await all(talos.watch(talosResourceTypes.machineStatus, undefined, soon()))).map((event) =>
    event.kind === 'bootstrapped' ? [event.kind] : [event.kind, event.resource.id, event.resource.version, event.old?.version],
  );
  expect(seen).toEqual([
    ['created', 'a', '1', undefined],
    ['bootstrapped'],
    ['updated', 'a', '2', '1'],
    ['destroyed', 'a', '2', undefined],
  ]);
  talos.close();
});

test('each refusal of a machine has its own code, and long texts stay out of it', async () => {
  const at = { node: 'cp-1', address: '127.0.0.1', method: 'MachineService/Version' };
  const codes: Record<number, string> = {
    3: 'invalid-argument',
    5: 'not-found',
    6: 'already-exists',
    7: 'permission-denied',
    9: 'failed-precondition',
    12: 'unimplemented',
  };
  for (const [status, code] of Object.entries(codes)) {
    machine.on(api.version, () => {
      throw new GrpcError(Number(status), 'no\u001B[31m way\nConfig diff:\n+ token: secret');
    });
    const talos = reader();
    expect(await failureOf(talos.version(soon()))).toEqual({ ...at, code: `talos/${code}`, message: 'no way' });
    talos.close();
  }
  machine.on(api.version, () => {
    throw new GrpcError(2, `${'a'.repeat(5000)}${'z'.repeat(5000)}`);
  });
  const talos = reader();
  const short = `${'a'.repeat(99)} … ${'z'.repeat(198)}`;
  expect(await failureOf(talos.version(soon()))).toEqual({ ...at, code: 'talos/rpc', status: 'Unknown', message: short });
  machine.on(api.version, () => ({ messages: [] }));
  expect(await failureOf(talos.version(soon()))).toEqual({ ...at, code: 'talos/unexpected-reply', expected: 'one message' });
  talos.close();
});

test('a call to a named machine behind a control plane carries one node', async () => {
  machine.on(api.version, (_, call) => ({ messages: [{ version: { tag: String(call.metadata.node) } }] }));
  const talos = createTalosReader(world, { ...target(), through: '10.0.0.2' });
  expect((await talos.version(soon())).tag).toBe('10.0.0.2');
  talos.close();
});

test('a reading call survives a machine that restarted while the connection was idle; a changing call looks who is there again', async () => {
  const answer = (fresh: AnsweringMachine) => {
    fresh.on(api.version, () => ({ messages: [{ version: { tag: 'v1.14.1' } }] }));
    fresh.on(api.reboot, () => ({ messages: [{ actorId: 'a1' }] }));
  };
  answer(machine);
  const { port } = machine;
  const talos = createTalosMutator(world, target(port), { spkiSha256: spki });
  expect((await talos.version(soon())).tag).toBe('v1.14.1');
  await machine.close();
  machine = await answeringMachine(world, tls, port);
  answer(machine);
  expect((await talos.version(soon())).tag).toBe('v1.14.1');
  await machine.close();
  machine = await answeringMachine(world, tls, port);
  answer(machine);
  expect(await talos.reboot('default', soon())).toEqual({ actor: 'a1' });
  await machine.close();
  expect(await failureOf(talos.reboot('default', soon()))).toEqual({
    code: 'talos/unreachable',
    node: 'cp-1',
    address: '127.0.0.1',
    reason: 'refused',
    detail: 'ECONNREFUSED',
  });
  machine = await answeringMachine(world, tls, port);
  talos.close();
});

test('a lost reply to a changing call is an unknown outcome, and nothing repeats it', async () => {
  machine.on(api.bootstrap, () => {
    void machine.close();
    return new Promise(() => {});
  });
  const talos = createTalosMutator(world, target(), { spkiSha256: spki });
  expect(await failureOf(talos.bootstrap({}, soon()))).toMatchObject({ code: 'talos/outcome-unknown', method: 'MachineService/Bootstrap' });
  expect(machine.calls).toEqual(['MachineService/Version', 'MachineService/Bootstrap']);
  talos.close();
});

test('a refusal of a changing call is a plain answer', async () => {
  const { port } = machine;
  machine.on(api.bootstrap, () => {
    throw new GrpcError(6, 'etcd data directory is not empty');
  });
  const talos = createTalosMutator(world, target(port), { spkiSha256: spki });
  expect(await failureOf(talos.bootstrap({}, soon()))).toMatchObject({
    code: 'talos/already-exists',
    message: 'etcd data directory is not empty',
  });
  talos.close();
});

test('a silent machine costs the deadline on the clock of the World, and its connection is not used again', async () => {
  let asked = 0;
  machine.on(api.version, () => {
    asked += 1;
    return asked === 1 ? new Promise(() => {}) : { messages: [{ version: { tag: 'v1.14.1' } }] };
  });
  // Deadlines pass as soon as a call has arrived.
  let sleeping: Array<{ ms: number; wake: () => void }> = [];
  const clock = {
    ...world.clock,
    after: (ms: number, wake: () => void) => {
      const entry = { ms, wake };
      sleeping.push(entry);
      return () => {
        sleeping = sleeping.filter((other) => other !== entry);
      };
    },
  };
  const dialled: string[] = [];
  const dial = {
    talos: (...args: Parameters<typeof world.dial.talos>) => {
      dialled.push(args[0].host);
      return world.dial.talos(...args);
    },
  };
  const talos = createTalosReader({ dial, clock }, target());
  const waiting = failureOf(talos.version(soon()));
  await expect.poll(() => asked).toBe(1);
  expect(sleeping.map(({ ms }) => ms)).toEqual([10_000]);
  sleeping[0]?.wake();
  expect(await waiting).toEqual({
    code: 'talos/deadline',
    node: 'cp-1',
    address: '127.0.0.1',
    method: 'MachineService/Version',
    deadlineMs: 10_000,
  });
  expect((await talos.version(soon())).tag).toBe('v1.14.1');
  expect(dialled).toEqual(['127.0.0.1', '127.0.0.1']);
  const stop = new AbortController();
  asked = 0;
  const stopped = failureOf(talos.version(stop.signal));
  await expect.poll(() => asked).toBe(1);
  stop.abort();
  expect(await stopped).toEqual({ code: 'run/aborted', during: 'MachineService/Version on cp-1' });
  talos.close();
});

test('a reading port lets nothing out that could change a machine, apart from a dry run', async () => {
  machine.on(api.applyConfiguration, ({ dryRun, mode }) => ({ messages: [{ mode, modeDetails: dryRun ? 'No changes.' : 'applied' }] }));
  machine.on(api.reboot, () => ({ messages: [{}] }));
  const talos = reader();
  const config = { text: new Secret('version: v1alpha1\n') };
  expect((await talos.dryRunApply(config, 'auto', soon())).details.reveal()).toBe('No changes.');
  expect(await failureOf(all(talos.ask(api.reboot, {}, soon())))).toEqual({
    code: 'talos/read-only',
    node: 'cp-1',
    address: '127.0.0.1',
    method: 'MachineService/Reboot',
  });
  expect(await failureOf(all(talos.ask(api.applyConfiguration, { dryRun: false }, soon())))).toMatchObject({ code: 'talos/read-only' });
  expect(machine.calls).toEqual(['MachineService/ApplyConfiguration']);
  talos.close();
});

test('before each change the machine proves who it is on that connection', async () => {
  holds({
    'SystemInformations.hardware.talos.dev': [uuid],
    'LinkStatuses.net.talos.dev': [
      link('eth0', 'aa:bb:cc:00:00:01'),
      link('eth1', 'aa:bb:cc:00:00:02'),
      link('bond0', 'aa:bb:cc:00:00:03', 'bond'),
    ],
    'Disks.block.talos.dev': [stored('sda', definitions.block.DiskSpecSchema, { serial: 'S1' })],
    'HostnameStatuses.net.talos.dev': [stored('hostname', definitions.network.HostnameStatusSpecSchema, { hostname: 'cp-1' })],
    'MachineTypes.config.talos.dev': [stored('machine-type', machineConfigApi.MachineTypeSpecSchema, { machineType: 3 })],
  });
  machine.on(api.reboot, () => ({ messages: [{ actorId: 'a1' }] }));
  const right = createTalosMutator(world, target(), {
    uuid: '4c4c4544-0000-0000-0000-000000000001',
    macs: ['aa:bb:cc:00:00:02'],
    diskSerials: ['S1'],
    hostname: 'cp-1',
    role: 'worker',
  });
  expect(await right.reboot('powercycle', soon())).toEqual({ actor: 'a1' });
  expect(machine.calls).toEqual([
    'MachineService/Version',
    'State/Get',
    'State/List',
    'State/List',
    'State/Get',
    'State/Get',
    'MachineService/Reboot',
  ]);
  machine.calls.length = 0;
  const wrong = createTalosMutator(world, target(), {
    uuid: 'another',
    macs: ['aa:bb:cc:00:00:03'],
    diskSerials: ['S9'],
    hostname: 'cp-2',
    role: 'controlplane',
  });
  expect(await failureOf(wrong.reboot('default', soon()))).toEqual({
    code: 'talos/wrong-machine',
    node: 'cp-1',
    address: '127.0.0.1',
    differences: [
      { fact: 'uuid', expected: 'another', found: '4c4c4544-0000-0000-0000-000000000001' },
      { fact: 'mac', expected: 'aa:bb:cc:00:00:03', found: 'aa:bb:cc:00:00:01, aa:bb:cc:00:00:02' },
      { fact: 'disk serial', expected: 'S9', found: 'S1' },
      { fact: 'hostname', expected: 'cp-2', found: 'cp-1' },
      { fact: 'role', expected: 'controlplane', found: 'worker' },
    ],
  });
  machine.calls.length = 0;
  const stranger = createTalosMutator(world, target(), { spkiSha256: 'AAAA', uuid: 'another' });
  expect(await failureOf(stranger.reboot('default', soon()))).toMatchObject({
    differences: [{ fact: 'certificate', expected: 'AAAA', found: spki }],
  });
  // Not even a question went to the stranger.
  expect(machine.calls).toEqual([]);
  for (const talos of [right, wrong, stranger]) talos.close();
});

test('a config goes out with its mode, and the answer says what the machine chose', async () => {
  const { ApplyConfigurationRequest_Mode: Mode } = machineApi;
  const seen: unknown[] = [];
  machine.on(api.applyConfiguration, ({ data, mode, dryRun, tryModeTimeout }) => {
    seen.push([Buffer.from(data).toString(), mode, dryRun, tryModeTimeout?.seconds]);
    return { messages: [{ mode: Mode.NO_REBOOT, modeDetails: 'Applied configuration without a reboot', warnings: ['careful\u0007'] }] };
  });
  const talos = createTalosMutator(world, target(), { spkiSha256: spki });
  const result = await talos.applyConfiguration({ text: new Secret('a: 1') }, 'auto', soon());
  await talos.applyConfiguration({ text: new Secret('a: 1'), tryForMs: 90_000 }, 'try', soon());
  expect([result.mode, result.details.reveal(), result.warnings, seen]).toEqual([
    'no-reboot',
    'Applied configuration without a reboot',
    ['careful'],
    [
      ['a: 1', Mode.AUTO, false, 60n],
      ['a: 1', Mode.TRY, false, 90n],
    ],
  ]);
  talos.close();
});

test('the exit code of the installer decides, not the status of the call', async () => {
  const { method: lifecycle } = machineApi.LifecycleService;
  const steps = (...responses: MessageInitShape<typeof machineApi.LifecycleServiceInstallProgressSchema>['response'][]) =>
    async function* () {
      for (const response of responses)
        yield { progress: { response } } as MessageInitShape<typeof machineApi.LifecycleServiceUpgradeResponseSchema>;
    };
  const talos = createTalosMutator(world, target(), { spkiSha256: spki });
  const lines: string[] = [];
  const upgrade = () => talos.upgrade('factory/installer:v1.14.1', (line) => lines.push(line), soon());
  machine.on(lifecycle.upgrade, steps({ case: 'message', value: 'pre-flight\nwriting' }, { case: 'exitCode', value: 0 }));
  await upgrade();
  machine.on(lifecycle.upgrade, steps({ case: 'message', value: 'host version too old' }, { case: 'exitCode', value: 3 }));
  expect(await failureOf(upgrade())).toEqual({
    code: 'talos/installer-failed',
    node: 'cp-1',
    address: '127.0.0.1',
    exitCode: 3,
    lastLines: ['host version too old'],
  });
  machine.on(lifecycle.upgrade, steps({ case: 'message', value: 'writing' }));
  expect(await failureOf(upgrade())).toMatchObject({ code: 'talos/outcome-unknown' });
  expect(lines).toEqual(['pre-flight', 'writing', 'host version too old', 'writing']);
  talos.close();
});

test('what answers under an address is told apart', async () => {
  const foreign = await testPki();
  const foreignPair = await foreign.serverPair('127.0.0.1');
  const status = {
    'MachineStatuses.runtime.talos.dev': [
      stored('machine', definitions.runtime.MachineStatusSpecSchema, {
        stage: definitions.enums.RuntimeMachineStage.MACHINE_STAGE_RUNNING,
        status: { ready: true },
      }),
    ],
  };
  machine.on(api.version, () => ({ messages: [{ version: { tag: 'v1.14.1', sha: '', arch: 'amd64' } }] }));
  holds(status);
  const maintenance = await answeringMachine(world, { certificate: foreignPair.certificate, key: foreignPair.key });
  maintenance.on(api.version, () => ({ messages: [{ version: { tag: 'v1.13.9', sha: '', arch: 'amd64' } }] }));
  const oldMaintenance = await answeringMachine(world, { certificate: foreignPair.certificate, key: foreignPair.key });
  oldMaintenance.on(api.version, () => {
    throw new GrpcError(12, 'API is not implemented in maintenance mode');
  });
  const other = await answeringMachine(world, { certificate: foreignPair.certificate, key: foreignPair.key, clientCa: foreign.ca });
  const probe = (port: number, trust: typeof admin | undefined = admin) =>
    probeMachine(world, { node: 'cp-1', host: '127.0.0.1', port, ...(trust ? { trust } : {}) }, soon());
  expect(await probe(machine.port)).toEqual({
    state: 'configured',
    version: { tag: 'v1.14.1', sha: '', arch: 'amd64' },
    status: { stage: 'running', isReady: true, unmet: [] },
    spkiSha256: spki,
  });
  expect(await probe(maintenance.port)).toEqual({
    state: 'maintenance',
    spkiSha256: foreignPair.spkiSha256,
    version: { tag: 'v1.13.9', sha: '', arch: 'amd64' },
  });
  expect(await probe(oldMaintenance.port)).toEqual({ state: 'maintenance', spkiSha256: foreignPair.spkiSha256 });
  expect(await probe(other.port)).toEqual({ state: 'foreign', because: 'unknown-authority' });
  expect(await probeMachine(world, { node: 'cp-1', host: '127.0.0.1', port: machine.port }, soon())).toEqual({
    state: 'foreign',
    because: 'no-credentials',
  });
  expect(await probe(1)).toEqual({ state: 'unreachable', reason: 'refused' });
  const noAdmin = createTalosReader(world, target(other.port));
  expect(await failureOf(noAdmin.version(soon()))).toEqual({
    code: 'talos/unreachable',
    node: 'cp-1',
    address: '127.0.0.1',
    reason: 'unknown-authority',
    detail: 'SELF_SIGNED_CERT_IN_CHAIN',
  });
  await Promise.all([maintenance.close(), oldMaintenance.close(), other.close()]);
});

test('a port that changes machines cannot be made without knowing which machine is meant', () => {
  expect(() => createTalosMutator(world, target(), {})).toThrow('which one');
});
