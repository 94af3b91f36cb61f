import { remembered } from '../../../base/index.ts';
import { timestampFromMs, machineApi, AnySchema, create } from '../../../upstream/index.ts';
import type { RingEvent } from '../events.ts';
import type { Machine, ServiceRecord } from '../machine.ts';
import { type ApiCall, type BoundMethod, refuse, streaming, unary } from './call.ts';

const { method } = machineApi.MachineService;

/** Calls about the machine itself. Source: Talos internal/app/machined/internal/server/v1alpha1/v1alpha1_server.go */
export const machineMethods: readonly BoundMethod[] = [
  unary(method.version, ({ machine }) => versionReply(machine.version())),
  unary(method.hostname, ({ machine }) => ({ messages: [{ hostname: machine.hostname() }] })),
  unary(method.memory, ({ machine }) => {
    const totalKiB = BigInt((machine.spec.memoryMiB ?? 16_384) * 1024);
    return { messages: [{ meminfo: { memtotal: totalKiB, memfree: totalKiB / 2n, memavailable: (totalKiB * 3n) / 4n } }] };
  }),
  unary(method.diskStats, ({ machine }) => {
    const devices = machine.spec.disks.map(({ path }) => ({ name: path.replace('/dev/', ''), readCompleted: 1024n, writeCompleted: 512n }));
    return {
      messages: [{ total: { readCompleted: 1024n * BigInt(devices.length), writeCompleted: 512n * BigInt(devices.length) }, devices }],
    };
  }),
  unary(method.serviceList, (api) =>
    servicesReply(
      api.machine,
      api.machine.serviceIds().map((id) => serviceOf(api, id)),
    ),
  ),
  unary(method.serviceRestart, (api, { id }) => {
    // One that does not run is merely started.
    if (!isRunning(api.machine, id)) startByApi(api, id);
    else if (isFree(id)) api.lifecycle.restartService(api.machine, id);
    else throw unsupported(id, 'restart');
    return { messages: [{ resp: `Service "${id}" restarted` }] };
  }),
  unary(method.serviceStart, (api, { id }) => {
    if (!isRunning(api.machine, id)) startByApi(api, id);
    return { messages: [{ resp: `Service "${id}" started` }] };
  }),
  unary(method.serviceStop, (api, { id }) => {
    if (isRunning(api.machine, id)) {
      if (!isExtension(id)) throw unsupported(id, 'stop');
      api.lifecycle.stopService(api.machine, id);
    }
    return { messages: [{ resp: `Service "${id}" stopped` }] };
  }),
  unary(method.metaWrite, ({ machine }, request) => {
    machine.set('meta', { ...machine.get('meta'), [request.key]: Buffer.from(request.value).toString('base64') });
    return { messages: [{}] };
  }),
  unary(method.metaDelete, ({ machine }, request) => {
    const { [String(request.key)]: found, ...rest } = machine.get('meta') ?? {};
    if (found === undefined) throw refuse('notFound', `meta key ${request.key} not found`);
    machine.set('meta', rest);
    return { messages: [{}] };
  }),
  streaming(method.events, async function* (api, request) {
    yield {};
    const { machine } = api;
    let seen = startOf(api.events.ring(machine), request, api.kernel.clock.now());
    for (;;) {
      for (const event of api.events.ring(machine)) {
        if (event.id <= seen) continue;
        seen = event.id;
        if (request.withActorId !== '' && event.actorId !== request.withActorId) continue;
        if (api.kernel.fault('talos/event-delivery', { node: machine.name })?.kind === 'lost') continue;
        yield {
          data: create(AnySchema, { typeUrl: event.type, value: Buffer.from(event.payload, 'base64') }),
          id: event.id,
          actorId: event.actorId,
        };
      }
      await api.kernel.changed(api.signal);
    }
  }),
  streaming(method.logs, (api, request) => {
    if (request.namespace === 'system' && !ownLogs.has(request.id) && !api.machine.service(request.id)) {
      throw refuse('notFound', `log "${request.id}" was not registered`);
    }
    return followed(api, request.follow, request.tailLines, () => serviceLog(api.machine, request.id));
  }),
  streaming(method.dmesg, (api, request) => followed(api, request.follow && !request.tail, -1, () => kernelLog(api.machine))),
  streaming(method.read, async function* ({ machine }, request) {
    const files: Readonly<Record<string, string>> = {
      '/proc/sys/kernel/random/boot_id': `${machine.get('boot')?.id ?? ''}\n`,
      '/proc/bus/pci/devices': pciDevices(machine),
      '/proc/version': 'Linux version 6.18.5-talos (simulated)\n',
      '/etc/os-release': `NAME="Talos"\nID=talos\nVERSION_ID=${machine.version()}\nPRETTY_NAME="Talos (${machine.version()})"\n`,
    };
    const text = files[request.path];
    if (text === undefined) throw refuse('notFound', `stat ${request.path}: no such file or directory`);
    yield { bytes: Buffer.from(text) };
  }),
  streaming(method.list, async function* ({ machine }, request) {
    if (!request.root.startsWith('/var/lib/etcd')) {
      yield { name: request.root, relativeName: '.', isDir: true };
      return;
    }
    if (!machine.get('etcd')) throw refuse('notFound', `lstat ${request.root}: no such file or directory`);
    for (const [name, relativeName] of [
      [request.root, '.'],
      [`${request.root}/snap`, 'snap'],
      [`${request.root}/wal`, 'wal'],
    ] as const) {
      yield { name, relativeName, isDir: true };
    }
  }),
];

