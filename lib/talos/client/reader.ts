import { hasCode, type PeerIdentity, Secret, stripControl, TkError } from '../../base/index.ts';
import {
  type Any,
  definitions,
  type DescMessage,
  type DescMethod,
  fromBinary,
  machineApi,
  machineConfigApi,
  type MessageInitShape,
  type MessageShape,
  timeApi,
  timestampMs,
  clusterApi,
} from '../../upstream/index.ts';
import { type ApplyMode, type ApplyResult, applyRequest, applyResultOf, type ConfigToApply } from './apply.ts';
import { shortName } from './calls.ts';
import { talosFailure } from './failures.ts';
import { firstFileOf } from './kubeconfig-archive.ts';
import * as facts from './machine-facts.ts';
import { getResource, listResources, type Resource, type ResourceEvent, type ResourceType, specOf, watchResources } from './resources.ts';
import { type CallOptions, createSession, type Session, type TalosMachine, type TalosPorts } from './session.ts';
import { type SystemReader, systemReaderOver } from './system-facts.ts';

const { types } = facts;

/** Followers end with their signal; this only keeps a forgotten one from living for ever. */
const dayMs = 86_400_000;

/** Something that the machine says it does. A hint: what counts is polled. */
export interface TalosEvent {
  readonly id: string;
  readonly actorId: string;
  /** `SequenceEvent`, `TaskEvent`, `MachineStatusEvent`, … */
  readonly kind: string;
  readonly payload: Any;
}

/** What may be asked of a machine. Nothing in here changes it: a call that could is refused before it leaves. */
export interface TalosReader extends SystemReader {
  readonly machine: TalosMachine;
  /** What the machine showed in the handshake of the connection in use. Dials when there is none. */
  peer(signal: AbortSignal): Promise<PeerIdentity>;
  version(signal: AbortSignal): Promise<facts.TalosVersion>;
  machineStatus(signal: AbortSignal): Promise<facts.MachineStatus>;
  machineType(signal: AbortSignal): Promise<facts.MachineRole>;
  services(signal: AbortSignal): Promise<readonly facts.ServiceStatus[]>;
  disks(signal: AbortSignal): Promise<readonly facts.Disk[]>;
  links(signal: AbortSignal): Promise<readonly facts.Link[]>;
  members(signal: AbortSignal): Promise<readonly facts.Member[]>;
  /** Undefined on machines that have no firmware tables. */
  systemInformation(signal: AbortSignal): Promise<facts.SystemInformation | undefined>;
  /** Undefined before the machine has one. */
  hostname(signal: AbortSignal): Promise<string | undefined>;
  isTimeSynced(signal: AbortSignal): Promise<boolean>;
  /** The machine's own clock, milliseconds since the epoch. */
  time(signal: AbortSignal): Promise<number>;
  /** Name → version; the one called `schematic` carries the schematic's id as its version. */
  extensions(signal: AbortSignal): Promise<ReadonlyMap<string, string>>;
  /** Every document of the active or the persisted config. Undefined when there is none. */
  machineConfig(which: 'active' | 'persistent', signal: AbortSignal): Promise<Secret<string> | undefined>;
  /** The members in this machine's own view, or in the leader's. */
  etcdMembers(options: { readonly queryLocal: boolean }, signal: AbortSignal): Promise<readonly facts.EtcdMember[]>;
  etcdStatus(signal: AbortSignal): Promise<facts.EtcdStatus>;
  /** Raised by any member, in this machine's view. Empty: all is well. */
  etcdAlarms(signal: AbortSignal): Promise<readonly facts.EtcdAlarm[]>;
  /** Whether etcd has ever stored anything on this machine's disk. */
  hasEtcdData(signal: AbortSignal): Promise<boolean>;
  /** When the kernel started, by the machine's own clock; milliseconds since the epoch, whole seconds. */
  bootedAtMs(signal: AbortSignal): Promise<number>;
  secureBoot(signal: AbortSignal): Promise<boolean>;
  /** Changes with each boot. */
  bootId(signal: AbortSignal): Promise<string>;
  kubeconfig(signal: AbortSignal): Promise<Secret<string>>;
  /** Failure: `talos/not-found` for a missing file. */
  readFile(path: string, signal: AbortSignal): Promise<Uint8Array>;
  /** Chunks of a snapshot of etcd. */
  etcdSnapshot(signal: AbortSignal): AsyncIterable<Uint8Array>;
  get(type: ResourceType, id: string, signal: AbortSignal): Promise<Resource>;
  list(type: ResourceType, signal: AbortSignal): Promise<readonly Resource[]>;
  watch(type: ResourceType, id: string | undefined, signal: AbortSignal): AsyncIterable<ResourceEvent>;
  events(options: EventOptions, signal: AbortSignal): AsyncIterable<TalosEvent>;
  /** Chunks may split lines anywhere. `tailLines` −1 is everything. */
  logs(
    options: { readonly service: string; readonly follow?: boolean; readonly tailLines?: number },
    signal: AbortSignal,
  ): AsyncIterable<string>;
  dmesg(options: { readonly follow?: boolean }, signal: AbortSignal): AsyncIterable<string>;
  /** What the machine's own health check says, line by line. Ends when all is well. */
  health(options: { readonly waitMs: number }, signal: AbortSignal): AsyncIterable<string>;
  /** What applying this config would do. `details` may hold a diff of secrets. */
  dryRunApply(config: ConfigToApply, mode: ApplyMode, signal: AbortSignal): Promise<ApplyResult>;
  /** Any other reading call. */
  ask<I extends DescMessage, O extends DescMessage>(
    method: DescMethod & { readonly input: I; readonly output: O },
    request: MessageInitShape<I>,
    signal: AbortSignal,
  ): AsyncIterable<MessageShape<O>>;
  close(): void;
}

export interface EventOptions {
  /** How many past events come first; −1 is all that the machine remembers. */
  readonly tail?: number;
  /** Continue after this one. */
  readonly afterId?: string;
  readonly actorId?: string;
}

/** A port that may only look. */
export function createTalosReader(ports: TalosPorts, machine: TalosMachine): TalosReader {
  return readerOver(createSession(ports, machine, { beforeMutation: 'refuse' }));
}

export function readerOver(session: Session): TalosReader {
  const machineMethods = machineApi.MachineService.method;
  const { node, host: address } = session.machine;
  const only = <T>(messages: readonly T[], method: DescMethod): T => {
    const [message] = messages;
    if (message !== undefined) return message;
    throw new TkError(talosFailure('talos/unexpected-reply', { node, address, method: shortName(method), expected: 'one message' }));
  };
  const spec = async <S extends DescMessage>(type: ResourceType, id: string, schema: S, signal: AbortSignal) =>
    specOf(await getResource(session, type, id, { signal }), schema, session);
  const specs = async <S extends DescMessage>(type: ResourceType, schema: S, signal: AbortSignal) =>
    (await listResources(session, type, { signal })).map((resource) => ({ id: resource.id, spec: specOf(resource, schema, session) }));
  const orAbsent = async <T>(work: Promise<T>): Promise<T | undefined> => {
    try {
      return await work;
    } catch (error) {
      if (hasCode(error, 'talos/not-found')) return undefined;
      throw error;
    }
  };
  async function* chunks<I extends DescMessage>(
    method: DescMethod & { readonly input: I; readonly output: DescMessage },
    request: MessageInitShape<I>,
    options: CallOptions,
  ): AsyncGenerator<Uint8Array> {
    for await (const message of session.stream(method, request, options)) {
      if ('bytes' in message && message.bytes instanceof Uint8Array && message.bytes.length > 0) yield message.bytes;
    }
  }
  const whole = async (parts: AsyncIterable<Uint8Array>): Promise<Uint8Array> => {
    const found: Uint8Array[] = [];
    for await (const part of parts) found.push(part);
    return new Uint8Array(Buffer.concat(found));
  };
  async function* printable(parts: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
    const decoder = new TextDecoder();
    for await (const part of parts) yield linesKept(decoder.decode(part, { stream: true }));
  }
  const readFile = (path: string, signal: AbortSignal) => whole(chunks(machineMethods.read, { path }, { signal }));

  return {
    ...systemReaderOver(session),
    machine: session.machine,
    peer: async (signal) => (await session.connection(signal)).peer,
    version: async (signal) =>
      facts.versionOf(only((await session.unary(machineMethods.version, {}, { signal })).messages, machineMethods.version)),
    machineStatus: async (signal) =>
      facts.machineStatusOf(await spec(types.machineStatus, 'machine', definitions.runtime.MachineStatusSpecSchema, signal)),
    machineType: async (signal) => {
      const found = await orAbsent(spec(types.machineType, 'machine-type', machineConfigApi.MachineTypeSpecSchema, signal));
      return found ? facts.roleOf(found) : 'unknown';
    },
    services: async (signal) =>
      only((await session.unary(machineMethods.serviceList, {}, { signal })).messages, machineMethods.serviceList).services.map(
        facts.serviceOf,
      ),
    disks: async (signal) =>
      (await specs(types.disks, definitions.block.DiskSpecSchema, signal)).map((disk) => facts.diskOf(disk.id, disk.spec)),
    links: async (signal) =>
      (await specs(types.links, definitions.network.LinkStatusSpecSchema, signal)).map((link) => facts.linkOf(link.id, link.spec)),
    members: async (signal) =>
      (await specs(types.members, definitions.cluster.MemberSpecSchema, signal)).map((member) => facts.memberOf(member.spec)),
    systemInformation: async (signal) => {
      const found = await orAbsent(
        spec(types.systemInformation, 'systeminformation', definitions.hardware.SystemInformationSpecSchema, signal),
      );
      if (!found) return undefined;
      const { manufacturer, productName, serialNumber, uuid } = found;
      return {
        manufacturer: stripControl(manufacturer),
        productName: stripControl(productName),
        serialNumber: stripControl(serialNumber),
        uuid: stripControl(uuid).toLowerCase(),
      };
    },
    hostname: async (signal) => {
      const found = await orAbsent(spec(types.hostname, 'hostname', definitions.network.HostnameStatusSpecSchema, signal));
      return found && stripControl(found.hostname);
    },
    isTimeSynced: async (signal) => {
      const found = await orAbsent(spec(types.timeStatus, 'node', definitions.time.StatusSpecSchema, signal));
      return found?.synced ?? false;
    },
    time: async (signal) => {
      const method = timeApi.TimeService.method.time;
      const { localtime } = only((await session.unary(method, {}, { signal })).messages, method);
      if (localtime) return timestampMs(localtime);
      throw new TkError(talosFailure('talos/unexpected-reply', { node, address, method: shortName(method), expected: 'a local time' }));
    },
    extensions: async (signal) => {
      const found = await specs(types.extensions, definitions.extensions.LayerSchema, signal);
      return new Map(found.map(({ spec: { metadata } }) => [stripControl(metadata?.name ?? ''), stripControl(metadata?.version ?? '')]));
    },
    machineConfig: async (which, signal) => {
      const id = which === 'active' ? 'v1alpha1' : 'persistent';
      const found = await orAbsent(spec(types.machineConfig, id, machineConfigApi.MachineConfigSpecSchema, signal));
      return found && new Secret(Buffer.from(found.yamlMarshalled).toString('utf8'));
    },
    etcdMembers: async ({ queryLocal }, signal) => {
      const reply = await session.unary(machineMethods.etcdMemberList, { queryLocal }, { signal });
      return only(reply.messages, machineMethods.etcdMemberList).members.map(facts.etcdMemberOf);
    },
    etcdStatus: async (signal) => {
      const { memberStatus } = only((await session.unary(machineMethods.etcdStatus, {}, { signal })).messages, machineMethods.etcdStatus);
      if (memberStatus) return facts.etcdStatusOf(memberStatus);
      throw new TkError(
        talosFailure('talos/unexpected-reply', { node, address, method: 'MachineService/EtcdStatus', expected: 'a member status' }),
      );
    },
    etcdAlarms: async (signal) => {
      const reply = await session.unary(machineMethods.etcdAlarmList, {}, { signal });
      return reply.messages.flatMap(({ memberAlarms }) => memberAlarms).flatMap(facts.etcdAlarmsOf);
    },
    bootedAtMs: async (signal) =>
      Number(only((await session.unary(machineMethods.systemStat, {}, { signal })).messages, machineMethods.systemStat).bootTime) * 1000,
    secureBoot: async (signal) => {
      const found = await orAbsent(spec(types.securityState, 'securitystate', definitions.runtime.SecurityStateSpecSchema, signal));
      return found?.secureBoot ?? false;
    },
    hasEtcdData: async (signal) => {
      try {
        for await (const entry of session.stream(machineMethods.list, { root: '/var/lib/etcd/member' }, { signal })) {
          if (entry.error === '') return true;
        }
        return false;
      } catch (error) {
        // The machine has no status of its own for a missing folder; the text is Go's.
        if (hasCode(error, 'talos/not-found') || (hasCode(error, 'talos/rpc') && missingFolder.test(String(error.failure.facts.message))))
          return false;
        throw error;
      }
    },
    bootId: async (signal) =>
      Buffer.from(await readFile('/proc/sys/kernel/random/boot_id', signal))
        .toString('utf8')
        .trim(),
    kubeconfig: async (signal) => {
      const method = machineMethods.kubeconfig;
      const found = firstFileOf(await whole(chunks(method, {}, { signal })));
      if (found !== undefined) return new Secret(found);
      throw new TkError(
        talosFailure('talos/unexpected-reply', { node, address, method: shortName(method), expected: 'an archive with a kubeconfig' }),
      );
    },
    readFile,
    etcdSnapshot: (signal) => chunks(machineMethods.etcdSnapshot, {}, { signal }),
    get: (type, id, signal) => getResource(session, type, id, { signal }),
    list: (type, signal) => listResources(session, type, { signal }),
    watch: (type, id, signal) => watchResources(session, type, id, { signal, deadlineMs: dayMs }),
    events: (options, signal) => eventsOf(session, options, signal),
    logs: ({ service, follow = false, tailLines = -1 }, signal) =>
      printable(
        chunks(
          machineMethods.logs,
          { namespace: 'system', id: service, follow, tailLines },
          { signal, ...(follow ? { deadlineMs: dayMs } : {}) },
        ),
      ),
    dmesg: ({ follow = false }, signal) =>
      printable(chunks(machineMethods.dmesg, { follow, tail: false }, { signal, ...(follow ? { deadlineMs: dayMs } : {}) })),
    async *health({ waitMs }, signal) {
      const request = { waitTimeout: { seconds: BigInt(Math.ceil(waitMs / 1000)), nanos: 0 }, clusterInfo: {} };
      const options = { signal, deadlineMs: waitMs + 30_000 };
      for await (const { message } of session.stream(clusterApi.ClusterService.method.healthCheck, request, options))
        yield stripControl(message);
    },
    dryRunApply: async (config, mode, signal) => {
      const method = machineMethods.applyConfiguration;
      const reply = await session.unary(method, applyRequest(config, mode, { isDryRun: true }), { signal });
      return applyResultOf(only(reply.messages, method), mode);
    },
    ask: (method, request, signal) => session.stream(method, request, { signal }),
    close: () => session.close(),
  };
}