const versionReply = remembered(
  (tag: string) =>
    Object.freeze({
      messages: [
        {
          version: { tag, sha: 'simulated', built: '', goVersion: 'go1.26', os: 'linux', arch: 'amd64' },
          platform: { name: 'metal', mode: 'metal' },
          features: { rbac: true },
        },
      ],
    }),
  { keyOf: (tag) => tag, limit: 100 },
);

/** Logs of machined itself. Source: Talos internal/app/machined/pkg/runtime/logging, pkg/machinery/constants */
const ownLogs = new Set(['kernel', 'controller-runtime', 'dns-resolve-cache', 'machined']);

const pciDevices = (machine: Machine): string =>
  machine.spec.links.map((link, index) => `0${index + 1}00\t808615f3\t0\t${link.driver ?? 'igc'}\n`).join('');

/**
 * Which services the API may touch: the kubelet may be started and restarted, those of extensions be stopped too.
 * Source: Talos internal/app/machined/pkg/system/{system,services/kubelet,services/extension}.go (API*Allowed)
 */
const isExtension = (id: string): boolean => id.startsWith('ext-');
const isFree = (id: string): boolean => id === 'kubelet' || isExtension(id);
const unsupported = (id: string, what: 'start' | 'stop' | 'restart') =>
  refuse('unknown', `service "${id}" doesn't support ${what} operation via API`);

/** From its start to its end, whatever it waits for in between. */
function isRunning(machine: Machine, id: string): boolean {
  const record = machine.service(id);
  if (!record) throw refuse('unknown', `service "${id}" not defined`);
  return !['Finished', 'Failed', 'Skipped'].includes(record.state);
}

function startByApi(api: ApiCall, id: string): void {
  if (!isFree(id)) throw unsupported(id, 'start');
  api.services.start(api.machine, id);
}

export function serviceOf(api: Pick<ApiCall, 'etcd'> & { readonly machine: Machine }, id: string): ServiceInfo {
  const record = api.machine.service(id);
  if (!record) throw refuse('notFound', `service "${id}" is not registered`);
  const healthy = record.healthy === true && (id !== 'etcd' || api.etcd.isHealthy(api.machine));
  const known = servicesBefore.get(record);
  if (known?.health.healthy === healthy) return known;
  const service = {
    id,
    state: record.state,
    events: { events: record.events.map((event) => ({ msg: event.message, state: event.state, ts: timestampFromMs(event.wallMs) })) },
    health: {
      unknown: record.state !== 'Running' || record.healthy === undefined,
      healthy,
      lastMessage: healthy ? '' : id === 'etcd' && record.healthy ? 'context deadline exceeded' : record.healthMessage,
      lastChange: timestampFromMs(record.healthChangedMs),
    },
  };
  servicesBefore.set(record, service);
  return service;
}

interface ServiceInfo {
  readonly id: string;
  readonly state: string;
  readonly events: { readonly events: { readonly msg: string; readonly state: string; readonly ts: ReturnType<typeof timestampFromMs> }[] };
  readonly health: {
    readonly unknown: boolean;
    readonly healthy: boolean;
    readonly lastMessage: string;
    readonly lastChange: ReturnType<typeof timestampFromMs>;
  };
}

/** By their records, which are replaced when something changes. */
const servicesBefore = new WeakMap<ServiceRecord, ServiceInfo>();
const listsBefore = new WeakMap<Machine, { readonly messages: { readonly services: ServiceInfo[] }[] }>();

/** Whoever waits for a service asks for all of them every other second: the same list is the same reply. */
function servicesReply(machine: Machine, services: ServiceInfo[]) {
  const before = listsBefore.get(machine);
  const known = before?.messages[0]?.services ?? [];
  if (before && known.length === services.length && known.every((one, index) => one === services[index])) return before;
  const reply = Object.freeze({ messages: [{ services }] });
  listsBefore.set(machine, reply);
  return reply;
}

/** The id after which events are wanted. Source: v1alpha1_events.go: -1 means everything that is still there. */
function startOf(ring: readonly RingEvent[], request: machineApi.EventsRequest, nowMs: number): string {
  const newest = ring.at(-1)?.id ?? '';
  if (request.tailId !== '') return request.tailId;
  if (request.tailEvents < 0) return '';
  if (request.tailEvents > 0) return ring.at(-1 - request.tailEvents)?.id ?? '';
  if (request.tailSeconds > 0) return ring.findLast((event) => event.wallMs < nowMs - request.tailSeconds * 1000)?.id ?? '';
  return newest;
}

async function* followed(api: ApiCall, follow: boolean, tail: number, read: () => readonly string[]) {
  let sent = tail < 0 ? 0 : Math.max(0, read().length - tail);
  for (;;) {
    const lines = read();
    if (lines.length > sent) {
      yield {
        bytes: Buffer.from(
          lines
            .slice(sent)
            .map((line) => `${line}\n`)
            .join(''),
        ),
      };
      sent = lines.length;
    }
    if (!follow) return;
    await api.kernel.changed(api.signal);
  }
}

const serviceLog = (machine: Machine, id: string): string[] =>
  (machine.service(id)?.events ?? []).map((event) => `${id}: [${(event.wallMs / 1000).toFixed(3)}] ${event.state}: ${event.message}`);

function kernelLog(machine: Machine): string[] {
  const stamp = 'kern:    info: [simulated]:';
  return [
    `${stamp} Linux version 6.18.5-talos`,
    ...machine.spec.disks.map((disk) => `${stamp} ${disk.path.replace('/dev/', '')}: ${disk.model}`),
    ...machine.spec.links.map((link) => `${stamp} ${link.name}: link up, ${link.mac}`),
    `user: warning: [talos] machine is ${machine.get('stage') ?? 'off'}`,
  ];
}