const missingFolder = /no such file or directory/;

async function* eventsOf(session: Session, { tail, afterId, actorId }: EventOptions, signal: AbortSignal): AsyncGenerator<TalosEvent> {
  const request = {
    ...(tail === undefined ? {} : { tailEvents: tail }),
    ...(afterId === undefined ? {} : { tailId: afterId }),
    ...(actorId === undefined ? {} : { withActorId: actorId }),
  };
  const method = machineApi.MachineService.method.events;
  for await (const { id, actorId: actor, data } of session.stream(method, request, { signal, deadlineMs: dayMs })) {
    // The first message is empty: it says that the stream is set.
    if (data) yield { id, actorId: actor, kind: data.typeUrl.slice(data.typeUrl.lastIndexOf('.') + 1), payload: data };
  }
}

const eventSchemas = {
  SequenceEvent: machineApi.SequenceEventSchema,
  PhaseEvent: machineApi.PhaseEventSchema,
  TaskEvent: machineApi.TaskEventSchema,
  ServiceStateEvent: machineApi.ServiceStateEventSchema,
  MachineStatusEvent: machineApi.MachineStatusEventSchema,
  AddressEvent: machineApi.AddressEventSchema,
  ConfigLoadErrorEvent: machineApi.ConfigLoadErrorEventSchema,
  ConfigValidationErrorEvent: machineApi.ConfigValidationErrorEventSchema,
  RestartEvent: machineApi.RestartEventSchema,
} as const;

/** The event's own message, or undefined when it is of another kind. */
export function eventPayload<K extends keyof typeof eventSchemas>(
  event: TalosEvent,
  kind: K,
): MessageShape<(typeof eventSchemas)[K]> | undefined {
  return event.kind === kind ? fromBinary(eventSchemas[kind], event.payload.value) : undefined;
}

/** Log text keeps its line ends; all else that could steer a terminal goes. */
function linesKept(text: string): string {
  return text.split('\n').map(stripControl).join('\n');
}
